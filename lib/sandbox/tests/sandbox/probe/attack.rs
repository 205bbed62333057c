//! Actions that an attacker would try from a captured server.

use super::Probe;
use crate::room::Place;
use nix::sched::{CloneFlags, unshare};
use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::sys::{ptrace, signal, wait};
use nix::unistd::{Pid, daemon};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{self, BufRead, BufReader, IoSliceMut, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitCode, Stdio};
use std::{env, fs, thread};

pub fn run(probe: Probe, place: &Place, victim: Option<&Victim>) -> io::Result<()> {
    let victim = || victim.unwrap();
    let secret = place.neighbour.join("kept");
    match probe {
        Probe::ReadNeighbour => fs::read(secret).map(drop),
        Probe::ReadNeighbourInThread => {
            thread::spawn(move || fs::read(secret).map(drop)).join().unwrap()
        }
        Probe::ListNeighbour => fs::read_dir(&place.neighbour).map(drop),
        Probe::WriteOutside => fs::write(place.neighbour.join("new"), "x"),
        Probe::MoveOutside => fs::rename(place.own.join("kept"), place.neighbour.join("moved")),
        Probe::RemoveOutside => fs::remove_file(secret),
        Probe::LinkNeighbour => fs::hard_link(secret, place.own.join("linked")),
        Probe::WriteReadOnly => fs::write(&place.to_read, "x"),
        Probe::Exec => Err(Command::new("/bin/true").exec()),
        Probe::Spawn => Command::new("/bin/true").status().map(drop),
        Probe::SpawnNowhere => {
            Command::new("/bin/true").current_dir(place.own.join("none")).status().map(drop)
        }
        // `daemon` forks.
        Probe::Fork => Ok(daemon(true, true)?),
        Probe::Bind => TcpListener::bind("127.0.0.1:0").map(drop),
        Probe::FastOpen => fast_open(place.other),
        Probe::Multipath => multipath(place.other),
        Probe::Netlink => Socket::new(Domain::from(libc::AF_NETLINK), Type::RAW, None).map(drop),
        Probe::AbstractSocket => UnixStream::connect_addr(&place.socket).map(drop),
        Probe::ReadProcMem => victim().read_through_proc(),
        Probe::ReadVm => victim().read_by_system_call(),
        Probe::Trace => victim().trace(),
        Probe::Signal => Ok(signal::kill(victim().pid(), signal::Signal::SIGTERM)?),
        Probe::Unshare => Ok(unshare(CloneFlags::CLONE_FS)?),
        Probe::UnshareInThread => {
            thread::spawn(|| Ok(unshare(CloneFlags::CLONE_FS)?)).join().unwrap()
        }
        _ => panic!("{probe:?} is no attack"),
    }
}

fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

fn fast_open(port: u16) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.send_to_with_flags(b"x", &local(port).into(), libc::MSG_FASTOPEN).map(drop)
}

fn multipath(port: u16) -> io::Result<()> {
    Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::MPTCP))?.connect(&local(port).into())
}

/// The value of `PROBE` with which a process becomes the victim of another.
pub const VICTIM: &str = "victim";

/// Announces itself on standard output and waits until its standard input closes.
pub fn be_the_victim() -> ExitCode {
    println!("here");
    io::stdin().read_to_end(&mut vec![]).unwrap();
    ExitCode::SUCCESS
}

/// Another process of the same user. It is a child, because some systems let only parents trace.
pub struct Victim {
    process: Child,
    /// An address in the process's memory that can be read.
    address: usize,
}

impl Victim {
    pub fn start() -> Self {
        let mut process = Command::new(env::current_exe().unwrap())
            .env("PROBE", VICTIM)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut String::new()).unwrap();
        let maps = fs::read_to_string(format!("/proc/{}/maps", process.id())).unwrap();
        let address = usize::from_str_radix(maps.split('-').next().unwrap(), 16).unwrap();
        Self { process, address }
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.process.id().cast_signed())
    }

    fn read_through_proc(&self) -> io::Result<()> {
        let memory = fs::File::open(format!("/proc/{}/mem", self.process.id()))?;
        memory.read_exact_at(&mut [0; 8], self.address as u64)
    }

    fn read_by_system_call(&self) -> io::Result<()> {
        let there = RemoteIoVec { base: self.address, len: 8 };
        process_vm_readv(self.pid(), &mut [IoSliceMut::new(&mut [0; 8])], &[there])?;
        Ok(())
    }

    fn trace(&self) -> io::Result<()> {
        ptrace::attach(self.pid())?;
        wait::waitpid(self.pid(), None)?;
        Ok(ptrace::detach(self.pid(), None)?)
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        self.process.wait().unwrap();
    }
}
