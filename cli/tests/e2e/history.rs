//! History can't be rewritten by one host: root on `response` changes the journal and its chain, and
//! somebody empties the release log on `keys` and `response` both.

use std::path::Path;
use std::time::Duration;
use std::{fs, process};

use cofferdam_core::ListCheckpoints;
use cofferdam_wire::Client;
use estate::Compartment;
use keys_api::ReadCheckpoint;
use response_api::{
    DoubtCause, IncidentId, JournalEntry, ListAlarms, PublishNotice, ReadGrounds, ReadJournal,
    ScopeIncident, journal_hash,
};
use sqlx::Connection as _;

use crate::letters::declared;
use crate::support::{Place, assert_refused, cofferdam, json, run, wait_until, wait_within};

/// The longest time until a loop of `response` has looked again.
const LOOK: Duration = Duration::from_mins(2);

/// Root on `response` writes into the database of the running process.
struct Intruder {
    connection: sqlx::SqliteConnection,
}

impl Intruder {
    async fn on(place: &Place) -> Self {
        let url = format!("sqlite://{}", place.file("response/response.db"));
        Self { connection: sqlx::SqliteConnection::connect(&url).await.unwrap() }
    }

    /// Writes a journal anew, with a chain that is whole.
    async fn rewrite(&mut self, entries: &mut [JournalEntry]) {
        let mut previous = JournalEntry::GENESIS.to_owned();
        for entry in entries {
            entry.previous = previous;
            sqlx::query(
                "UPDATE journal SET detail = $1, previous = $2 WHERE incident = $3 AND number = $4",
            )
            .bind(entry.detail.clone())
            .bind(entry.previous.clone())
            .bind(i64::from(entry.incident.0))
            .bind(i64::from(entry.number))
            .execute(&mut self.connection)
            .await
            .unwrap();
            previous = journal_hash(entry);
        }
    }

    async fn cut_behind(&mut self, incident: IncidentId, number: u32) {
        sqlx::query("DELETE FROM journal WHERE incident = $1 AND number > $2")
            .bind(i64::from(incident.0))
            .bind(i64::from(number))
            .execute(&mut self.connection)
            .await
            .unwrap();
    }
}

/// Exports a bag. Returns its directory and the key of its seal.
fn export(place: &Place, name: &str) -> (String, String) {
    let bag = place.dir.with_extension(name).to_str().unwrap().to_owned();
    let exported = place.json(["evidence", "export", "--incident", "1", "--out", &bag]);
    (bag, exported["key"].as_str().unwrap().to_owned())
}

fn verify(bag: &(String, String)) -> process::Output {
    run(["evidence", "verify", &bag.0, "--key", &bag.1])
}

async fn rings(staff: &Client, what: &str) -> bool {
    let alarms = staff.call(&ListAlarms { after: 0 }).await.unwrap();
    alarms.iter().any(|alarm| alarm.detail.contains(what))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_that_root_rewrote_with_its_chain_fails_in_the_bag_and_rings() {
    let place = Place::with_estate().await;
    let _running = place.serve_all().await;
    place.import(3);
    let staff = place.staff();
    let incident = declared(&staff, "web-ky-1").await;
    let good = export(&place, "good");
    let verified = json(cofferdam(["evidence", "verify", &good.0, "--key", &good.1]));
    assert_eq!(verified["not_anchored"], serde_json::json!([]), "{verified}");
    assert!(!rings(&staff, "is not the one that was anchored").await);

    let mut entries = staff.call(&ReadJournal { incident }).await.unwrap();
    let honest = entries.clone();
    entries[0].detail.push_str(", and nothing else");
    let mut intruder = Intruder::on(&place).await;
    intruder.rewrite(&mut entries).await;
    wait_within(LOOK, "the loop rings", async || {
        rings(&staff, "not the one that was anchored").await
    })
    .await;
    assert_refused(
        &verify(&export(&place, "changed")),
        "is not the one that the release log anchors",
    );
    let exposure = staff.call(&ScopeIncident { incident, from_log: false }).await.unwrap();
    let is_it = |of: &DoubtCause| matches!(of, DoubtCause::JournalRewritten { incident: 1, .. });
    assert!(exposure.doubts.iter().any(|of| is_it(&of.cause)), "{:?}", exposure.doubts);

    // Somebody takes the end away instead, and staff go on.
    intruder.rewrite(&mut honest.clone()).await;
    intruder.cut_behind(incident, 1).await;
    assert_refused(&verify(&export(&place, "cut")), "the release log anchors");
}

const HOSTS: [Compartment; 2] = [Compartment::Keys, Compartment::Response];

/// Copies the directory of a stopped compartment.
fn copy_dir(from: &Path, to: &Path) {
    let copied = process::Command::new("cp").arg("-a").args([from, to]).status().unwrap();
    assert!(copied.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_emptied_on_keys_and_response_shows_at_accounts_and_payments() {
    let place = Place::with_estate().await;
    let own = |of: Compartment| place.dir.join(of.as_str());
    let older = |of: Compartment| place.dir.with_extension(of.as_str());
    let [keys, response] = HOSTS;
    // A backup of both hosts, from a day before the theft.
    let running = place.serve_all().await;
    place.import(3);
    drop(running);
    for of in HOSTS {
        copy_dir(&own(of), &older(of));
    }
    let mut running = place.serve_all().await;
    let staff = place.staff();
    let incident = declared(&staff, "web-ky-1").await;
    for _ in 0..30 {
        staff.call(&ReadGrounds { incident }).await.unwrap();
    }
    let controller = place.own_client(Compartment::Accounts, response);
    let grown = place.own_client(keys, response).call(&ReadCheckpoint { since: 0 }).await.unwrap();
    let size = |note: &str| note.lines().nth(1).unwrap().parse::<u64>().unwrap();
    let grown = size(&grown.note);
    let seen = async || {
        let seen = controller.call(&ListCheckpoints {}).await.unwrap();
        seen.iter().map(|of| of.size).max()
    };
    wait_until("accounts sees the log", async || seen().await >= Some(grown)).await;

    // The intruder on both hosts puts the backup in the place of database, log and copy.
    drop(running.pop());
    drop(running.remove(0));
    for of in HOSTS {
        fs::remove_dir_all(own(of)).unwrap();
        fs::rename(older(of), own(of)).unwrap();
    }
    running.push(place.serve(keys).await);
    running.push(place.serve(response).await);
    for witness in [Compartment::Accounts, Compartment::Payments] {
        let client = place.client(witness, "operator-1");
        wait_until("the witness's health tells it", async || {
            let health = client.health().await;
            health.is_some_and(|(works, text)| works && text.contains("rewritten or emptied"))
        })
        .await;
        assert!(seen().await >= Some(grown), "the higher checkpoint stays");
        let rang = format!("rewritten or emptied: {witness} saw another state");
        wait_within(LOOK, "response rings", async || rings(&staff, &rang).await).await;
    }
    let incident = declared(&staff, "web-ky-1").await;
    let exposure = staff.call(&ScopeIncident { incident, from_log: false }).await.unwrap();
    for witness in ["accounts", "payments"] {
        let doubt = exposure.doubts.iter().find(
            |of| matches!(&of.cause, DoubtCause::LogRewritten { witness: by, .. } if by == witness),
        );
        assert!(doubt.is_some_and(|of| of.counts_as_read), "{:?}", exposure.doubts);
    }
    // The public is told no claim that rests on the log.
    let notice = staff.call(&PublishNotice { incident }).await.unwrap();
    let page = staff.call(&ReadGrounds { incident }).await.unwrap().notice.unwrap();
    assert!(!page.contains("separate machine"), "{}: {page}", notice.url);
}
