//! The probes. Each tries one action and reports the result by its exit code.

mod attack;
mod work;

use crate::room::{DONE, Place, REFUSED};
use attack::Victim;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::{env, fs};

/// Declares the probes and the names by which a test asks for them.
macro_rules! probes {
    ($($name:ident)*) => {
        /// One action to try.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Probe { $($name),* }

        impl Probe {
            fn named(name: &str) -> Option<Self> {
                match name {
                    $(stringify!($name) => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

probes! {
    ReadNeighbour ListNeighbour WriteOutside MoveOutside RemoveOutside LinkNeighbour WriteReadOnly
    Exec Spawn SpawnNowhere Fork ConnectOther Bind FastOpen Multipath Netlink AbstractSocket
    ReadProcMem ReadVm Trace Signal Unshare ReadNeighbourInThread UnshareInThread
    OwnFiles ReadAllowed ConnectAllowed Serve Resolve Runtime Sqlite
    EnterWithTwoThreads EnterWithMissingPath EnterToWriteFile CoreDumps Memory
}

/// The resources that a probe acquires before it enters the sandbox.
struct Before {
    victim: Option<Victim>,
    listener: TcpListener,
    client: TcpStream,
    status: fs::File,
}

/// Runs the probe that the environment variable `PROBE` names, if it is set.
pub fn run_if_asked() -> Option<ExitCode> {
    let name = env::var("PROBE").ok()?;
    if name == attack::VICTIM {
        return Some(attack::be_the_victim());
    }
    let probe = Probe::named(&name).unwrap();
    let code = match run(probe, &Place::from_env()) {
        Ok(()) => DONE,
        Err(e) if is_refusal(&e) => {
            println!("{e}");
            REFUSED
        }
        Err(e) => panic!("{probe:?}: {e}"),
    };
    Some(ExitCode::from(code))
}

/// Landlock refuses a link from a directory without rights with the error for another disk.
fn is_refusal(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::CrossesDevices)
}

fn run(probe: Probe, place: &Place) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut before = Before {
        victim: needs_victim(probe).then(Victim::start),
        client: TcpStream::connect(listener.local_addr()?)?,
        listener,
        status: fs::File::open("/proc/self/status")?,
    };
    if probe == Probe::CoreDumps {
        work::allow_core_dumps();
    }
    let resident = work::status_number(&before.status, "VmRSS")?;
    if env::var("PROBE_CONFINED").is_ok_and(|v| v == "true") {
        println!("{}", place.sandbox().enter().unwrap());
    }
    match probe {
        Probe::EnterWithTwoThreads => work::enter_with_two_threads(place),
        Probe::EnterWithMissingPath => work::enter_with_missing_path(place),
        Probe::EnterToWriteFile => work::enter_to_write_file(place),
        Probe::CoreDumps => work::core_dumps(),
        Probe::Memory => work::memory(&before.status, resident),
        Probe::OwnFiles => work::own_files(place),
        Probe::ReadAllowed => fs::read(&place.to_read).map(drop),
        Probe::ConnectAllowed => work::connect(place.allowed),
        Probe::Serve => work::serve(&before.listener, &mut before.client),
        Probe::Resolve => work::resolve(),
        Probe::Runtime => work::runtime(place),
        Probe::Sqlite => work::sqlite(place),
        Probe::ConnectOther => work::connect(place.other),
        _ => attack::run(probe, place, before.victim.as_ref()),
    }
}

fn needs_victim(probe: Probe) -> bool {
    matches!(probe, Probe::ReadProcMem | Probe::ReadVm | Probe::Trace | Probe::Signal)
}
