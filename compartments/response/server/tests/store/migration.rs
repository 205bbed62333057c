//! Databases of version 0.1 open, and all their contents are read.

use std::path::{Path, PathBuf};
use std::process::Command;

use cofferdam_core::{CallerName, Field, Record, Sha256, Timestamp};
use cofferdam_store::Location;
use response_api::{
    Audience, DoubtCause, Exposure, IncidentId, JournalAct, LedgerState, LetterId, LetterState,
    Level, Notice, People, Voided, broken_journal,
};
use response_exposure::page_of;
use response_letter::{Version, Writer};
use response_mailing::Holder;
use response_server::store::{Finding, Store};
use roaring::RoaringBitmap;
use sqlx::migrate::Migrator;
use sqlx::{AnyConnection, AnyPool, Connection as _};

use crate::support::{act, at};

/// The archive of an estate that version 0.1 made.
const ESTATE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/fixtures/estate-0.1.tar.gz");

/// A worker that version 0.1 presumed dead.
const SILENT: &str = "0123456789abcdef";

/// Letter 3 is planned and was never sent.
const UNSENT: LetterId = LetterId(3);

/// Puts three rows of letter 3 in doubt, as version 0.1 did. Only the first sentence says that
/// silence is the only reason.
const DOUBTS: [&str; 5] = [
    "UPDATE ledger SET state = 3, tried_ms = 1,
         outcome = 'its worker 0123456789abcdef is heard of no more'
     WHERE letter = 3 AND person = 4",
    "UPDATE ledger SET state = 3, tried_ms = 1, outcome = 'the connection broke'
     WHERE letter = 3 AND person = 5",
    "UPDATE ledger SET state = 3, tried_ms = 1, outcome = 'its worker is heard of no more'
     WHERE letter = 3 AND person = 6",
    "UPDATE ledger_count SET people = people - 3 WHERE letter = 3 AND state = 0",
    "INSERT INTO ledger_count (letter, state, people) VALUES (3, 3, 3)",
];

/// The database of the estate, unpacked.
fn unpack(dir: &Path) -> PathBuf {
    let unpacked = Command::new("tar")
        .args(["-xzf", ESTATE, "-C"])
        .arg(dir)
        .args(["./response/response.db", "./response/response.db-wal"])
        .status();
    assert!(unpacked.unwrap().success(), "the fixture can't be unpacked");
    dir.join("response/response.db")
}

async fn opened(dir: &Path) -> Store {
    Store::open(&Location::Sqlite(unpack(dir))).await.unwrap()
}

async fn letter_counts(store: &Store, id: LetterId) -> Vec<(LedgerState, u64)> {
    let counts = store.counts(id).await.unwrap();
    assert_eq!(counts, store.recount(id).await.unwrap());
    let states = LedgerState::ALL.into_iter().map(|state| (state, counts.of(state)));
    states.filter(|(_, rows)| *rows > 0).collect()
}

#[tokio::test]
async fn incidents_and_journals_of_version_0_1_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let store = opened(dir.path()).await;
    let incidents = store.incidents().await.unwrap();
    let seen: Vec<_> =
        incidents.iter().map(|of| (of.incident.0, of.people, of.title.as_str())).collect();
    let expected = [
        (3, People::Accounts, "one more"),
        (2, People::Table, "the old shop"),
        (1, People::Accounts, "web-ky-1 reads customers without cause"),
    ];
    assert_eq!(seen, expected);
    assert!(incidents.iter().all(|incident| incident.closed.is_none()));
    assert_eq!(incidents[2].fallen, ["web-ky-1".parse().unwrap()]);

    let mut all = 0;
    for incident in [0, 1, 2, 3] {
        let mut journal = store.read_journal(IncidentId(incident)).await.unwrap();
        assert_eq!(broken_journal(&journal), None, "incident {incident}");
        all += journal.len();
        let unknown = journal.iter().filter(|e| matches!(e.action, JournalAct::Other(_))).count();
        assert_eq!(unknown, 0, "incident {incident}");
        // A new entry continues the chain.
        store.journal(&act(incident, JournalAct::MakeReport, 2_000_000_000)).await.unwrap();
        journal = store.read_journal(IncidentId(incident)).await.unwrap();
        assert_eq!(broken_journal(&journal), None, "incident {incident}");
    }
    assert_eq!(all, 46);
}

#[tokio::test]
async fn letters_of_version_0_1_are_read_to_their_texts() {
    let dir = tempfile::tempdir().unwrap();
    let store = opened(dir.path()).await;
    let letters = store.letters().await.unwrap();
    let seen: Vec<_> =
        letters.iter().map(|of| (of.letter.0, of.audience, of.state, of.planned)).collect();
    let (staff, customers, finished) =
        (Audience::Staff, Audience::Customers, LetterState::Finished);
    let expected = [
        (1, staff, finished, true),
        (2, customers, finished, true),
        (3, customers, LetterState::Planned, true),
    ];
    assert_eq!(seen, expected);
    for letter in &letters[..2] {
        assert!(letter.warrant.is_some() && letter.started.is_some() && letter.finished.is_some());
        let version = letter.version.unwrap();
        let json = store.version(letter.letter, version).await.unwrap().unwrap();
        let writer = Writer::new(Version::parse(&json, version).unwrap()).unwrap();
        let variant = writer.version().variants[0].clone();
        let texts = writer.write(&variant.locale, variant.told).unwrap();
        assert_eq!(writer.faults(&variant.locale, &texts).unwrap(), Vec::<String>::new());
        let locales = store.locales(letter.letter).await.unwrap();
        assert!(locales.contains(&variant.locale));
    }
    let list: Sha256 =
        "428263e3fabc4e6aeb6ff257965cfcf87e14cc488c0a89de0eec5e73f65db55c".parse().unwrap();
    assert_eq!(store.staff_list_of(LetterId(1), Sha256([0; 32])).await.unwrap(), list);
    assert_ne!(store.letter_key([0; 32]).await.unwrap(), [0; 32], "codes stay good");
    assert_eq!(store.provider_number("others").await.unwrap(), 1);
}

#[tokio::test]
async fn ledgers_of_version_0_1_are_read_and_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let store = opened(dir.path()).await;
    let (accepted, suppressed) = (LedgerState::Accepted, LedgerState::Suppressed);
    assert_eq!(letter_counts(&store, LetterId(1)).await, [(accepted, 10)]);
    let customers = [(accepted, 120), (suppressed, 20)];
    assert_eq!(letter_counts(&store, LetterId(2)).await, customers);
    assert_eq!(letter_counts(&store, UNSENT).await, [(LedgerState::Planned, 20)]);
    let rows = store.ledger_rows(LetterId(2), Some(suppressed), 0, 1_000).await.unwrap();
    assert!(rows.iter().all(|row| row.detail == "nobody to write to: a decoy, or no address"));
    let worker = Holder("one".to_owned());
    let (now, until) = (at(2_000_000_000), at(2_000_000_060));
    let batch = store.claim(UNSENT, &worker, (now, until), &[]).await.unwrap().unwrap();
    assert_eq!(batch.recipients.len(), 20);
    assert!(batch.recipients.iter().all(|of| !of.told.while_signed_in), "nobody asked then");
}

#[tokio::test]
async fn exposures_of_version_0_1_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let store = opened(dir.path()).await;
    let exposure = async |incident| {
        let found = store.finding::<Exposure>(IncidentId(incident), Finding::Exposure).await;
        found.unwrap().unwrap()
    };
    let first = exposure(1).await;
    assert_eq!((first.people.read, first.people.presented, first.customers), (63, 1, 140));
    let levels = store.levels(IncidentId(1)).await.unwrap();
    assert_eq!(levels.count_people(&RoaringBitmap::new()), first.people);
    assert_eq!(levels.count_fields(|_| RoaringBitmap::new()), first.fields);
    assert_eq!((levels.while_signed_in.len(), first.while_signed_in), (0, 0));
    let second = exposure(2).await;
    assert_eq!((second.doubts.len(), second.access_logs.len()), (3, 1));
    assert!(second.doubts.iter().all(|doubt| doubt.cause == DoubtCause::Uncoded));
    assert!(second.doubts[0].what.starts_with("no access log tells what happened"));
    assert!(second.doubts[0].counts_as_read && !second.doubts[2].counts_as_read);

    let (number, low) = page_of(levels.at(Level::Read)[&Field::Name].min().unwrap());
    let pages = store.pages(IncidentId(1), number).await.unwrap();
    assert!(pages.iter().flat_map(|page| page.slots_of(low)).count() > 0);
    let pages = store.finding::<Timestamp>(IncidentId(1), Finding::Pages).await.unwrap();
    assert_eq!(pages, Some(first.computed));
    let frozen = store.finding::<Vec<CallerName>>(IncidentId(1), Finding::Frozen).await.unwrap();
    assert_eq!(frozen, Some(vec!["web-ky-1".parse().unwrap()]));
    let voided = store.finding::<Voided>(IncidentId(1), Finding::Voided).await.unwrap().unwrap();
    assert_eq!((voided.order, voided.customers, voided.sessions), (1, 140, 13));
    assert!(store.finding::<Notice>(IncidentId(1), Finding::Notice).await.unwrap().is_some());
}

#[tokio::test]
async fn people_and_alarms_of_version_0_1_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let store = opened(dir.path()).await;
    let (customers, last) = store.customers().await.unwrap().unwrap();
    assert_eq!((customers.everyone.len(), last), (140, 1));
    assert_eq!(store.brought().await.unwrap().everyone.len(), 20);
    assert_eq!(store.next_brought_record().await.unwrap(), 20);
    let people = store.people(&[Record(0)]).await.unwrap();
    assert_eq!(people[0].key, "1");
    assert!(people[0].name.is_some() && people[0].email_index.is_some());
    assert_eq!(store.access_logs().await.unwrap()[0].name, "02-json-agg-star.csv");
    let alarms = store.alarms(0, Timestamp::MIN).await.unwrap();
    let kinds: Vec<_> = alarms.iter().map(|alarm| alarm.kind.as_str()).collect();
    assert_eq!(kinds, ["decoy", "budget", "refused_grant"]);
    assert_eq!(store.newest_alarm().await.unwrap(), 6);
}

/// A worker that version 0.1 presumed dead can still tell which letters it never sent.
async fn a_silent_worker_is_known(store: &Store) {
    let (planned, doubted) = (LedgerState::Planned, LedgerState::InDoubt);
    assert_eq!(letter_counts(store, UNSENT).await, [(planned, 17), (doubted, 3)]);
    let now = at(2_000_000_000);
    let other = Holder("fedcba9876543210".to_owned());
    assert_eq!(store.replan_unsent(UNSENT, &other, now).await.unwrap(), 0);
    let silent = Holder(SILENT.to_owned());
    assert_eq!(store.replan_unsent(UNSENT, &silent, now).await.unwrap(), 1);
    let rows = store.ledger_rows(UNSENT, None, 4, 3).await.unwrap();
    let rows: Vec<_> = rows.iter().map(|row| (row.state, row.detail.as_str())).collect();
    let broken = (doubted, "the connection broke");
    assert_eq!(rows, [(planned, ""), broken, (doubted, "its worker is heard of no more")]);
}

#[tokio::test]
async fn a_silent_worker_of_version_0_1_is_known_on_sqlite() {
    let dir = tempfile::tempdir().unwrap();
    let file = unpack(dir.path());
    sqlx::any::install_default_drivers();
    let url = format!("sqlite://{}", file.display());
    let mut connection = AnyConnection::connect(&url).await.unwrap();
    for statement in DOUBTS {
        sqlx::query(statement).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
    a_silent_worker_is_known(&Store::open(&Location::Sqlite(file)).await.unwrap()).await;
}

/// The tables of version 0.1 on PostgreSQL, with rows that the renaming changes.
#[tokio::test]
async fn a_database_of_version_0_1_on_postgres_opens() {
    const ROWS: [&str; 9] = [
        "INSERT INTO incident VALUES
             (1, 'the old shop', '10-0-0-5', 0, NULL, 'by hand', 0, 'operator-1', 'roster')",
        "INSERT INTO letter (letter, incident, audience, seed, planned, roster)
             VALUES (3, 1, 'customers', 'x', 1, NULL)",
        "INSERT INTO ledger SELECT 0, 0, 3, n, 1, 0, 0, 0, 0, '' FROM generate_series(0, 19) n",
        "INSERT INTO ledger_batch VALUES (3, 1, 0, 19, 0, 0, 0, '', 0)",
        "INSERT INTO ledger_count VALUES (3, 0, 20)",
        "INSERT INTO roster_person VALUES
             (0, '1', NULL, 0, NULL, NULL, NULL, NULL, NULL, 'en', 0, 1)",
        "INSERT INTO roster_population VALUES ('everyone', decode('3a30000000000000', 'hex'))",
        "INSERT INTO feed VALUES (1, 4, 'decoy', 'web-ky-1', 0, 0, 1, 'x')",
        "INSERT INTO journal VALUES (1, 1, 0, 'operator-1', '127.0.0.1', 'roster.import', 'x',
             '0000000000000000000000000000000000000000000000000000000000000000')",
    ];
    let database = testkit::postgres::Database::create().await;
    sqlx::any::install_default_drivers();
    let pool = AnyPool::connect(&database.url()).await.unwrap();
    migrations_of_version_0_1().await.run(&pool).await.unwrap();
    for statement in ROWS.into_iter().chain(DOUBTS) {
        sqlx::query(statement).execute(&pool).await.unwrap();
    }
    pool.close().await;
    let store = Store::open(&database.location()).await.unwrap();
    assert_eq!(store.incidents().await.unwrap()[0].people, People::Table);
    assert_eq!(store.next_brought_record().await.unwrap(), 1);
    assert_eq!(store.brought().await.unwrap().everyone.len(), 0);
    let unfinished = store.unfinished_imports().await.unwrap();
    assert_eq!(unfinished, [String::new()].into(), "its rejects are unknown");
    assert_eq!(store.newest_alarm().await.unwrap(), 4);
    let journal = store.read_journal(IncidentId(1)).await.unwrap();
    assert_eq!((broken_journal(&journal), journal[0].stage), (None, None));
    assert_eq!(journal[0].action, JournalAct::ImportTable);
    let list = Sha256([7; 32]);
    assert_eq!(store.staff_list_of(UNSENT, list).await.unwrap(), list);
    a_silent_worker_is_known(&store).await;
}

/// The six migrations that version 0.1 had.
async fn migrations_of_version_0_1() -> Migrator {
    let all = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/postgres");
    let dir = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(all).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if name.as_str() < "0007" {
            std::fs::copy(entry.path(), dir.path().join(name)).unwrap();
        }
    }
    Migrator::new(dir.path()).await.unwrap()
}
