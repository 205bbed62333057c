//! The processes of a running estate.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};

use super::configs::name;
use crate::CommandError;
use crate::connect::Estate;

/// How long an estate may take until every compartment answers.
const START: Duration = Duration::from_secs(30);
/// How long a process may take to stop before it is killed.
const STOP: Duration = Duration::from_secs(12);
/// How many lines of a dead process's log are shown.
const LAST_LINES: usize = 8;

/// The running processes.
pub struct Running {
    processes: Vec<Process>,
}

struct Process {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

/// A process that ended though nobody asked it to.
#[derive(Debug)]
pub struct Died {
    name: String,
    status: Option<ExitStatus>,
    log: PathBuf,
}

impl fmt::Display for Died {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.status.map_or_else(|| "unknown status".to_owned(), |s| s.to_string());
        write!(f, "{} died ({status}); its log {} ends:", self.name, self.log.display())?;
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        for line in &lines[lines.len().saturating_sub(LAST_LINES)..] {
            write!(f, "\n    {line}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Died {}

impl Running {
    /// Starts the mail sink and the four compartments, and waits until each answers.
    pub async fn start(estate: &Estate) -> Result<Self, CommandError> {
        let mut running = Self { processes: vec![sink(estate)?] };
        for compartment in ["keys", "accounts", "payments", "response"] {
            running.processes.push(compartment_process(&estate.dir, compartment)?);
        }
        match running.wait_until_healthy(estate).await {
            Ok(()) => Ok(running),
            Err(e) => {
                running.stop().await;
                Err(e)
            }
        }
    }

    async fn wait_until_healthy(&mut self, estate: &Estate) -> Result<(), CommandError> {
        let operator = name("operator-1");
        let clients = [
            ("keys", estate.keys(&operator)?),
            ("accounts", estate.accounts(&operator)?),
            ("payments", estate.payments(&operator)?),
            ("response", estate.response(&operator)?),
        ];
        let deadline = Instant::now() + START;
        for (name, client) in clients {
            while !client.is_healthy().await {
                if let Some(died) = self.dead() {
                    return Err(died.into());
                }
                if Instant::now() > deadline {
                    return Err(format!("{name} does not answer after {START:?}").into());
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Ok(())
    }

    /// Waits until a process ends by itself.
    pub async fn one_dies(&mut self) -> Died {
        loop {
            if let Some(died) = self.dead() {
                return died;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    fn dead(&mut self) -> Option<Died> {
        self.processes.iter_mut().find_map(|process| {
            let status = process.child.try_wait().ok()??;
            let (name, log) = (process.name.to_owned(), process.log.clone());
            Some(Died { name, status: Some(status), log })
        })
    }

    /// Stops every process: asks first, kills who does not hear. Those who call others go first.
    pub async fn stop(&mut self) {
        for mut process in self.processes.drain(..).rev() {
            // Standard input's end is the request to stop.
            drop(process.child.stdin.take());
            if tokio::time::timeout(STOP, process.child.wait()).await.is_err() {
                // Already gone is as good as killed.
                let _ = process.child.kill().await;
            }
        }
    }
}

fn sink(estate: &Estate) -> io::Result<Process> {
    let dir = estate.dir.join("mail");
    let mut command = ourselves()?;
    command.args(["sink", "serve", "--listen", &estate.addresses.relay]).arg("--dir").arg(&dir);
    spawn("mail sink", command, dir.join("sink.log"))
}

fn compartment_process(dir: &Path, compartment: &'static str) -> io::Result<Process> {
    let own = dir.join(compartment);
    let mut command = ourselves()?;
    command.args([compartment, "serve", "--config"]).arg(own.join(format!("{compartment}.toml")));
    spawn(compartment, command, own.join(format!("{compartment}.log")))
}

fn ourselves() -> io::Result<Command> {
    std::env::current_exe().map(Command::new)
}

fn spawn(name: &'static str, mut command: Command, log: PathBuf) -> io::Result<Process> {
    let lines = File::options().create(true).append(true).open(&log)?;
    let child = command
        .arg("--stop-with-stdin")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(lines)
        // Ctrl-C reaches the terminal's whole group; only `up` is to hear it, and to stop the
        // others in order.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    Ok(Process { name, child, log })
}
