//! Journals, and the acts that they name.

use std::collections::BTreeMap;

use keys_api::WarrantId;
use response_api::{
    AccessLog, ActStage, Audience, BeginAccessLog, FinishTable, IncidentId, JournalAct,
    JournalEntry, LedgerState, LetterId, Notice, People, Span, broken_journal,
};
use response_exposure::Levels;
use response_letter::Told;
use response_mailing::{Holder, Outcome, Recipient};
use response_server::store::{Act, Finding, Store};

use crate::brought::person;
use crate::findings::exposure;
use crate::incidents::declare;
use crate::support::{Tables, act, at, version};

on_both_databases!(
    entries_are_read_as_they_were_written,
    entries_written_at_once_stand_in_one_chain,
    an_act_that_is_not_journalled_is_not_done,
    an_act_on_a_running_letter_that_is_not_journalled_is_not_done,
);

async fn journal_of(store: &Store, incident: u32) -> Vec<JournalEntry> {
    store.read_journal(IncidentId(incident)).await.unwrap()
}

async fn entries_are_read_as_they_were_written(tables: &Tables) {
    let store = &tables.store;
    let stages = [None, Some(ActStage::Intended), Some(ActStage::Done), Some(ActStage::Failed)];
    for stage in stages {
        let act = Act { stage, ..act(1, JournalAct::Freeze, 302) };
        store.journal(&act).await.unwrap();
    }
    store.journal(&act(2, JournalAct::Other("moor the ship".to_owned()), 303)).await.unwrap();
    let journal = journal_of(store, 1).await;
    assert_eq!(broken_journal(&journal), None);
    assert_eq!(journal.iter().map(|entry| entry.stage).collect::<Vec<_>>(), stages);
    let JournalEntry { number, at: when, by, from, action, detail, .. } = &journal[1];
    assert_eq!((*number, *when, by.as_str()), (2, at(302), "operator-1"));
    assert_eq!((from.as_str(), action, detail.as_str()), ("192.0.2.7", &JournalAct::Freeze, "why"));
    let other = journal_of(store, 2).await;
    assert_eq!((other.len(), other[0].action.as_str()), (1, "moor the ship"));
}

async fn entries_written_at_once_stand_in_one_chain(tables: &Tables) {
    let write = |n: u32| {
        let store = tables.store.clone();
        // Twenty acts in one journal, and twenty that belong to no incident.
        let act = Act { detail: format!("act {n}"), ..act(n % 2, JournalAct::Freeze, 302) };
        tokio::spawn(async move { store.journal(&act).await })
    };
    for written in (0..40).map(write).collect::<Vec<_>>() {
        written.await.unwrap().unwrap();
    }
    for incident in [0, 1] {
        let journal = journal_of(&tables.store, incident).await;
        assert_eq!((journal.len(), broken_journal(&journal)), (20, None));
        let mut details: Vec<_> = journal.into_iter().map(|entry| entry.detail).collect();
        details.sort_unstable();
        details.dedup();
        assert_eq!(details.len(), 20, "each act stands there once");
    }
}

/// Checks that a call fails and leaves every table unchanged.
macro_rules! nothing_changes {
    ($tables:expr, $($call:expr),* $(,)?) => {
        let before = $tables.rows().await;
        $(
            assert!($call.await.is_err(), "{}", stringify!($call));
            assert!($tables.rows().await == before, "{} changed a table", stringify!($call));
        )*
    };
}

const LETTER: LetterId = LetterId(1);

/// Every act on the tables is prepared here, so that only its journal can keep it from being done.
async fn an_act_that_is_not_journalled_is_not_done(tables: &Tables) {
    let store = &tables.store;
    let incident = declare(store, People::Table).await;
    let begun = access_log_begun("ab");
    store.begin_access_log(&begun, &act(0, JournalAct::BeginAccessLog, 1)).await.unwrap();
    let begin = act(0, JournalAct::BeginTable, 1);
    let import = store.begin_import("a.csv", None, &begin).await.unwrap().unwrap();
    store.letter_to(IncidentId(1), Audience::Customers, [7; 32]).await.unwrap();
    let row = Recipient { person: 3, told: Told::default(), locale: 0 };
    store.plan(LETTER, 1, &[row], at(1)).await.unwrap();
    let why = act(1, JournalAct::Amend, 400);
    store.keep_version(LETTER, version(1), "{}", &why).await.unwrap();
    store.set_approved(LETTER, version(1), WarrantId([3; 16]), &why).await.unwrap();
    store.pause_provider(LETTER, 3, ("complaints", at(1)), None).await.unwrap();
    tables.break_journal().await;
    let amended = response_api::Incident { title: "another".to_owned(), ..incident.clone() };
    nothing_changes!(
        tables,
        declare_again(store),
        store.amend(&amended, true, &why),
        store.close(&why),
        store.set_exposure(&incident, (&exposure(301), &Levels::default()), &why),
        store.set_finding(Finding::Notice, &Notice { url: "u".into(), sha256: "s".into() }, &why),
        store.begin_import("b.csv", Some("a.csv"), &why),
        store.put_people(&[person(0, None)], import, &why),
        store.finish_table(&FinishTable { import, people: 0, rejected: 1 }, &why),
        store.begin_access_log(&access_log_begun("cd"), &why),
        store.finish_access_log(&access_log("ab"), &why),
        store.remove_access_log("ab", &why),
        store.set_planned(LETTER, &why),
        store.keep_version(LETTER, version(2), "{}", &why),
        store.set_approved(LETTER, version(2), WarrantId([4; 16]), &why),
        store.set_running(LETTER, version(1), &why),
        store.stop(LETTER, "enough", &why),
        store.pause_provider(LETTER, 4, ("bounces", at(2)), Some(&why)),
        store.resume_provider(LETTER, 3, &why),
    );
}

async fn an_act_on_a_running_letter_that_is_not_journalled_is_not_done(tables: &Tables) {
    let store = &tables.store;
    let why = act(1, JournalAct::SettleLetter, 400);
    store.letter_to(IncidentId(1), Audience::Customers, [7; 32]).await.unwrap();
    let row = |person| Recipient { person, told: Told::default(), locale: 0 };
    store.plan(LETTER, 1, &[row(3), row(4)], at(1)).await.unwrap();
    store.set_approved(LETTER, version(1), WarrantId([3; 16]), &why).await.unwrap();
    assert!(store.set_running(LETTER, version(1), &why).await.unwrap());
    let worker = Holder("one".to_owned());
    store.claim(LETTER, &worker, (at(2), at(60)), &[]).await.unwrap().unwrap();
    assert_eq!(store.doubt_batch(LETTER, &worker, 1, ("it died", at(3))).await.unwrap(), 2);
    let accepted = Outcome {
        person: 3,
        state: LedgerState::Accepted,
        provider: 0,
        detail: "4XyZ".to_owned(),
        at: at(4),
    };
    tables.break_journal().await;
    nothing_changes!(
        tables,
        store.pause(LETTER, "staff said so", Some(&why)),
        store.settle(LETTER, (&[accepted], true), at(5), |_| why.clone()),
    );
}

async fn declare_again(store: &Store) -> Result<(), cofferdam_store::StoreError> {
    let call = response_api::DeclareIncident {
        title: "another".to_owned(),
        fallen: vec!["web-1".parse().unwrap()],
        from: at(1),
        to: None,
        found: "by chance".to_owned(),
        people: People::Accounts,
        unlisted: vec![],
    };
    store.declare(&call, |id| act(id.0, JournalAct::Declare, 300)).await.map(drop)
}

pub fn access_log_begun(log: &str) -> BeginAccessLog {
    BeginAccessLog { log: log.into(), name: "a".into(), format: "combined".into() }
}

pub fn access_log(log: &str) -> AccessLog {
    AccessLog {
        log: log.into(),
        name: "a".into(),
        format: "combined".into(),
        covers: Span { from: at(1), to: at(2) },
        accesses: 5,
        everybody: 1,
        unknown: 2,
        unreadable: 3,
        unknown_lines: Vec::new(),
        source: None,
        stated: response_api::LogStatements::default(),
        catalogue: None,
        reads: response_api::LoggedReads::Shown,
        actors: BTreeMap::from([("web-1".parse().unwrap(), 5)]),
    }
}
