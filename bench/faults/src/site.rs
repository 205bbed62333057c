//! The estate under test. Each compartment is started, killed and started again by itself.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use cofferdam_core::{Clock, SystemClock, SystemRng, Timestamp};
use cofferdam_wire::Client;
use estate::{Compartment, Estate, Plan};
use jiff::SignedDuration;

/// The longest time until a compartment answers, or ends.
const PATIENCE: Duration = Duration::from_mins(1);
/// The certificates are made so long ago that they are valid for a clock that is a day behind.
const MADE: SignedDuration = SignedDuration::from_hours(72);

/// A clock that is behind by [`MADE`].
struct Earlier;

impl Clock for Earlier {
    fn now(&self) -> Timestamp {
        SystemClock.now() - MADE
    }

    fn monotonic(&self) -> Duration {
        SystemClock.monotonic()
    }
}

/// The outcome of a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// The process ended.
    Refused,
    /// Its health says that it can't work.
    Unwell,
    /// Its health says that it works.
    Serves,
}

/// An estate whose compartments can be killed.
pub struct Site {
    pub estate: Estate,
    binary: PathBuf,
    faketime: PathBuf,
    running: BTreeMap<&'static str, Child>,
}

impl Site {
    /// Makes an estate in `dir` and starts its compartments.
    pub async fn start(dir: &Path, binary: &Path, faketime: &Path) -> Self {
        estate::create(dir, &Plan::default(), &Earlier, &SystemRng).await.unwrap();
        let estate = Estate::open(dir).unwrap();
        let running = BTreeMap::new();
        let mut site = Self { estate, binary: binary.into(), faketime: faketime.into(), running };
        site.restart_all().await;
        site
    }

    /// Stops every compartment and starts it with the right clock.
    pub async fn restart_all(&mut self) {
        for compartment in Compartment::ALL {
            self.kill(compartment);
            self.serve(compartment, SignedDuration::ZERO).await;
        }
    }

    /// A client of a compartment under a caller's certificate.
    pub fn client(&self, of: Compartment, caller: &str) -> Client {
        self.estate.client(of, &caller.parse().unwrap()).unwrap()
    }

    /// The directory of a compartment.
    pub fn dir(&self, of: Compartment) -> PathBuf {
        self.estate.dir.join(of.as_str())
    }

    /// Kills a compartment with SIGKILL.
    pub fn kill(&mut self, compartment: Compartment) {
        if let Some(mut child) = self.running.remove(compartment.as_str()) {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Starts a compartment with a clock that is wrong by `shift`, and waits until it answers.
    pub async fn serve(&mut self, compartment: Compartment, shift: SignedDuration) {
        self.spawn(compartment, shift);
        let client = self.client(compartment, "operator-1");
        let deadline = Instant::now() + PATIENCE;
        while !client.is_healthy().await {
            if let Some(status) = self.ended(compartment) {
                panic!("{compartment} ended: {status}; see its log");
            }
            assert!(Instant::now() < deadline, "{compartment} does not answer");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Starts a compartment that may refuse.
    pub async fn try_start(&mut self, compartment: Compartment) -> Start {
        self.spawn(compartment, SignedDuration::ZERO);
        let client = self.client(compartment, "operator-1");
        let deadline = Instant::now() + PATIENCE;
        loop {
            if self.ended(compartment).is_some() {
                return Start::Refused;
            }
            match client.health().await {
                Some((true, _)) => return Start::Serves,
                Some((false, _)) => return Start::Unwell,
                None => assert!(Instant::now() < deadline, "{compartment} does not answer"),
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn spawn(&mut self, compartment: Compartment, shift: SignedDuration) {
        let dir = self.dir(compartment);
        let log = File::options().create(true).append(true).open(self.log(compartment)).unwrap();
        let mut command = Command::new(&self.binary);
        command.args([compartment.as_str(), "serve", "--config"]);
        command.arg(dir.join(format!("{compartment}.toml"))).stdin(Stdio::null()).stderr(log);
        if !shift.is_zero() {
            command.env("LD_PRELOAD", &self.faketime).env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
            command.env("FAKETIME", format!("{:+}s", shift.as_secs()));
        }
        self.running.insert(compartment.as_str(), command.spawn().unwrap());
    }

    /// The exit status of a compartment that ended by itself.
    fn ended(&mut self, compartment: Compartment) -> Option<ExitStatus> {
        let status = self.running.get_mut(compartment.as_str())?.try_wait().unwrap()?;
        self.running.remove(compartment.as_str());
        Some(status)
    }

    /// The log of a compartment. It is not in the compartment's directory, which may be read-only.
    fn log(&self, of: Compartment) -> PathBuf {
        self.estate.dir.join(format!("{of}.log"))
    }

    /// Copies a compartment's directory and log off the small disk, which is about to go.
    fn keep(&mut self, compartment: Compartment) {
        let ended = self.ended(compartment);
        let kept = std::env::temp_dir().join("bench-faults");
        let made = std::fs::create_dir_all(&kept);
        let mut copy = Command::new("cp");
        let files = [self.dir(compartment), self.log(compartment), kept.clone()];
        let copied = copy.arg("-r").args(files).status();
        println!("{compartment} ended: {ended:?}; kept in {}: {made:?} {copied:?}", kept.display());
    }

    /// Kills every compartment.
    pub fn stop(&mut self) {
        for compartment in Compartment::ALL {
            self.kill(compartment);
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for of in Compartment::ALL {
                self.keep(of);
            }
        }
        self.stop();
    }
}
