//! Letters through a real Postfix while `response` is killed again and again: nobody is missed, and
//! whoever may have got a letter is listed as such; doubts are settled from the relay's own log, and
//! sent again under the Message-IDs that they had.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cofferdam_core::{Rng, SystemRng};
use cofferdam_wire::Client;
use response_api::{
    DeclareIncident, IncidentId, LedgerRow, LedgerState, LetterId, LetterState, LetterStatus,
    ReadLedger, ReadLetter, ScopeIncident, StartLetter,
};
use testkit::Postfix;

use crate::support::{Place, cofferdam, said, until, within};

/// Unless `COFFERDAM_LETTERS` says otherwise.
const CUSTOMERS: u32 = 3_000;
/// How often it is killed, unless `COFFERDAM_KILLS` says otherwise.
const KILLS: u32 = 20;
/// It is killed at a random instant of this span, after its share of the letters went out.
const ALIVE: Duration = Duration::from_millis(400);
/// How long a thousand letters may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Connections of one worker: so many letters are on the wire at once at most.
const ON_THE_WIRE: u64 = 8;

/// Gone with this value, also when a test fails.
struct Response(Child);

impl Response {
    fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Response {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn_response(place: &Place) -> Response {
    let config = place.dir.join("response/response.toml");
    let log = place.dir.join("response/response.log");
    let log = fs::File::options().create(true).append(true).open(log).unwrap();
    let mut command = cofferdam(["response", "serve", "--config", config.to_str().unwrap()]);
    Response(command.stderr(log).spawn().unwrap())
}

/// The two approvers' keys, as arguments.
pub fn approvers(place: &Place) -> Vec<String> {
    let of = |name: &str, end: &str| format!("{name}={}/staff/{name}.{end}", place.path());
    let one = |name| {
        [("--approver", "pem"), ("--passphrase-file", "passphrase")]
            .map(|(option, end)| [option.to_owned(), of(name, end)])
    };
    ["ann", "bob"].into_iter().flat_map(one).flatten().collect()
}

pub fn sending(place: &Place, audience: &str) -> Command {
    let mut command = cofferdam(["incident", "letters", "1", "--audience", audience]);
    command.args(approvers(place)).args(["--dir", place.path()]);
    command
}

pub fn send(place: &Place, audience: &str) {
    let output = sending(place, audience).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

async fn status(staff: &Client, letter: LetterId) -> LetterStatus {
    staff.call(&ReadLetter { letter }).await.unwrap()
}

pub async fn rows(staff: &Client, letter: LetterId) -> Vec<LedgerRow> {
    let (mut rows, mut from) = (Vec::new(), 0);
    loop {
        let call = ReadLedger { letter, from, limit: 10_000, state: None };
        let page = staff.call(&call).await.unwrap();
        let Some(last) = page.last() else { return rows };
        from = last.person + 1;
        rows.extend(page);
    }
}

/// How often each Message-ID arrived behind the relay.
fn arrived(postfix: &Postfix) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    let lines = BufReader::new(fs::File::open(&postfix.arrived).unwrap()).split(b'\n');
    for line in lines.map(Result::unwrap) {
        let line = String::from_utf8_lossy(&line);
        if let Some(id) = line.strip_prefix("Message-ID: <") {
            *counts.entry(id.split('>').next().unwrap().to_owned()).or_default() += 1;
        }
    }
    counts
}

/// Waits until the relay has handed everything on.
async fn relayed(postfix: &Postfix, all: u32) {
    let queue = postfix.log.parent().unwrap().with_file_name("queue");
    let empty = || ["incoming", "active", "deferred"].iter().all(|of| files(&queue.join(of)) == 0);
    within(PATIENCE * (1 + all / 1_000), "the relay's queue is empty", async || empty()).await;
}

/// Files below a directory.
fn files(dir: &Path) -> usize {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let of = |entry: fs::DirEntry| {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) { files(&entry.path()) } else { 1 }
    };
    entries.map(of).sum()
}

/// An incident of a server that fell, scoped.
pub async fn declared(staff: &Client, host: &str) -> IncidentId {
    let declare = DeclareIncident {
        title: format!("{host} fell"),
        fallen: vec![host.parse().unwrap()],
        from: "2012-01-15T00:00:00Z".parse().unwrap(),
        to: None,
        found: "a test".into(),
        people: response_api::People::Accounts,
    };
    let incident = staff.call(&declare).await.unwrap().incident;
    staff.call(&ScopeIncident { incident, from_log: false }).await.unwrap();
    incident
}

/// A number that the environment may set.
fn set_by(name: &str, otherwise: u32) -> u32 {
    std::env::var(name).map_or(otherwise, |n| n.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_missed_or_written_to_twice_however_often_response_dies() {
    let kills = set_by("COFFERDAM_KILLS", KILLS);
    let customers = set_by("COFFERDAM_LETTERS", CUSTOMERS);
    let place = Place::new();
    place.make();
    let postfix = Postfix::start(&place.dir);
    place.set_letters(postfix.address, |_| {});
    let mut running = Vec::new();
    for compartment in ["keys", "accounts", "payments"] {
        running.push(place.serve(compartment).await);
    }
    // One whose address a decoy has by chance is not let in, and told.
    let imported = place.import(customers)["created"].as_u64().unwrap();
    assert!(imported + 100 > u64::from(customers), "{imported}");
    let staff = place.client("response", "operator-1");
    let mut response = spawn_response(&place);
    until("response answers", async || staff.is_healthy().await).await;
    declared(&staff, "web-ky-1").await;
    send(&place, "staff");
    relayed(&postfix, 10).await;
    let told = arrived(&postfix).len();
    let letter = LetterId(2);
    let mut sending = sending(&place, "customers");
    let mut sending = sending.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let moves = async || {
        let now = staff.call(&ReadLetter { letter }).await;
        now.is_ok_and(|status| status.state == LetterState::Running)
    };
    within(PATIENCE * (1 + customers / 10_000), "letters to customers begin", moves).await;

    let everybody = status(&staff, letter).await.total();
    assert!(everybody >= imported);
    for kill in 0..kills {
        // Kills fall into all of the run.
        let share = everybody * 9 / 10 * u64::from(kill) / u64::from(kills);
        let sent = async || {
            let status = status(&staff, letter).await;
            status.total() - status.open() >= share
        };
        within(PATIENCE * (1 + customers / 10_000), "letters go out", sent).await;
        let [random] = (&SystemRng as &dyn Rng).bytes::<1>();
        tokio::time::sleep(ALIVE * u32::from(random) / 255).await;
        response.kill();
        response = spawn_response(&place);
        until("response answers again", async || staff.is_healthy().await).await;
        let status = status(&staff, letter).await;
        assert_eq!(status.total(), everybody, "{kill}");
        assert!(status.of(LedgerState::InDoubt) <= u64::from(kill + 1) * ON_THE_WIRE, "{status:?}");
    }
    let _ = sending.kill();
    sending.wait().unwrap();
    let before = status(&staff, letter).await.of(LedgerState::Accepted);
    finished(&staff, letter, customers).await;
    relayed(&postfix, customers).await;

    let (all, came) = (rows(&staff, letter).await, arrived(&postfix));
    assert_eq!(all.len() as u64, everybody);
    for row in &all {
        let times = came.get(&row.message_id).copied().unwrap_or(0);
        match row.state {
            LedgerState::Accepted => assert_eq!(times, 1, "{row:?}"),
            LedgerState::InDoubt => assert!(times <= 1, "{row:?}"),
            LedgerState::Suppressed => assert_eq!(times, 0, "{row:?}"),
            _ => panic!("not ended: {row:?}"),
        }
    }
    let doubts = all.iter().filter(|row| row.state == LedgerState::InDoubt).count();
    eprintln!("{kills} kills, the last after {before} letters; {doubts} in doubt");
    settle_from_log(&place, &postfix);
    let came = settled(&staff, letter, &postfix, customers).await;
    assert_eq!((came.len() - told) as u64, imported, "somebody was missed");
    response.kill();
}

async fn finished(staff: &Client, letter: LetterId, customers: u32) {
    let ended = async || status(staff, letter).await.state == LetterState::Finished;
    within(PATIENCE * (1 + customers / 1_000), "the letter ends", ended).await;
}

/// What the relay's log names is accepted; it is whole, so the rest is planned again.
fn settle_from_log(place: &Place, postfix: &Postfix) {
    let log = postfix.log.to_str().unwrap();
    let mut settle = cofferdam(["letters", "settle", "2", "--complete", "--log", log]);
    let output = settle.args(["--dir", place.path()]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    eprintln!("{}", String::from_utf8_lossy(&output.stdout));
}

/// Once doubts are settled and the rest is sent, everybody has one letter: all that arrived.
async fn settled(
    staff: &Client,
    letter: LetterId,
    postfix: &Postfix,
    customers: u32,
) -> BTreeMap<String, u64> {
    let after = status(staff, letter).await;
    assert_eq!(after.of(LedgerState::InDoubt), 0);
    if after.of(LedgerState::Planned) > 0 {
        staff.call(&StartLetter { letter, before_staff: None }).await.unwrap();
        finished(staff, letter, customers).await;
        relayed(postfix, customers).await;
    }
    let came = arrived(postfix);
    assert!(came.values().all(|times| *times == 1), "somebody was written to twice");
    came
}
