//! The surroundings of a probe: two directories, two listeners and the probe's own process.

use crate::probe::Probe;
use cofferdam_sandbox::Sandbox;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};
use tempfile::TempDir;

/// The exit code of a probe whose action succeeded.
pub const DONE: u8 = 0;
/// The exit code of a probe whose action the system refused.
pub const REFUSED: u8 = 77;

/// The surroundings as the test holds them. They stay open while the probe runs.
pub struct Room {
    dir: TempDir,
    allowed: TcpListener,
    other: TcpListener,
    _neighbour: UnixListener,
}

/// The result of a probe.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    Done,
    Refused,
    Failed,
}

pub struct Answer {
    pub outcome: Outcome,
    /// The exit status, standard output and standard error.
    pub said: String,
}

impl Room {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["own", "neighbour"] {
            fs::create_dir(dir.path().join(name)).unwrap();
            fs::write(dir.path().join(name).join("kept"), "kept").unwrap();
        }
        fs::write(dir.path().join("to-read"), "read me").unwrap();
        let name = SocketAddr::from_abstract_name(dir.path().as_os_str().as_encoded_bytes());
        let listen = || TcpListener::bind("127.0.0.1:0").unwrap();
        Self {
            allowed: listen(),
            other: listen(),
            _neighbour: UnixListener::bind_addr(&name.unwrap()).unwrap(),
            dir,
        }
    }

    /// Runs a probe to its end.
    pub fn ask(&self, probe: Probe, confined: bool) -> Answer {
        let port = |listener: &TcpListener| listener.local_addr().unwrap().port().to_string();
        let output = Command::new(env::current_exe().unwrap())
            .env("PROBE", format!("{probe:?}"))
            .env("PROBE_CONFINED", confined.to_string())
            .env("PROBE_DIR", self.dir.path())
            .env("PROBE_ALLOWED_PORT", port(&self.allowed))
            .env("PROBE_OTHER_PORT", port(&self.other))
            .output()
            .unwrap();
        let outcome = match output.status.code() {
            Some(code) if code == i32::from(DONE) => Outcome::Done,
            Some(code) if code == i32::from(REFUSED) => Outcome::Refused,
            _ => Outcome::Failed,
        };
        let text = [output.stdout, output.stderr].concat();
        let said = format!("{}\n{}", output.status, String::from_utf8_lossy(&text));
        Answer { outcome, said }
    }
}

impl Answer {
    /// The number that the probe printed after `name` and a colon.
    pub fn number(&self, name: &str) -> u64 {
        let line = self.said.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.unwrap_or_else(|| panic!("no {name} in {}", self.said)).parse().unwrap()
    }
}

/// The surroundings as the probe sees them.
pub struct Place {
    pub own: PathBuf,
    pub neighbour: PathBuf,
    pub to_read: PathBuf,
    /// The name of the neighbour's abstract socket.
    pub socket: SocketAddr,
    pub allowed: u16,
    pub other: u16,
}

impl Place {
    pub fn from_env() -> Self {
        let port = |name| env::var(name).unwrap().parse().unwrap();
        let dir = PathBuf::from(env::var_os("PROBE_DIR").unwrap());
        let name = dir.as_os_str().as_encoded_bytes();
        Self {
            socket: SocketAddr::from_abstract_name(name).unwrap(),
            own: dir.join("own"),
            neighbour: dir.join("neighbour"),
            to_read: dir.join("to-read"),
            allowed: port("PROBE_ALLOWED_PORT"),
            other: port("PROBE_OTHER_PORT"),
        }
    }

    /// A sandbox like that of a server.
    pub fn sandbox(&self) -> Sandbox {
        let system = ["/etc/hosts", "/etc/nsswitch.conf", "/etc/resolv.conf", "/dev/urandom"];
        let read = system.iter().map(PathBuf::from).filter(|path| path.exists());
        Sandbox {
            read: read.chain([self.to_read.clone()]).collect(),
            write: vec![self.own.clone()],
            connect: vec![self.allowed],
            bind: vec![],
        }
    }
}
