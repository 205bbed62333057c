//! The processes of a running estate.

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};

use crate::plan::caller;
use crate::{Compartment, Died, Estate, EstateError};

/// The longest time until every compartment of an estate must answer.
const START: Duration = Duration::from_secs(30);
/// The longest time that a process gets to stop before it is killed.
const STOP: Duration = Duration::from_secs(12);

/// The running processes of an estate. They are killed when this value is dropped before
/// [`Running::stop`].
pub struct Running {
    processes: Vec<Process>,
}

struct Process {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Starts the mail sink and the four compartments as processes of `binary`, and waits until
    /// each compartment answers.
    pub async fn start(estate: &Estate, binary: &Path) -> Result<Self, EstateError> {
        let mut running = Self { processes: vec![sink(estate, binary)?] };
        for compartment in Compartment::ALL {
            running.processes.push(serve(estate, compartment, binary)?);
        }
        match running.wait_until_healthy(estate).await {
            Ok(()) => Ok(running),
            Err(e) => {
                running.stop().await;
                Err(e)
            }
        }
    }

    async fn wait_until_healthy(&mut self, estate: &Estate) -> Result<(), EstateError> {
        let operator = caller("operator-1");
        let deadline = Instant::now() + START;
        for compartment in Compartment::ALL {
            let client = estate.client(compartment, &operator)?;
            while !client.is_healthy().await {
                if let Some(died) = self.find_dead() {
                    return Err(died.into());
                }
                if Instant::now() > deadline {
                    return Err(EstateError::Silent(compartment, START));
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Ok(())
    }

    /// Waits until a process ends by itself.
    pub async fn wait_for_death(&mut self) -> Died {
        loop {
            if let Some(died) = self.find_dead() {
                return died;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    fn find_dead(&mut self) -> Option<Died> {
        self.processes.iter_mut().find_map(|process| {
            let status = process.child.try_wait().ok()??;
            Some(Died { name: process.name, status, log: process.log.clone() })
        })
    }

    /// The process id of a compartment, unless the process has ended.
    #[must_use]
    pub fn pid(&self, compartment: Compartment) -> Option<u32> {
        let process = self.processes.iter().find(|of| of.name == compartment.as_str())?;
        process.child.id()
    }

    /// Stops every process in the reverse order of their start: callers stop before the
    /// compartments that they call. A process that does not stop in time is killed.
    pub async fn stop(&mut self) {
        for mut process in self.processes.drain(..).rev() {
            // The process stops once its standard input ends.
            drop(process.child.stdin.take());
            if tokio::time::timeout(STOP, process.child.wait()).await.is_err() {
                // An error means that the process is already gone.
                let _ = process.child.kill().await;
            }
        }
    }
}

fn sink(estate: &Estate, binary: &Path) -> Result<Process, EstateError> {
    let dir = estate.dir.join("mail");
    let args = ["sink", "serve", "--listen", &estate.addresses.relay, "--dir"].map(OsStr::new);
    let log = dir.join("sink.log");
    spawn("mail sink", Command::new(binary).args(args).arg(dir), log)
}

fn serve(estate: &Estate, compartment: Compartment, binary: &Path) -> Result<Process, EstateError> {
    let name = compartment.as_str();
    let own = estate.dir.join(name);
    let config = own.join(format!("{name}.toml"));
    let log = own.join(format!("{name}.log"));
    spawn(name, Command::new(binary).args([name, "serve", "--config"]).arg(config), log)
}

fn spawn(name: &'static str, command: &mut Command, log: PathBuf) -> Result<Process, EstateError> {
    let lines = File::options().create(true).append(true).open(&log);
    let child = command
        .arg("--stop-with-stdin")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(lines.map_err(EstateError::file(&log))?)
        // Ctrl-C signals the whole process group of the terminal. Only the process that started the
        // estate should get the signal, because it stops the others in order.
        .process_group(0)
        .kill_on_drop(true)
        .spawn();
    let program = Path::new(command.as_std().get_program());
    let child = child.map_err(EstateError::file(program))?;
    Ok(Process { name, child, log })
}
