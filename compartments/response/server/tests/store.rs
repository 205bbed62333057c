//! One storage suite for both databases.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed step is a failed test")]

use std::collections::BTreeSet;

use cofferdam_core::{Epoch, Field, FieldSet, Record, Timestamp};
use cofferdam_store::Location;
use keys_api::{Alarm, AlarmKind, WarrantId};
use response_api::{
    AccessLog, Audience, BeginAccessLog, DeclareIncident, IncidentId, LedgerState, Notice, Span,
    broken_journal,
};
use response_server::population::{Coarse, Population};
use response_server::staff::Author;
use response_server::store::{Act, Kind, Outcome, PlannedRow, SealedPerson, Store};

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

async fn ledger(store: &Store) {
    let letter = store.letter_to(IncidentId(1), Audience::Customers, [7; 32]).await.unwrap();
    let again = store.letter_to(IncidentId(1), Audience::Customers, [8; 32]).await.unwrap();
    assert_eq!(
        (letter.letter, &letter.seed),
        (again.letter, &again.seed),
        "one letter an audience"
    );
    let staff = store.letter_to(IncidentId(1), Audience::Staff, [9; 32]).await.unwrap();
    assert_ne!(staff.letter, letter.letter);
    let id = letter.letter;
    let fields = FieldSet::EMPTY.with(Field::Email).with(Field::Password);
    let rows: Vec<_> = (0..500).map(|person| PlannedRow { person, fields }).collect();
    for _ in 0..2 {
        store.plan(id, &rows, at(1)).await.unwrap();
    }
    assert_eq!(store.counts(id).await.unwrap().total(), 500, "planned twice is planned once");

    // Four workers at once: everybody is claimed, nobody twice.
    let worker = async || {
        let mut mine = Vec::new();
        loop {
            let claimed = store.claim(id, 30, at(2)).await.unwrap();
            if claimed.is_empty() {
                return mine;
            }
            mine.extend(claimed.into_iter().map(|row| (row.person, row.fields)));
        }
    };
    let (a, b, c, d) = tokio::join!(worker(), worker(), worker(), worker());
    let all = [a, b, c, d].concat();
    assert!(all.iter().all(|(_, claimed)| *claimed == fields));
    assert_eq!(all.len(), 500);
    assert_eq!(all.iter().map(|(person, _)| *person).collect::<BTreeSet<_>>().len(), 500);

    let outcome = |person, state| Outcome { person, state, outcome: Some("250 ok".to_owned()) };
    let accepted: Vec<_> = (0..400).map(|p| outcome(p, LedgerState::Accepted)).collect();
    store.record(id, &accepted, at(3)).await.unwrap();
    store.record(id, &[outcome(499, LedgerState::Planned)], at(4)).await.unwrap();
    assert_eq!(store.doubt_claimed(staff.letter, at(5)).await.unwrap(), 0);
    assert_eq!(store.doubt_claimed(id, at(5)).await.unwrap(), 99);
    let counts = store.counts(id).await.unwrap();
    let of = |state| counts.of(state);
    assert_eq!(
        [of(LedgerState::Accepted), of(LedgerState::InDoubt), of(LedgerState::Planned)],
        [400, 99, 1]
    );
    assert_eq!(counts.total(), 500, "the sum is everybody, always");
    assert!(counts.unsettled());

    let page = store.ledger(id, 398, 3).await.unwrap();
    let page: Vec<_> = page.iter().map(|(person, state, ..)| (*person, *state)).collect();
    assert_eq!(
        page,
        [(398, LedgerState::Accepted), (399, LedgerState::Accepted), (400, LedgerState::InDoubt),]
    );
    store.set_planned(id).await.unwrap();
    store.set_warrant(id, WarrantId([3; 16])).await.unwrap();
    store.set_started(id, at(6)).await.unwrap();
    store.set_started(id, at(7)).await.unwrap();
    let letter = store.letter(id).await.unwrap().unwrap();
    assert_eq!((letter.planned, letter.warrant), (true, Some(WarrantId([3; 16]))));
    assert_eq!((letter.started, letter.finished), (Some(at(6)), None), "the first start counts");
}

/// What was put off waits behind what was not tried.
async fn put_off(store: &Store) {
    let letter = store.letter_to(IncidentId(9), Audience::Customers, [1; 32]).await.unwrap().letter;
    let rows = [1, 2].map(|person| PlannedRow { person, fields: FieldSet::EMPTY });
    store.plan(letter, &rows, at(1)).await.unwrap();
    let first = store.claim(letter, 1, at(2)).await.unwrap()[0].person;
    let off = Outcome { person: first, state: LedgerState::Planned, outcome: None };
    store.record(letter, &[off], at(3)).await.unwrap();
    assert_eq!(store.claim(letter, 1, at(4)).await.unwrap()[0].person, 2);
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
    ledger(&store).await;
    put_off(&store).await;
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
