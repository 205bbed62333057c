//! Letters through a real Postfix while `response` is killed again and again. Nobody is missed, and
//! every customer who may have got a letter is in doubt. Doubts are settled from the relay's own
//! log, and the rest is sent again under the same Message-IDs.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use cofferdam_core::{Rng, SystemRng};
use cofferdam_wire::Client;
use estate::Compartment::{Accounts, Keys, Payments, Response};
use response_api::{
    DeclareIncident, IncidentId, LedgerRow, LedgerState, LetterId, LetterState, LetterStatus,
    People, ReadLedger, ReadLetter, ScopeIncident, StartLetter,
};
use testkit::Postfix;

use crate::support::{Place, Process, stdout, wait_until, wait_within};

/// The number of customers, unless `COFFERDAM_LETTERS` gives another.
const CUSTOMERS: u32 = 3_000;
/// The number of times that `response` is killed, unless `COFFERDAM_KILLS` gives another.
const KILLS: u32 = 20;
/// The span in which `response` is killed at a random instant, after its share of the letters left.
const ALIVE: Duration = Duration::from_millis(400);
/// The longest time that a thousand letters may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Connections of one worker, and so the most letters that are on the wire at once.
const ON_THE_WIRE: u64 = 8;

/// Makes the command that writes to an audience of incident 1. It plans and approves the letter if
/// that has not happened yet.
pub fn sending(place: &Place, audience: &str) -> Command {
    sending_about(place, "1", audience)
}

/// Makes the command that writes to an audience of an incident.
pub fn sending_about(place: &Place, incident: &str, audience: &str) -> Command {
    let planned = place.json(["letters", "plan", "--incident", incident, "--audience", audience]);
    let letter = planned["letter"].to_string();
    let status = place.json(["letters", "show", &letter]);
    if status["version"].is_null() {
        let order = place.file(&format!("letter-{letter}.order"));
        stdout(&place.run(["order", "draft", "letter", &letter, "--out", &order]));
        place.sign_and_apply(&order);
    }
    place.cofferdam(["letters", "start", &letter, "--yes"])
}

/// Writes to an audience of incident 1.
pub fn send(place: &Place, audience: &str) {
    stdout(&sending(place, audience).output().unwrap());
}

async fn status(staff: &Client, letter: LetterId) -> LetterStatus {
    staff.call(&ReadLetter { letter }).await.unwrap()
}

/// Reads the ledger of a letter.
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

/// Counts the arrivals of each Message-ID behind the relay.
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

/// Waits until the relay has handed on everything that it accepted.
async fn wait_until_relayed(postfix: &Postfix, all: u32) {
    let queue = postfix.log.parent().unwrap().with_file_name("queue");
    let empty =
        || ["incoming", "active", "deferred"].iter().all(|of| count_files(&queue.join(of)) == 0);
    wait_within(PATIENCE * (1 + all / 1_000), "the relay's queue is empty", async || empty()).await;
}

/// Counts the files below a directory.
fn count_files(dir: &Path) -> usize {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let of = |entry: fs::DirEntry| {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            count_files(&entry.path())
        } else {
            1
        }
    };
    entries.map(of).sum()
}

/// Declares that a server fell, and scopes the incident.
pub async fn declared(staff: &Client, host: &str) -> IncidentId {
    let declare = DeclareIncident {
        title: format!("{host} fell"),
        fallen: vec![host.parse().unwrap()],
        from: "2012-01-15T00:00:00Z".parse().unwrap(),
        to: None,
        found: "a test".into(),
        people: People::Accounts,
        unlisted: vec![],
    };
    let incident = staff.call(&declare).await.unwrap().incident;
    staff.call(&ScopeIncident { incident, from_log: false }).await.unwrap();
    incident
}

/// Reads a number that the environment may set.
fn set_by(name: &str, otherwise: u32) -> u32 {
    std::env::var(name).map_or(otherwise, |n| n.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_missed_or_written_to_twice_however_often_response_dies() {
    let kills = set_by("COFFERDAM_KILLS", KILLS);
    let customers = set_by("COFFERDAM_LETTERS", CUSTOMERS);
    let place = Place::with_estate().await;
    let postfix = Postfix::start(&place.dir);
    place.set_letters(postfix.address, |_| {});
    let mut running = Vec::new();
    for compartment in [Keys, Accounts, Payments] {
        running.push(place.serve(compartment).await);
    }
    // A customer is rejected if a decoy has the same address by chance.
    let imported = place.import(customers)["created"].as_u64().unwrap();
    assert!(imported + 100 > u64::from(customers), "{imported}");
    let staff = place.staff();
    let mut response = place.spawn(Response, "response");
    wait_until("response answers", async || staff.is_healthy().await).await;
    declared(&staff, "web-ky-1").await;
    send(&place, "staff");
    wait_until_relayed(&postfix, 10).await;
    let to_staff = arrived(&postfix).len();
    let letter = LetterId(2);
    let mut sending = sending(&place, "customers");
    let mut sending = sending.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let moves = async || {
        let now = staff.call(&ReadLetter { letter }).await;
        now.is_ok_and(|status| status.state == LetterState::Running)
    };
    wait_within(PATIENCE * (1 + customers / 10_000), "letters to customers begin", moves).await;

    let everybody = status(&staff, letter).await.total();
    assert!(everybody >= imported);
    for kill in 0..kills {
        // The kills are spread over the whole run.
        let share = everybody * 9 / 10 * u64::from(kill) / u64::from(kills);
        let sent = async || {
            let status = status(&staff, letter).await;
            status.total() - status.open() >= share
        };
        wait_within(PATIENCE * (1 + customers / 10_000), "letters go out", sent).await;
        response = kill_and_start_again(&place, response, &staff).await;
        let status = status(&staff, letter).await;
        assert_eq!(status.total(), everybody, "{kill}");
        assert!(status.of(LedgerState::InDoubt) <= u64::from(kill + 1) * ON_THE_WIRE, "{status:?}");
    }
    let _ = sending.kill();
    sending.wait().unwrap();
    let before = status(&staff, letter).await.of(LedgerState::Accepted);
    wait_until_finished(&staff, letter, customers).await;
    wait_until_relayed(&postfix, customers).await;

    let (all, came) = (rows(&staff, letter).await, arrived(&postfix));
    assert_eq!(all.len() as u64, everybody);
    check_arrivals(&all, &came);
    let doubts = all.iter().filter(|row| row.state == LedgerState::InDoubt).count();
    eprintln!("{kills} kills, the last after {before} letters; {doubts} in doubt");
    settle_from_log(&place, &postfix);
    let came = send_the_rest(&staff, letter, &postfix, customers).await;
    assert_eq!((came.len() - to_staff) as u64, imported, "somebody was missed");
    response.kill();
}

/// Kills `response` at a random instant, and starts it again.
async fn kill_and_start_again(place: &Place, mut response: Process, staff: &Client) -> Process {
    let [random] = (&SystemRng as &dyn Rng).bytes::<1>();
    tokio::time::sleep(ALIVE * u32::from(random) / 255).await;
    response.kill();
    let response = place.spawn(Response, "response");
    wait_until("response answers again", async || staff.is_healthy().await).await;
    response
}

/// Checks what arrived against the ledger.
fn check_arrivals(rows: &[LedgerRow], came: &BTreeMap<String, u64>) {
    for row in rows {
        let times = came.get(&row.message_id).copied().unwrap_or(0);
        match row.state {
            LedgerState::Accepted => assert_eq!(times, 1, "{row:?}"),
            LedgerState::InDoubt => assert!(times <= 1, "{row:?}"),
            LedgerState::Suppressed => assert_eq!(times, 0, "{row:?}"),
            _ => panic!("a row has no outcome: {row:?}"),
        }
    }
}

/// Waits until a letter ends.
async fn wait_until_finished(staff: &Client, letter: LetterId, customers: u32) {
    let ended = async || status(staff, letter).await.state == LetterState::Finished;
    wait_within(PATIENCE * (1 + customers / 1_000), "the letter ends", ended).await;
}

/// Settles doubts from the relay's log. The log is whole, so a letter that it does not name is
/// planned again.
fn settle_from_log(place: &Place, postfix: &Postfix) {
    let log = postfix.log.to_str().unwrap();
    let settled = place.run(["letters", "settle", "2", "--complete", "--yes", "--log", log]);
    eprintln!("{}", stdout(&settled));
}

/// Sends the rows that settling planned again. Returns everything that arrived: one letter for each
/// person.
async fn send_the_rest(
    staff: &Client,
    letter: LetterId,
    postfix: &Postfix,
    customers: u32,
) -> BTreeMap<String, u64> {
    let after = status(staff, letter).await;
    assert_eq!(after.of(LedgerState::InDoubt), 0);
    if after.of(LedgerState::Planned) > 0 {
        staff.call(&StartLetter { letter, before_staff: None }).await.unwrap();
        wait_until_finished(staff, letter, customers).await;
        wait_until_relayed(postfix, customers).await;
    }
    let came = arrived(postfix);
    assert!(came.values().all(|times| *times == 1), "somebody was written to twice");
    came
}
