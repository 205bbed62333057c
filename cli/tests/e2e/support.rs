//! Running estates, and talking to them.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use accounts_api::{ReadCustomerNumbers, ReadCustomers};
use cofferdam_core::{CustomerNumber, FieldSet, Record, SystemClock, SystemRng};
use cofferdam_wire::{CallError, Client, Problem};
use estate::{Compartment, Estate, Plan};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use staff::import::COLUMNS;
use tempfile::TempDir;

/// The binary under test, with arguments.
pub fn cofferdam<const N: usize>(args: [&str; N]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cofferdam"));
    command.args(args).stdin(Stdio::null());
    command
}

/// Runs the binary to its end.
pub fn run<const N: usize>(args: [&str; N]) -> Output {
    cofferdam(args).output().unwrap()
}

/// Returns the standard output of a command that must succeed.
pub fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Runs a command with `--json`, which must succeed, and checks its output against the schema in
/// the docs.
pub fn json(mut command: Command) -> Value {
    let arguments: Vec<_> =
        command.get_args().map(|arg| arg.to_str().unwrap().to_owned()).collect();
    let result = serde_json::from_str(&stdout(&command.arg("--json").output().unwrap())).unwrap();
    check_result(&arguments, &result);
    result
}

/// The schemas of results, as they stand in the docs.
static SCHEMAS: LazyLock<Value> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/results.schema.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
});

/// Checks a result against the schema of the command that printed it.
fn check_result(arguments: &[String], result: &Value) {
    let commands = SCHEMAS["properties"].as_object().unwrap();
    let name = (1..=3).rev().find_map(|words| {
        let name = arguments.get(..words)?.join(" ");
        commands.contains_key(&name).then_some(name)
    });
    let name = name.unwrap_or_else(|| panic!("{arguments:?} has no schema"));
    let mut schema = commands[&name].clone();
    schema["$defs"] = SCHEMAS["$defs"].clone();
    let faults: Vec<_> = jsonschema::validator_for(&schema)
        .unwrap()
        .iter_errors(result)
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{name}: {faults:?}");
}

/// Returns the standard error of a command.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Checks that a command failed, and that its message contains `why`.
pub fn assert_refused(output: &Output, why: &str) {
    assert!(!output.status.success(), "the command succeeded");
    assert!(stderr(output).contains(why), "{}", stderr(output));
}

/// A process under test. Dropping it stops the process and waits for its end.
pub struct Process {
    pub child: Child,
}

impl Process {
    pub fn spawn(mut command: Command) -> Self {
        Self { child: command.spawn().unwrap() }
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap());
        // An error means that the process is already gone.
        let _ = kill(pid, signal);
    }

    /// Kills the process and waits for its end.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        self.child.wait().unwrap();
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

/// The directory of an estate, removed with this value.
pub struct Place {
    _dir: TempDir,
    pub dir: PathBuf,
}

impl Place {
    /// Makes an empty place for an estate.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { dir: dir.path().join("estate"), _dir: dir }
    }

    /// Makes a place with an estate that does not run.
    pub async fn with_estate() -> Self {
        let place = Self::new();
        estate::create(&place.dir, &Plan::default(), &SystemClock, &SystemRng).await.unwrap();
        place
    }

    pub fn path(&self) -> &str {
        self.dir.to_str().unwrap()
    }

    /// The path of a file of the estate, as text.
    pub fn file(&self, name: &str) -> String {
        self.dir.join(name).to_str().unwrap().to_owned()
    }

    /// A TOML file of the estate.
    pub fn toml(&self, name: &str) -> toml::Table {
        fs::read_to_string(self.dir.join(name)).unwrap().parse().unwrap()
    }

    /// The binary under test, with arguments, for this estate.
    pub fn cofferdam<const N: usize>(&self, args: [&str; N]) -> Command {
        let mut command = cofferdam(args);
        command.args(["--dir", self.path()]);
        command
    }

    /// Runs a command for this estate to its end.
    pub fn run<const N: usize>(&self, args: [&str; N]) -> Output {
        self.cofferdam(args).output().unwrap()
    }

    /// The JSON that a command prints for this estate.
    pub fn json<const N: usize>(&self, args: [&str; N]) -> Value {
        json(self.cofferdam(args))
    }

    /// Has both approvers sign an order, and carries it out.
    pub fn sign_and_apply(&self, order: &str) {
        self.sign(order);
        stdout(&self.run(["order", "apply", order, "--yes"]));
    }

    /// Has both approvers sign an order.
    pub fn sign(&self, order: &str) {
        let mut sign = self.cofferdam(["order", "sign", order]);
        stdout(&sign.args(self.approvers()).output().unwrap());
    }

    /// The keys of the two approvers, as arguments.
    pub fn approvers(&self) -> Vec<String> {
        let of = |name: &str, end: &str| format!("{name}={}/staff/{name}.{end}", self.path());
        let options = |name| {
            [("--approver", "pem"), ("--passphrase-file", "passphrase")]
                .map(|(option, end)| [option.to_owned(), of(name, end)])
        };
        ["ann", "bob"].into_iter().flat_map(options).flatten().collect()
    }

    /// The key of one approver, as arguments.
    pub fn approver(&self) -> Vec<String> {
        self.approvers().into_iter().take(4).collect()
    }

    /// Changes the configuration of a stopped compartment.
    pub fn configure(&self, compartment: Compartment, change: impl FnOnce(&mut toml::Table)) {
        let name = format!("{compartment}/{compartment}.toml");
        let mut config = self.toml(&name);
        change(&mut config);
        fs::write(self.dir.join(name), config.to_string()).unwrap();
    }

    /// Gives a compartment, which has not run yet, another database.
    pub fn use_database(&self, compartment: Compartment, url: String) {
        self.configure(compartment, |config| config["database"] = url.into());
        stdout(&self.init(compartment));
    }

    /// Makes the halves of a stopped compartment that its configuration names.
    pub fn init(&self, compartment: Compartment) -> Output {
        let config = self.file(&format!("{compartment}/{compartment}.toml"));
        run([compartment.as_str(), "init", "--config", &config])
    }

    /// Sends the letters of a stopped `response` to `relay`, and changes its other settings under
    /// `[letters]`.
    pub fn set_letters(&self, relay: SocketAddr, change: impl FnOnce(&mut toml::Table)) {
        self.configure(Compartment::Response, |config| {
            let letters = config["letters"].as_table_mut().unwrap();
            letters["relays"][0]["address"] = relay.to_string().into();
            change(letters);
        });
    }

    pub fn estate(&self) -> Estate {
        Estate::open(&self.dir).unwrap()
    }

    /// A client of a compartment under a caller's certificate.
    pub fn client(&self, compartment: Compartment, caller: &str) -> Client {
        self.estate().client(compartment, &caller.parse().unwrap()).unwrap()
    }

    /// A client of `response` as staff.
    pub fn staff(&self) -> Client {
        self.client(Compartment::Response, "operator-1")
    }

    /// A client of `keys` under the certificate of another compartment.
    pub fn keys_as(&self, compartment: Compartment) -> Client {
        self.own_client(Compartment::Keys, compartment)
    }

    /// A client of a compartment under the certificate of another one.
    pub fn own_client(&self, of: Compartment, caller: Compartment) -> Client {
        self.estate().own_client(of, caller).unwrap()
    }

    /// The numbers by which app servers know customers, in the order of the records.
    pub async fn numbers(&self, records: Range<u32>) -> Vec<CustomerNumber> {
        let read = ReadCustomerNumbers { records: records.map(Record).collect() };
        let accounts = self.own_client(Compartment::Accounts, Compartment::Response);
        accounts.call(&read).await.unwrap()
    }

    /// A call that reads fields of customers who are not signed in.
    pub async fn read_call(&self, records: Range<u32>, fields: FieldSet) -> ReadCustomers {
        let mut records = self.numbers(records).await;
        records.sort_unstable();
        ReadCustomers { records, fields, session: None }
    }

    /// Starts one compartment, and waits until it answers.
    pub async fn serve(&self, compartment: Compartment) -> Process {
        let mut process = self.spawn(compartment, compartment.as_str());
        let client = self.client(compartment, "operator-1");
        wait_until("the compartment answers", async || {
            if let Some(status) = process.child.try_wait().unwrap() {
                let log = self.dir.join(format!("{compartment}/{compartment}.log"));
                panic!("{compartment} ended, {status}: {}", fs::read_to_string(log).unwrap());
            }
            client.is_healthy().await
        })
        .await;
        process
    }

    /// Starts a compartment from the configuration in `dir`, a directory of the estate. Its log is
    /// appended to the file beside that directory.
    pub fn spawn(&self, compartment: Compartment, dir: &str) -> Process {
        let own = self.dir.join(dir);
        let log = own.join(format!("{compartment}.log"));
        let log = fs::File::options().create(true).append(true).open(log).unwrap();
        let mut command = cofferdam([compartment.as_str(), "serve", "--config"]);
        command.arg(own.join(format!("{compartment}.toml"))).stderr(log);
        Process::spawn(command)
    }

    /// Starts the four compartments, and waits until each answers.
    pub async fn serve_all(&self) -> Vec<Process> {
        let mut running = Vec::new();
        for compartment in Compartment::ALL {
            running.push(self.serve(compartment).await);
        }
        running
    }

    /// Imports customers 0 to `count`, exclusive. Returns the summary.
    pub fn import(&self, count: u32) -> Value {
        self.import_rows(&customers(0..count))
    }

    /// Imports rows of customers. Returns the summary.
    pub fn import_rows(&self, rows: &[u8]) -> Value {
        let file = self.file("customers.csv");
        fs::write(&file, rows).unwrap();
        self.json(["customers", "add", &file])
    }
}

/// An estate that `up` runs.
pub struct Up {
    pub process: Process,
    dir: PathBuf,
    _lines: BufReader<ChildStdout>,
}

/// A failed test shows the last lines of each compartment's log.
impl Drop for Up {
    #[expect(clippy::print_stderr, reason = "a failed test prints what it knows")]
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        for of in Compartment::ALL {
            let log = fs::read_to_string(self.dir.join(format!("{of}/{of}.log")));
            let log = log.unwrap_or_default();
            let lines: Vec<_> = log.lines().rev().take(6).collect();
            for line in lines.iter().rev() {
                eprintln!("{of}: {line}");
            }
        }
    }
}

impl Up {
    /// Starts `up`, and waits until it says that the estate is up.
    pub fn start(place: &Place) -> Self {
        let mut command = place.cofferdam(["up"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = Process::spawn(command);
        let mut lines = BufReader::new(process.child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains("Ctrl-C stops it") {
            line.clear();
            let read = lines.read_line(&mut line).unwrap();
            assert!(read > 0, "the estate does not come up: {}", rest(&mut process.child));
        }
        Self { process, dir: place.dir.clone(), _lines: lines }
    }
}

/// Reads the rest of a process's standard error.
pub fn rest(child: &mut Child) -> String {
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    text
}

/// Finds the process of an estate's compartment, whichever process started it.
pub fn pid_of(place: &Place, compartment: Compartment) -> Option<Pid> {
    let config = format!("{compartment}.toml");
    fs::read_dir("/proc").unwrap().flatten().find_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line);
        let ours = line.contains(place.path()) && line.contains(&config);
        ours.then(|| Pid::from_raw(pid))
    })
}

/// Makes rows as `customers add` takes them. Customer *n* is `person.n@home.example`.
pub fn customers(numbers: Range<u32>) -> Vec<u8> {
    let mut out = Vec::new();
    writeln!(out, "{}", COLUMNS.join(",")).unwrap();
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

/// Waits until a condition holds, and fails after 20 seconds.
pub async fn wait_until(what: &str, holds: impl AsyncFnMut() -> bool) {
    wait_within(Duration::from_secs(20), what, holds).await;
}

/// Waits until a condition holds, and fails after `limit`.
pub async fn wait_within(limit: Duration, what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + limit;
    while !holds().await {
        assert!(Instant::now() < deadline, "{what}: not in {limit:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Returns the problem document that a refused call must end with.
pub fn refusal<T: std::fmt::Debug>(answer: Result<T, CallError>) -> Problem {
    match answer {
        Err(CallError::Problem(problem)) => problem,
        other => panic!("not refused: {other:?}"),
    }
}
