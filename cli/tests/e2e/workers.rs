//! Two instances of `response` on one PostgreSQL send one letter: each works on batches of its own,
//! what staff say to one both obey, and what one that died was sending is taken over.

use std::fs;
use std::process::{Child, Command};
use std::time::Duration;

use cofferdam_wire::{Client, Identity, TlsFiles};
use response_api::{
    LedgerRow, LedgerState, LetterId, LetterState, LetterStatus, PauseLetter, ReadLetter,
    ResumeProvider,
};
use testkit::free_address;
use testkit::postgres::Database;

use crate::letters::{declared, rows, send, sending};
use crate::relay::{Envelopes, relay};
use crate::support::{Place, cofferdam, until, within};

/// More than both instances take in at once: each still holds some when the second dies.
const CUSTOMERS: u32 = 10_000;
/// Letters a second of one instance.
const RATE: i64 = 100;
/// What a provider gets when nothing else is said: so much can have been on the wire.
const CONNECTIONS: u64 = 4;
/// Letters that the second holds when it dies, at least.
const HELD: u64 = 500;
const LETTER: LetterId = LetterId(2);
/// Past the lease of a worker of which nothing is heard.
const TAKEN_OVER: Duration = Duration::from_secs(150);

/// The second instance: killed with this value.
struct Second(Child);

impl Drop for Second {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Gives the second instance files and an address of its own.
fn prepare_second(place: &Place) -> String {
    let (first, second) = (place.dir.join("response"), place.dir.join("response-2"));
    assert!(Command::new("cp").arg("-a").args([&first, &second]).status().unwrap().success());
    let file = second.join("response.toml");
    let text = fs::read_to_string(&file).unwrap().replace("/response/", "/response-2/");
    let mut config: toml::Table = text.parse().unwrap();
    let listen = free_address().to_string();
    config["listen"] = listen.clone().into();
    config["notice_listen"] = free_address().to_string().into();
    fs::write(&file, config.to_string()).unwrap();
    listen
}

fn start_second(place: &Place) -> Second {
    let config = place.dir.join("response-2/response.toml");
    let log = place.dir.join("response-2/response.log");
    let log = fs::File::options().create(true).append(true).open(log).unwrap();
    let mut command = cofferdam(["response", "serve", "--config", config.to_str().unwrap()]);
    Second(command.stderr(log).spawn().unwrap())
}

fn client(place: &Place, listen: &str) -> Client {
    let files = place.dir.join("callers/operator-1");
    let identity = Identity::load(&TlsFiles {
        ca: place.dir.join("ca/ca.pem"),
        cert: files.join("cert.pem"),
        key: files.join("key.pem"),
    });
    let port = listen.rsplit(':').next().unwrap();
    Client::new(&format!("https://localhost:{port}"), &identity.unwrap())
}

async fn status(of: &Client) -> LetterStatus {
    of.call(&ReadLetter { letter: LETTER }).await.unwrap()
}

fn rests(status: &LetterStatus) -> bool {
    status.providers.iter().any(|of| of.provider == "home" && of.paused.is_some())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_instances_share_a_letter_and_one_takes_over_from_the_other() {
    let place = Place::new();
    place.make();
    let database = Database::create().await;
    let (at, taken) = relay().await;
    place.set_letters(at, |letters| {
        let mut provider = toml::toml! {
            name = "home"
            domains = ["home.example"]
        };
        provider.insert("rate".to_owned(), RATE.into());
        letters.insert("providers".to_owned(), toml::Value::Array(vec![provider.into()]));
    });
    let file = place.dir.join("response/response.toml");
    let mut config: toml::Table = fs::read_to_string(&file).unwrap().parse().unwrap();
    config["database"] = database.url().into();
    fs::write(&file, config.to_string()).unwrap();
    let listen = prepare_second(&place);
    let _running = place.serve_all().await;
    place.import(CUSTOMERS);
    let first = place.client("response", "operator-1");
    declared(&first, "web-ky-1").await;
    send(&place, "staff");
    let told = taken.lock().unwrap().len();

    let second = client(&place, &listen);
    let mut process = start_second(&place);
    until("the second answers", async || second.is_healthy().await).await;
    let mut command = sending(&place, "customers").spawn().unwrap();
    let works = async |of: &Client| {
        let now = of.call(&ReadLetter { letter: LETTER }).await;
        now.is_ok_and(|status| status.last_minute > 0)
    };
    until("the first sends", async || works(&first).await).await;
    until("the second sends", async || works(&second).await).await;

    pause_and_resume(&first, &second, &taken).await;

    // What rested was put back, and is taken anew by whoever looks first.
    let holds = async || status(&second).await.providers.iter().any(|of| of.waiting > HELD);
    until("the second holds letters again", holds).await;
    process.0.kill().unwrap();
    process.0.wait().unwrap();
    let ended = async || status(&first).await.state == LetterState::Finished;
    within(TAKEN_OVER, "the first ends the letter", ended).await;
    command.wait().unwrap();
    let doubted = status(&first).await.of(LedgerState::InDoubt);
    assert!(doubted > CONNECTIONS, "the second held nothing: {doubted} in doubt");
    check(&rows(&first, LETTER).await, &taken, told);

    // It comes back, knows what it never sent, and that goes out.
    process = start_second(&place);
    until("the second answers again", async || second.is_healthy().await).await;
    within(TAKEN_OVER, "the rest is sent", async || {
        let now = status(&first).await;
        now.state == LetterState::Finished && now.of(LedgerState::InDoubt) <= CONNECTIONS
    })
    .await;
    check(&rows(&first, LETTER).await, &taken, told);
    drop(process);
}

/// What one instance is told holds for both.
async fn pause_and_resume(first: &Client, second: &Client, taken: &Envelopes) {
    let provider = || "home".to_owned();
    second.call(&PauseLetter { letter: LETTER, provider: Some(provider()) }).await.unwrap();
    until("both rest", async || rests(&status(first).await) && rests(&status(second).await)).await;
    // What was on the wire arrives.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = taken.lock().unwrap().len();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(taken.lock().unwrap().len(), before, "it rests");
    first.call(&ResumeProvider { letter: LETTER, provider: provider() }).await.unwrap();
    until("both go on", async || !rests(&status(first).await) && !rests(&status(second).await))
        .await;
    until("letters arrive", async || taken.lock().unwrap().len() > before + 20).await;
}

/// Nobody got two; whoever is said to have one has it.
fn check(all: &[LedgerRow], taken: &Envelopes, told: usize) {
    let mut came = std::collections::BTreeMap::<String, u32>::new();
    for (_, to) in &taken.lock().unwrap()[told..] {
        *came.entry(to.clone()).or_default() += 1;
    }
    assert!(came.values().all(|times| *times == 1), "somebody was written to twice");
    let count = |state| all.iter().filter(|row| row.state == state).count();
    let (accepted, doubted) = (count(LedgerState::Accepted), count(LedgerState::InDoubt));
    assert_eq!(accepted + doubted + count(LedgerState::Suppressed), all.len());
    assert!((accepted..=accepted + doubted).contains(&came.len()), "{accepted} {doubted}");
}
