//! Two instances of `response` on one PostgreSQL send one letter. Each claims batches of its own,
//! both obey the commands that staff give to either, and one takes over the batches of the other
//! when it dies.

use std::collections::BTreeMap;
use std::time::Duration;

use cofferdam_wire::Client;
use estate::Compartment::Response;
use response_api::{
    LedgerRow, LedgerState, LetterId, LetterState, LetterStatus, PauseProvider, ReadLetter,
    ResumeProvider,
};
use testkit::postgres::Database;
use testkit::second_instance;

use crate::letters::{declared, rows, send, sending};
use crate::relay::{Envelopes, accepting_relay};
use crate::support::{Place, wait_until, wait_within};

/// More customers than both instances hold at once, so that rows are left when the second one dies.
const CUSTOMERS: u32 = 10_000;
/// The pace of one instance, in letters a second.
const RATE: i64 = 100;
/// Connections to a provider by default, and so the most letters that can be on the wire.
const CONNECTIONS: u64 = 4;
/// The least number of letters that the second instance holds when it dies.
const HELD: u64 = 500;
const LETTER: LetterId = LetterId(2);
/// A wait that is longer than the lease of a silent worker.
const TAKEN_OVER: Duration = Duration::from_secs(200);

async fn status(of: &Client) -> LetterStatus {
    of.call(&ReadLetter { letter: LETTER }).await.unwrap()
}

/// Whether the provider is paused.
fn is_paused(status: &LetterStatus) -> bool {
    status.providers.iter().any(|of| of.provider == "home" && of.paused.is_some())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_instances_share_a_letter_and_one_takes_over_from_the_other() {
    let place = Place::with_estate().await;
    let database = Database::create().await;
    let (at, taken) = accepting_relay().await;
    place.set_letters(at, |letters| {
        let mut provider = toml::toml! {
            name = "home"
            domains = ["home.example"]
        };
        provider.insert("rate".to_owned(), RATE.into());
        letters.insert("providers".to_owned(), toml::Value::Array(vec![provider.into()]));
    });
    place.use_database(Response, database.url());
    let (dir, second) = second_instance(&place.dir, Response);
    let _running = place.serve_all().await;
    place.import(CUSTOMERS);
    let first = place.staff();
    declared(&first, "web-ky-1").await;
    send(&place, "staff");
    let to_staff = taken.lock().unwrap().len();

    let operator = "operator-1".parse().unwrap();
    let second = Client::new(Response, &second, &place.estate().identity(&operator).unwrap());
    let start_second = || place.spawn(Response, &dir);
    let mut process = start_second();
    wait_until("the second answers", async || second.is_healthy().await).await;
    let mut command = sending(&place, "customers").spawn().unwrap();
    let works = async |of: &Client| {
        let now = of.call(&ReadLetter { letter: LETTER }).await;
        now.is_ok_and(|status| status.last_minute > 0)
    };
    wait_until("the first sends", async || works(&first).await).await;
    wait_until("the second sends", async || works(&second).await).await;

    pause_and_resume(&first, &second, &taken).await;

    // A paused provider's letters were put back. Either instance takes them again.
    let holds = async || status(&second).await.providers.iter().any(|of| of.waiting > HELD);
    wait_until("the second holds letters again", holds).await;
    process.kill();
    let ended = async || status(&first).await.state == LetterState::Finished;
    wait_within(TAKEN_OVER, "the first ends the letter", ended).await;
    command.wait().unwrap();
    let doubted = status(&first).await.of(LedgerState::InDoubt);
    assert!(doubted > CONNECTIONS, "the second held nothing: {doubted} in doubt");
    check_arrivals(&rows(&first, LETTER).await, &taken, to_staff);

    // The second instance comes back. Its notes name what was on the wire, and the rest is sent.
    process = start_second();
    wait_until("the second answers again", async || second.is_healthy().await).await;
    wait_within(TAKEN_OVER, "the rest is sent", async || {
        let now = status(&first).await;
        now.state == LetterState::Finished && now.of(LedgerState::InDoubt) <= CONNECTIONS
    })
    .await;
    check_arrivals(&rows(&first, LETTER).await, &taken, to_staff);
    drop(process);
}

/// Staff pause and resume the provider at one instance, and both obey.
async fn pause_and_resume(first: &Client, second: &Client, taken: &Envelopes) {
    let provider = || "home".to_owned();
    second.call(&PauseProvider { letter: LETTER, provider: provider() }).await.unwrap();
    wait_until("both pause", async || {
        is_paused(&status(first).await) && is_paused(&status(second).await)
    })
    .await;
    // Letters on the wire still arrive.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = taken.lock().unwrap().len();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(taken.lock().unwrap().len(), before, "a paused provider gets letters");
    first.call(&ResumeProvider { letter: LETTER, provider: provider() }).await.unwrap();
    wait_until("both go on", async || {
        !is_paused(&status(first).await) && !is_paused(&status(second).await)
    })
    .await;
    wait_until("letters arrive", async || taken.lock().unwrap().len() > before + 20).await;
}

/// Checks that nobody got two letters, and that everybody got one whose row says so.
fn check_arrivals(all: &[LedgerRow], taken: &Envelopes, to_staff: usize) {
    let mut came = BTreeMap::<String, u32>::new();
    for (_, to) in &taken.lock().unwrap()[to_staff..] {
        *came.entry(to.clone()).or_default() += 1;
    }
    assert!(came.values().all(|times| *times == 1), "somebody was written to twice");
    let count = |state| all.iter().filter(|row| row.state == state).count();
    let (accepted, doubted) = (count(LedgerState::Accepted), count(LedgerState::InDoubt));
    assert_eq!(accepted + doubted + count(LedgerState::Suppressed), all.len());
    assert!((accepted..=accepted + doubted).contains(&came.len()), "{accepted} {doubted}");
}
