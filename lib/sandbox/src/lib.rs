//! Locks a server process in at start: after [`Sandbox::enter`] it reaches its own files and its
//! configured TCP ports only, starts no program, and leaves no core dump.
//!
//! What stays open: UDP (DNS needs it), Unix sockets with a path, files that were open before, and
//! `stat`, `chmod`, `chown` and `utime` of files elsewhere, which Landlock does not know: give each
//! server its own user.
//!
//! A rule holds for the file or directory that its path led to at the time. A file that others
//! replace by renaming (a renewed certificate, `resolv.conf`) is read again only if its directory
//! is in [`Sandbox::read`].

mod syscalls;

use std::fmt::{self, Display};
use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, LandlockStatus, NetPort, PathBeneath,
    RestrictionStatus, Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError,
    RulesetStatus, Scope, make_bitflags,
};
use nix::errno::Errno;
use nix::sys::mman::{MlockAllFlags, mlockall};
use nix::sys::prctl;
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, setrlimit};

/// The newest Landlock ABI that this was tested with. Later ones refuse more, such as UDP: raise it
/// only together with the tests.
const TESTED: ABI = ABI::V7;

/// What a server may do beneath its own directories: everything but run, link symbolically and
/// make devices.
const OWN: BitFlags<AccessFs> = make_bitflags!(AccessFs::{
    ReadFile | ReadDir | WriteFile | Truncate | MakeReg | MakeSock | MakeDir | RemoveFile | RemoveDir | Refer
});

/// What a process may still reach once it has entered. All else is refused.
#[derive(Clone, Debug, Default)]
pub struct Sandbox {
    /// Files, or directories with all beneath them, to read.
    pub read: Vec<PathBuf>,
    /// Directories beneath which it reads, writes, creates, renames and removes.
    pub write: Vec<PathBuf>,
    /// TCP ports it may connect to, on any host.
    pub connect: Vec<u16>,
    /// TCP ports it may still bind. A listener bound before needs none.
    pub bind: Vec<u16>,
}

/// Why the process is not locked in. It may be partly so: end it.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// Landlock and seccomp hold for the calling thread and those it starts later, so any other
    /// thread would stay free.
    #[error(
        "cannot enter the sandbox with {count} threads running; enter before any thread or async \
         runtime starts"
    )]
    Threads {
        /// The threads that were running, the caller's included.
        count: usize,
    },
    /// The threads could not be counted.
    #[error("cannot count this process's threads in /proc/self/task: {0}; mount /proc")]
    Tasks(#[source] io::Error),
    /// A path of the sandbox cannot be opened.
    #[error("cannot let the sandbox reach {}: {source}; create it or correct the configuration", path.display())]
    Path {
        /// The path as it was given.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A path to write beneath is no directory.
    #[error("cannot let the sandbox write beneath {}: it is not a directory", path.display())]
    NotADirectory {
        /// The path as it was given.
        path: PathBuf,
    },
    /// Core dumps could not be switched off.
    #[error("cannot switch core dumps off: {0}")]
    CoreDumps(#[source] Errno),
    /// The kernel has Landlock, and refused the rules.
    #[error("Landlock refused the rules of the sandbox: {0}")]
    Landlock(#[from] RulesetError),
    /// The system-call filter could not be put in place.
    #[error("cannot filter system calls with seccomp: {0}; the kernel must have seccomp filters")]
    Seccomp(#[from] seccompiler::Error),
}

/// What name resolution, TLS and time need of the system, where it is there.
const SYSTEM: [&str; 12] = [
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/host.conf",
    "/etc/localtime",
    "/etc/ssl",
    "/usr/lib",
    "/usr/share/ca-certificates",
    "/usr/share/zoneinfo",
    "/run/systemd/resolve",
    "/dev/urandom",
];

impl Sandbox {
    /// What every server needs: the system's files, the directories of its `certificate` files (a
    /// renewed certificate is another file) and its port.
    #[must_use]
    pub fn of_server<'a>(
        certificate: impl IntoIterator<Item = &'a Path>,
        listen: SocketAddr,
    ) -> Self {
        let system = SYSTEM.iter().map(PathBuf::from).filter(|path| path.exists());
        Self {
            read: system.chain(certificate.into_iter().map(beside)).collect(),
            write: Vec::new(),
            connect: Vec::new(),
            bind: vec![listen.port()],
        }
    }

    /// The same, and what a server may write beneath; directories are made where they are not.
    pub fn writing(
        mut self,
        dirs: impl IntoIterator<Item = PathBuf>,
    ) -> Result<Self, SandboxError> {
        for path in dirs {
            if let Err(source) = std::fs::create_dir_all(&path) {
                return Err(SandboxError::Path { path, source });
            }
            self.write.push(path);
        }
        Ok(self)
    }

    /// The same, and files or directories that it reads.
    #[must_use]
    pub fn reading(mut self, paths: impl IntoIterator<Item = PathBuf>) -> Self {
        self.read.extend(paths);
        self
    }

    /// The same, and peers that it calls: URLs, or `HOST:PORT`. One without a port is not reached.
    #[must_use]
    pub fn calling<S: AsRef<str>>(mut self, peers: impl IntoIterator<Item = S>) -> Self {
        self.connect.extend(peers.into_iter().filter_map(|peer| port_of(peer.as_ref())));
        self
    }

    /// Locks this process in for good: its only thread, and all that it starts later.
    ///
    /// Call it before the async runtime starts. A kernel without Landlock, and memory that cannot
    /// be locked, are told in the [`Confinement`]; everything else that fails is an error.
    pub fn enter(self) -> Result<Confinement, SandboxError> {
        require_one_thread()?;
        let rules = self.rules()?;
        forbid_core_dumps().map_err(SandboxError::CoreDumps)?;
        let memory = lock_memory();
        let landlock = Landlock::from(&rules.restrict_self()?);
        syscalls::refuse()?;
        Ok(Confinement { landlock, memory })
    }

    fn rules(&self) -> Result<RulesetCreated, SandboxError> {
        let mut rules = Ruleset::default()
            .handle_access(AccessFs::from_all(TESTED))?
            .handle_access(AccessNet::from_all(TESTED))?
            .scope(Scope::from_all(TESTED))?
            .create()?;
        for path in &self.read {
            rules = rules.add_rule(readable(path)?)?;
        }
        for path in &self.write {
            rules = rules.add_rule(writable(path)?)?;
        }
        for port in &self.connect {
            rules = rules.add_rule(NetPort::new(*port, AccessNet::ConnectTcp))?;
        }
        for port in &self.bind {
            rules = rules.add_rule(NetPort::new(*port, AccessNet::BindTcp))?;
        }
        Ok(rules)
    }
}

/// The directory of a file.
#[must_use]
pub fn beside(file: &Path) -> PathBuf {
    match file.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// The port of `https://HOST:PORT/…` or `HOST:PORT`.
fn port_of(peer: &str) -> Option<u16> {
    let (scheme, rest) = peer.split_once("://").unwrap_or(("", peer));
    let host = rest.split(['/', '?']).next().unwrap_or(rest);
    match host.rsplit_once(':').and_then(|(_, port)| port.parse().ok()) {
        Some(port) => Some(port),
        None if scheme == "https" => Some(443),
        None if scheme.starts_with("postgres") => Some(5_432),
        None => None,
    }
}

fn require_one_thread() -> Result<(), SandboxError> {
    match std::fs::read_dir("/proc/self/task").map_err(SandboxError::Tasks)?.count() {
        1 => Ok(()),
        count => Err(SandboxError::Threads { count }),
    }
}

fn readable(path: &Path) -> Result<PathBeneath<File>, SandboxError> {
    let (file, is_dir) = locate(path)?;
    // Landlock takes no right of directories for a file.
    let access =
        if is_dir { AccessFs::ReadFile | AccessFs::ReadDir } else { AccessFs::ReadFile.into() };
    Ok(PathBeneath::new(file, access))
}

fn writable(path: &Path) -> Result<PathBeneath<File>, SandboxError> {
    match locate(path)? {
        (dir, true) => Ok(PathBeneath::new(dir, OWN)),
        (_, false) => Err(SandboxError::NotADirectory { path: path.to_owned() }),
    }
}

/// A handle on the file itself, without reading it, and whether it is a directory.
fn locate(path: &Path) -> Result<(File, bool), SandboxError> {
    let failed = |source| SandboxError::Path { path: path.to_owned(), source };
    let file = File::options().read(true).custom_flags(libc::O_PATH).open(path).map_err(failed)?;
    let is_dir = file.metadata().map_err(failed)?.is_dir();
    Ok((file, is_dir))
}

/// The limit stops the kernel from writing a core file; only the flag stops a core handler that it
/// pipes to. The flag also keeps other processes of the same user out of this one's memory.
fn forbid_core_dumps() -> Result<(), Errno> {
    prctl::set_dumpable(false)?;
    setrlimit(Resource::RLIMIT_CORE, 0, 0)
}

/// Keeps all memory, now and later, out of swap, as far as it is used: untouched pages take none.
///
/// It is locked only where no limit holds: the kernel counts whole mappings, used or not, and once
/// they reach a limit it refuses new memory, which would end the server in mid-work.
fn lock_memory() -> Result<(), String> {
    let limit = Resource::RLIMIT_MEMLOCK;
    if setrlimit(limit, RLIM_INFINITY, RLIM_INFINITY).is_ok() {
        return lock_as_used().map_err(|e| e.to_string());
    }
    let (soft, hard) = getrlimit(limit).map_err(|e| e.to_string())?;
    // With a limit of nothing, only a process that limits do not hold for (CAP_IPC_LOCK) can lock.
    let locked = setrlimit(limit, 0, hard).and_then(|()| lock_as_used());
    setrlimit(limit, soft, hard).map_err(|e| e.to_string())?;
    locked.map_err(|_| format!("the limit is {hard} bytes; set LimitMEMLOCK=infinity"))
}

fn lock_as_used() -> Result<(), Errno> {
    let on_fault = MlockAllFlags::from_bits_retain(libc::MCL_ONFAULT);
    mlockall(MlockAllFlags::MCL_CURRENT | MlockAllFlags::MCL_FUTURE | on_fault)
}

/// What was really put in place. Its text is one line for the log.
#[derive(Clone, Debug)]
pub struct Confinement {
    landlock: Landlock,
    memory: Result<(), String>,
}

/// How much of the file and network rules the running kernel keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Landlock {
    /// All of them. The number is the kernel's Landlock ABI.
    Full(i32),
    /// Those that this older Landlock ABI knows.
    Partial(i32),
    /// None: Landlock was not switched on when the system started.
    Off,
    /// None: the kernel was built without Landlock.
    Missing,
}

impl Confinement {
    /// How much of the file and network rules is in force.
    #[must_use]
    pub fn landlock(&self) -> Landlock {
        self.landlock
    }

    /// Whether nothing was left out: otherwise log it as a warning.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        matches!(self.landlock, Landlock::Full(_)) && self.memory.is_ok()
    }
}

impl From<&RestrictionStatus> for Landlock {
    fn from(status: &RestrictionStatus) -> Self {
        match status.landlock {
            LandlockStatus::NotEnabled => Self::Off,
            LandlockStatus::NotImplemented => Self::Missing,
            LandlockStatus::Available { effective_abi, kernel_abi } => {
                let abi = kernel_abi.unwrap_or(effective_abi as i32);
                match status.ruleset {
                    RulesetStatus::FullyEnforced => Self::Full(abi),
                    _ => Self::Partial(abi),
                }
            }
        }
    }
}

impl Display for Landlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(abi) => write!(f, "full (ABI {abi})"),
            Self::Partial(abi) => write!(f, "partial (ABI {abi})"),
            Self::Off => f.write_str("none (off at boot: add landlock to lsm=)"),
            Self::Missing => f.write_str("none (the kernel has none)"),
        }
    }
}

impl Display for Confinement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "landlock: {}; seccomp: on; core dumps: off; memory: ", self.landlock)?;
        match &self.memory {
            Ok(()) => f.write_str("locked"),
            Err(reason) => write!(f, "not locked ({reason})"),
        }
    }
}
