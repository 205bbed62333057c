//! Running estates, and talking to them.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use cofferdam_core::Record;
use cofferdam_wire::{CallError, Client, Identity, Problem, TlsFiles};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

/// The binary under test, with arguments.
pub fn cofferdam<const N: usize>(args: [&str; N]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cofferdam"));
    command.args(args).stdin(Stdio::null());
    command
}

/// Runs it to its end.
pub fn run<const N: usize>(args: [&str; N]) -> Output {
    cofferdam(args).output().unwrap()
}

/// What it said on standard error.
pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A process that is asked to stop, and waited for, with this value.
pub struct Process {
    pub child: Child,
}

impl Process {
    pub fn spawn(mut command: Command) -> Self {
        Self { child: command.spawn().unwrap() }
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap());
        // It may be gone.
        let _ = kill(pid, signal);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::SIGTERM);
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.child.try_wait().unwrap().is_none() {
            if Instant::now() > deadline {
                self.child.kill().unwrap();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// An estate's directory, gone with this value.
pub struct Place {
    _dir: TempDir,
    pub dir: PathBuf,
}

impl Place {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { dir: dir.path().join("estate"), _dir: dir }
    }

    pub fn path(&self) -> &str {
        self.dir.to_str().unwrap()
    }

    /// Makes the estate, without leaving it running.
    pub fn make(&self) {
        drop(Up::start(self));
    }

    /// Sends the letters of its `response`, which is not running, to `relay`, and changes what else
    /// `[letters]` says.
    pub fn set_letters(&self, relay: SocketAddr, change: impl FnOnce(&mut toml::Table)) {
        let file = self.dir.join("response/response.toml");
        let mut config: toml::Table = fs::read_to_string(&file).unwrap().parse().unwrap();
        let letters = config["letters"].as_table_mut().unwrap();
        letters["relays"][0]["address"] = relay.to_string().into();
        change(letters);
        fs::write(&file, config.to_string()).unwrap();
    }

    pub fn address(&self, compartment: &str) -> String {
        let text = fs::read_to_string(self.dir.join("estate.toml")).unwrap();
        let at: toml::Table = text.parse().unwrap();
        at[compartment].as_str().unwrap().to_owned()
    }

    /// A client of a compartment under a caller's certificate.
    pub fn client(&self, compartment: &str, caller: &str) -> Client {
        self.client_with(compartment, &self.dir.join("callers").join(caller))
    }

    /// A client of `keys` as `response` itself.
    pub fn controller(&self) -> Client {
        self.client_with("keys", &self.dir.join("response/tls"))
    }

    /// A client of `keys` as the compartment in front of a domain.
    pub fn front(&self, compartment: &str) -> Client {
        self.client_with("keys", &self.dir.join(compartment).join("tls"))
    }

    fn client_with(&self, compartment: &str, files: &Path) -> Client {
        let identity = Identity::load(&TlsFiles {
            ca: self.dir.join("ca/ca.pem"),
            cert: files.join("cert.pem"),
            key: files.join("key.pem"),
        });
        Client::new(&self.address(compartment), &identity.unwrap())
    }

    /// One compartment alone, answering.
    pub async fn serve(&self, compartment: &str) -> Process {
        let config = self.dir.join(compartment).join(format!("{compartment}.toml"));
        let log =
            fs::File::options().create(true).append(true).open(self.log_file(compartment)).unwrap();
        let mut command = cofferdam([compartment, "serve", "--config", config.to_str().unwrap()]);
        command.stderr(log);
        let mut process = Process::spawn(command);
        let client = self.client(compartment, "operator-1");
        until("the compartment answers", async || {
            if let Some(status) = process.child.try_wait().unwrap() {
                panic!(
                    "{compartment} ended, {status}: {}",
                    fs::read_to_string(self.log_file(compartment)).unwrap()
                );
            }
            client.is_healthy().await
        })
        .await;
        process
    }

    fn log_file(&self, compartment: &str) -> PathBuf {
        self.dir.join(compartment).join(format!("{compartment}.log"))
    }

    /// The four compartments, answering.
    pub async fn serve_all(&self) -> Vec<Process> {
        let mut running = Vec::new();
        for compartment in ["keys", "accounts", "payments", "response"] {
            running.push(self.serve(compartment).await);
        }
        running
    }

    /// Imports customers 0 to `count` through the command; returns what it printed as JSON.
    pub fn import(&self, count: u32) -> serde_json::Value {
        let file = self.dir.join("customers.csv");
        fs::write(&file, customers(0..count)).unwrap();
        let file = file.to_str().unwrap();
        let output = run(["import", "customers", file, "--dir", self.path(), "--json"]);
        assert!(output.status.success(), "{}", said(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// An estate that runs under `up`.
pub struct Up {
    pub process: Process,
    _lines: BufReader<ChildStdout>,
}

impl Up {
    /// Starts it and waits until it says that it is up.
    pub fn start(place: &Place) -> Self {
        let mut command = cofferdam(["up", "--dir", place.path()]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = Process::spawn(command);
        let mut lines = BufReader::new(process.child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains("Ctrl-C stops it") {
            line.clear();
            let read = lines.read_line(&mut line).unwrap();
            assert!(read > 0, "the estate does not come up: {}", rest(&mut process.child));
        }
        Self { process, _lines: lines }
    }
}

/// What a process still says on standard error.
pub fn rest(child: &mut Child) -> String {
    let mut text = String::new();
    let mut stderr = child.stderr.take().unwrap();
    std::io::Read::read_to_string(&mut stderr, &mut text).unwrap();
    text
}

/// The process of an estate's compartment, wherever it was started from.
pub fn pid_of(place: &Place, compartment: &str) -> Option<Pid> {
    let config = format!("{compartment}.toml");
    fs::read_dir("/proc").unwrap().flatten().find_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line);
        let ours = line.contains(place.path()) && line.contains(&config);
        ours.then(|| Pid::from_raw(pid))
    })
}

/// Rows as `import customers` takes them; customer *n* is `person.n@home.example`.
pub fn customers(numbers: std::ops::Range<u32>) -> Vec<u8> {
    let mut out = Vec::new();
    writeln!(
        out,
        "name,email,phone,billing_address,shipping_address,card_last4,country,region,language,\
         minor,password_scheme,password_salt,password_hash"
    )
    .unwrap();
    for n in numbers {
        writeln!(
            out,
            "Person {n},person.{n}@home.example,+1 502 555 01{:02},{n} Main St,{n} Side St,4242,\
             US,KY,en,false,salted_sha1,salt,{n:040x}",
            n % 100
        )
        .unwrap();
    }
    out
}

/// Waits, up to 20 seconds, until something holds.
pub async fn until(what: &str, holds: impl AsyncFnMut() -> bool) {
    within(Duration::from_secs(20), what, holds).await;
}

/// Waits until something holds.
pub async fn within(limit: Duration, what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + limit;
    while !holds().await {
        assert!(Instant::now() < deadline, "{what}: not in {limit:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The problem document that a call must end with.
pub fn problem<T: std::fmt::Debug>(answer: Result<T, CallError>) -> Problem {
    match answer {
        Err(CallError::Problem(problem)) => problem,
        other => panic!("not refused: {other:?}"),
    }
}

/// Records as a list.
pub fn records(numbers: impl Iterator<Item = u32>) -> Vec<Record> {
    numbers.map(Record).collect()
}
