//! One storage suite for both databases.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed step is a failed test")]

mod ledger;

use cofferdam_core::{Epoch, Field, FieldSet, Record, Timestamp};
use cofferdam_store::Location;
use keys_api::{Alarm, AlarmKind};
use response_api::{
    AccessLog, BeginAccessLog, DeclareIncident, IncidentId, Notice, Span, broken_journal,
};
use response_server::population::{Coarse, Population};
use response_server::staff::Author;
use response_server::store::{Act, Kind, SealedPerson, Store};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

async fn incidents(store: &Store) {
    let call = DeclareIncident {
        title: "one".to_owned(),
        fallen: vec!["web-ky-1".parse().unwrap(), "web-ky-2".parse().unwrap()],
        from: at(100),
        to: Some(at(200)),
        found: "by chance".to_owned(),
        people: response_api::People::Accounts,
    };
    let by = Author { name: "operator-1".parse().unwrap(), from: "192.0.2.7".to_owned() };
    let first = store.declare(&call, at(300), &by).await.unwrap();
    let second = store.declare(&call, at(301), &by).await.unwrap();
    assert_eq!((first.incident, second.incident), (IncidentId(1), IncidentId(2)));
    assert_eq!(first.fallen, call.fallen);
    assert_eq!(store.incident(IncidentId(1)).await.unwrap(), Some(first.clone()));
    assert_eq!(store.incident(IncidentId(3)).await.unwrap(), None);
    assert_eq!(store.incidents().await.unwrap(), [second, first]);
    let act = |detail| Act { at: at(302), by: &by, action: "scope", detail };
    store.journal(IncidentId(1), &act("x")).await.unwrap();
    // Many at once stand in one chain.
    let (many, other): (Vec<_>, _) = ((0..20).map(|n| n.to_string()).collect(), act("y"));
    let acts: Vec<_> = many.iter().map(|detail| act(detail)).collect();
    let mut written: Vec<_> =
        acts.iter().map(|act| Box::pin(store.journal(IncidentId(2), act))).collect();
    for pair in written.chunks_mut(2) {
        let [one, two] = pair else { panic!("an even number") };
        let (one, two, three) = tokio::join!(one, two, store.journal(IncidentId(1), &other));
        one.and(two).and(three).unwrap();
    }
    let both = store.read_journal(IncidentId(2)).await.unwrap();
    assert_eq!((both.len(), broken_journal(&both)), (21, None));
    let journal = store.read_journal(IncidentId(1)).await.unwrap();
    assert_eq!(broken_journal(&journal), None);
    let journal = &journal[..2];
    let acts: Vec<_> = journal.iter().map(|e| e.action.as_str()).collect();
    assert_eq!(acts, ["declare", "scope"]);
}

async fn feed(store: &Store) {
    let alarm = |seq, count| Alarm {
        seq,
        first: at(10),
        last: at(10 + i64::try_from(count).unwrap()),
        kind: AlarmKind::Budget,
        caller: Some("web-ky-1".parse().unwrap()),
        count,
        detail: "past its budget".to_owned(),
    };
    store.add_alarms(&[alarm(1, 1)]).await.unwrap();
    store.add_alarms(&[alarm(4, 7)]).await.unwrap();
    assert_eq!(store.newest_alarm().await.unwrap(), 4);
    for _ in 0..2 {
        store.raise("witness_disagreement", "it shrank", at(20)).await.unwrap();
    }
    let feed = store.feed(0, Timestamp::MIN).await.unwrap();
    let seen: Vec<_> = feed.iter().map(|a| (a.kind.as_str(), a.count)).collect();
    assert_eq!(seen, [("budget", 7), ("witness_disagreement", 1)], "repeats are one alarm");
    assert_eq!(store.newest_alarm().await.unwrap(), 4, "our own alarms are not those of keys");
    assert_eq!(store.feed(feed[0].seq, Timestamp::MIN).await.unwrap().len(), 1);
    assert_eq!(store.feed(0, at(19)).await.unwrap().len(), 1);
}

async fn findings(store: &Store) {
    let notice = |sha: &str| Notice { url: "http://x/".to_owned(), sha256: sha.to_owned() };
    let read = || store.finding::<Notice>(IncidentId(1), Kind::Notice);
    assert_eq!(read().await.unwrap(), None);
    for sha in ["a", "b"] {
        store.set_finding(IncidentId(1), Kind::Notice, &notice(sha)).await.unwrap();
        assert_eq!(read().await.unwrap(), Some(notice(sha)));
    }
}

async fn roster(store: &Store) {
    let person = |record: u32, country: Option<&str>| SealedPerson {
        record: Record(record),
        key: format!("c-{record}"),
        email_index: country.map(|_| vec![7; 32]),
        epoch: Epoch(3),
        sealed: [Some(vec![1, 2, 3]), country.map(|_| vec![4]), None],
        coarse: Coarse {
            country: country.map(|code| code.parse().unwrap()),
            region: None,
            language: "de".parse().unwrap(),
            minor: record == 1,
        },
        holds: FieldSet::EMPTY.with(Field::Name),
    };
    assert_eq!(store.roster_end().await.unwrap(), 0);
    let many: Vec<_> = (0..1_200).map(|n| person(n, (n % 2 == 0).then_some("DE"))).collect();
    store.put_people(&many).await.unwrap();
    store.put_people(&[person(1, Some("AT"))]).await.unwrap();
    assert_eq!(store.roster_end().await.unwrap(), 1_200);

    let keys: Vec<_> = (0..2_000).map(|n| format!("c-{n}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let found = store.roster_keys(&keys).await.unwrap();
    assert_eq!((found.len(), found["c-17"]), (1_200, 17));
    let same = store.roster_emails(&[vec![7; 32], vec![8; 32]]).await.unwrap();
    assert_eq!((same.len(), same[&vec![7; 32]].len()), (1, 601), "an address may be several's");
    let two = store.people(&[Record(1), Record(2), Record(9_999)]).await.unwrap();
    assert_eq!((two.len(), two[0].sealed[1].as_deref()), (2, Some(&[4][..])));
    assert_eq!((two[0].epoch, two[0].coarse.minor), (Epoch(3), true));

    assert_eq!(store.roster().await.unwrap(), Population::default(), "not finished");
    let counted = store.count_roster().await.unwrap();
    assert_eq!(counted.everyone.len(), 1_200);
    assert_eq!(
        (counted.jurisdictions["AT"].len(), counted.jurisdictions["unknown"].len()),
        (1, 599)
    );
    assert_eq!(store.roster().await.unwrap(), counted);

    let by = Author { name: "operator-1".parse().unwrap(), from: "192.0.2.7".to_owned() };
    let begin = BeginAccessLog { log: "ab".into(), name: "a".into(), format: "combined".into() };
    assert!(!store.begin_access_log(&begin, at(1), &by).await.unwrap());
    assert_eq!(store.access_logs().await.unwrap(), [], "it is not whole");
    let log = AccessLog {
        log: "ab".into(),
        name: "a".into(),
        format: "combined".into(),
        covers: Span { from: at(1), to: at(2) },
        accesses: 5,
        everybody: 1,
        unknown: 2,
        unreadable: 3,
        actors: [("web-1".parse().unwrap(), 5)].into(),
    };
    store.finish_access_log(&log).await.unwrap();
    assert!(store.begin_access_log(&begin, at(3), &by).await.unwrap());
    assert_eq!(store.access_logs().await.unwrap(), [log]);
    assert!(store.remove_access_log("ab").await.unwrap());
    assert!(!store.remove_access_log("ab").await.unwrap());
}

async fn suite(location: Location) {
    let store = Store::open(&location).await.unwrap();
    incidents(&store).await;
    feed(&store).await;
    findings(&store).await;
    ledger::letters(&store).await;
    ledger::ledger(&store).await;
    ledger::workers(&store).await;
    ledger::doubts(&store).await;
    ledger::came_back(&store).await;
    ledger::handed_over(&store).await;
    ledger::put_off(&store).await;
    ledger::given_up(&store).await;
    ledger::variants(&store).await;
    ledger::pauses(&store).await;
    roster(&store).await;
    // A second opening finds the tables as they are.
    let again = Store::open(&location).await.unwrap();
    assert_eq!(again.incidents().await.unwrap().len(), 2);
}

#[tokio::test]
async fn on_sqlite() {
    let dir = tempfile::tempdir().unwrap();
    suite(Location::Sqlite(dir.path().join("response.db"))).await;
}

#[tokio::test]
async fn on_postgres() {
    let database = testkit::postgres::Database::create().await;
    suite(database.location()).await;
}
