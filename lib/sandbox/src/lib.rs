//! Locks a server process in at start. After [`Sandbox::enter`] the process reaches only its own
//! files and its configured TCP ports, starts no program and leaves no core dump.
//!
//! May touch: its own process and `/proc/self`. Called by: every server, before its async runtime
//! starts.
//!
//! The sandbox leaves open: UDP, which DNS needs; Unix sockets with a path; files that were open
//! before; and `stat`, `chmod`, `chown` and `utime` of files elsewhere, which Landlock does not
//! cover. So give each server its own user.
//!
//! A rule holds for the file or directory that its path led to when the process entered. If others
//! replace a file by renaming, such as a renewed certificate or `resolv.conf`, the process reads
//! the new file only if its directory is in [`Sandbox::read`].

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

/// The newest Landlock ABI that the tests cover. Later ABIs refuse more, such as UDP, so raise this
/// only together with the tests.
const TESTED: ABI = ABI::V7;

/// The rights of a server beneath its own directories. It may not execute files, create symbolic
/// links or create devices.
const OWN: BitFlags<AccessFs> = make_bitflags!(AccessFs::{
    ReadFile | ReadDir | WriteFile | Truncate | MakeReg | MakeSock | MakeDir | RemoveFile | RemoveDir | Refer
});

/// The files and ports that a process may still reach once it has entered. The kernel refuses all
/// others.
#[derive(Clone, Debug, Default)]
pub struct Sandbox {
    /// Files that the process may read, and directories beneath which it may read everything.
    pub read: Vec<PathBuf>,
    /// Directories beneath which the process may read, write, create, rename and remove.
    pub write: Vec<PathBuf>,
    /// TCP ports that the process may connect to, on any host.
    pub connect: Vec<u16>,
    /// TCP ports that the process may still bind. A listener bound before needs no entry here.
    pub bind: Vec<u16>,
}

/// Entering the sandbox failed. The process may be locked in partly, so it should exit.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The process has several threads. Landlock and seccomp apply to the calling thread and those
    /// that it starts later, so the other threads would stay free.
    #[error(
        "cannot enter the sandbox with {count} threads running; enter before any thread or async \
         runtime starts"
    )]
    Threads {
        /// The number of threads, including the caller's.
        count: usize,
    },
    /// The threads could not be counted.
    #[error("cannot count this process's threads in /proc/self/task: {0}; mount /proc")]
    Tasks(#[source] io::Error),
    /// A path of the sandbox cannot be opened.
    #[error("cannot let the sandbox reach {}: {source}; create it or correct the configuration", path.display())]
    Path {
        /// The path as configured.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A path in [`Sandbox::write`] is not a directory.
    #[error("cannot let the sandbox write beneath {}: it is not a directory", path.display())]
    NotADirectory {
        /// The path as configured.
        path: PathBuf,
    },
    /// Core dumps can't be switched off.
    #[error("cannot switch core dumps off: {0}")]
    CoreDumps(#[source] Errno),
    /// The kernel has Landlock but refused the rules.
    #[error("Landlock refused the rules of the sandbox: {0}")]
    Landlock(#[from] RulesetError),
    /// The kernel refused the system-call filter.
    #[error("cannot filter system calls with seccomp: {0}; the kernel must have seccomp filters")]
    Seccomp(#[from] seccompiler::Error),
}

/// The files of the system that name resolution, TLS and time zones need. Some machines lack some.
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
    /// A sandbox with what every server needs: the system's files, the directories of its
    /// `certificate` files, because a renewed certificate is a new file, and the port of `listen`.
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

    /// Adds directories to write beneath and creates those that are missing.
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

    /// Adds files or directories to read.
    #[must_use]
    pub fn reading(mut self, paths: impl IntoIterator<Item = PathBuf>) -> Self {
        self.read.extend(paths);
        self
    }

    /// Adds the ports of peers to call. A peer is a URL or `HOST:PORT`. A peer without a known port
    /// adds nothing.
    #[must_use]
    pub fn calling<S: AsRef<str>>(mut self, peers: impl IntoIterator<Item = S>) -> Self {
        self.connect.extend(peers.into_iter().filter_map(|peer| port_of(peer.as_ref())));
        self
    }

    /// Adds ports of peers to connect to.
    #[must_use]
    pub fn connecting(mut self, ports: impl IntoIterator<Item = u16>) -> Self {
        self.connect.extend(ports);
        self
    }

    /// Locks this process in for good: its only thread and all threads that it starts later.
    ///
    /// Call this before the async runtime starts. A kernel without Landlock and memory that can't
    /// be locked are reported in the [`Confinement`]; every other failure is an error.
    pub fn enter(self) -> Result<Confinement, SandboxError> {
        require_one_thread()?;
        let rules = self.rules()?;
        forbid_core_dumps().map_err(SandboxError::CoreDumps)?;
        let memory = lock_memory();
        let landlock = Landlock::from(&rules.restrict_self()?);
        syscalls::apply_filters()?;
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

/// The directory of a file; `.` for a bare file name.
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
    // Landlock refuses a directory's rights in the rule of a file.
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

/// Opens a handle on the path without the right to read, and tells whether it is a directory.
fn locate(path: &Path) -> Result<(File, bool), SandboxError> {
    let failed = |source| SandboxError::Path { path: path.to_owned(), source };
    let file = File::options().read(true).custom_flags(libc::O_PATH).open(path).map_err(failed)?;
    let is_dir = file.metadata().map_err(failed)?.is_dir();
    Ok((file, is_dir))
}

/// Switches core dumps off. The limit stops core files, but only the flag stops a core handler to
/// which the kernel pipes the dump. The flag also keeps other processes of the same user out of
/// this process's memory.
fn forbid_core_dumps() -> Result<(), Errno> {
    prctl::set_dumpable(false)?;
    setrlimit(Resource::RLIMIT_CORE, 0, 0)
}

/// Keeps all memory that the process touches, now and later, out of swap. Untouched pages take no
/// memory.
///
/// Memory is locked only if no limit holds. The kernel counts whole mappings against a limit,
/// touched or not, and refuses new memory beyond it, which would end the server in mid-work.
fn lock_memory() -> Result<(), String> {
    let limit = Resource::RLIMIT_MEMLOCK;
    if setrlimit(limit, RLIM_INFINITY, RLIM_INFINITY).is_ok() {
        return lock_touched_pages().map_err(|e| e.to_string());
    }
    let (soft, hard) = getrlimit(limit).map_err(|e| e.to_string())?;
    // At a limit of zero, locking succeeds only if the process is exempt from limits
    // (CAP_IPC_LOCK).
    let locked = setrlimit(limit, 0, hard).and_then(|()| lock_touched_pages());
    setrlimit(limit, soft, hard).map_err(|e| e.to_string())?;
    locked.map_err(|_| format!("the limit is {hard} bytes; set LimitMEMLOCK=infinity"))
}

fn lock_touched_pages() -> Result<(), Errno> {
    let on_fault = MlockAllFlags::from_bits_retain(libc::MCL_ONFAULT);
    mlockall(MlockAllFlags::MCL_CURRENT | MlockAllFlags::MCL_FUTURE | on_fault)
}

/// The protections that are in force. `Display` writes them in one line for the log.
#[derive(Clone, Debug)]
pub struct Confinement {
    landlock: Landlock,
    memory: Result<(), String>,
}

/// The share of the file and network rules that the running kernel enforces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Landlock {
    /// All rules. The number is the kernel's Landlock ABI.
    Full(i32),
    /// The rules that the kernel's older Landlock ABI covers.
    Partial(i32),
    /// No rules, because Landlock was not switched on at boot.
    Off,
    /// No rules, because the kernel was built without Landlock.
    Missing,
}

impl Confinement {
    /// The share of the file and network rules that is in force.
    #[must_use]
    pub fn landlock(&self) -> Landlock {
        self.landlock
    }

    /// Whether every protection is in force. If not, log the confinement as a warning.
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
            Self::Missing => f.write_str("none (this kernel lacks Landlock)"),
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
