//! The brought table, and the access logs that go with it.

use accounts_api::Coarse;
use cofferdam_core::{Epoch, Field, FieldSet, Record};
use response_api::{FinishTable, JournalAct, TableImportId};
use response_exposure::Population;
use response_server::store::{KnownPerson, SealedPerson};

use crate::journal::{access_log, access_log_begun};
use crate::support::{Tables, act, at};

on_both_databases!(
    people_are_found_by_key_by_address_and_by_record,
    people_are_counted_when_the_table_is_finished,
    an_access_log_is_listed_once_it_is_finished,
);

/// A person. Everybody with a country has the same address.
pub fn person(record: u32, country: Option<&str>) -> SealedPerson {
    SealedPerson {
        record: Record(record),
        key: format!("c-{record}"),
        email_index: country.map(|_| vec![7; 32]),
        epoch: Epoch(3),
        name: Some(vec![1, 2, 3]),
        email: country.map(|_| vec![4]),
        address: None,
        coarse: Coarse {
            country: country.map(|code| code.parse().unwrap()),
            region: None,
            language: "de".parse().unwrap(),
            minor: record == 1,
        },
        holds: FieldSet::EMPTY.with(Field::Name),
    }
}

/// Brings 1,200 people. Every second one is in Germany, and person 1 has moved to Austria.
async fn bring(tables: &Tables) {
    let page = act(0, JournalAct::ImportTable, 1);
    let many: Vec<_> = (0..1_200).map(|n| person(n, (n % 2 == 0).then_some("DE"))).collect();
    let import = begin(tables, "a.csv").await;
    tables.store.put_people(&many, import, &page).await.unwrap();
    let import = begin(tables, "b.csv").await;
    tables.store.put_people(&[person(1, Some("AT"))], import, &page).await.unwrap();
}

async fn begin(tables: &Tables, source: &str) -> TableImportId {
    let begin = act(0, JournalAct::BeginTable, 1);
    tables.store.begin_import(source, None, &begin).await.unwrap().unwrap()
}

async fn people_are_found_by_key_by_address_and_by_record(tables: &Tables) {
    let store = &tables.store;
    assert_eq!(store.next_brought_record().await.unwrap(), 0);
    bring(tables).await;
    assert_eq!(store.next_brought_record().await.unwrap(), 1_200);
    let keys: Vec<_> = (0..2_000).map(|n| format!("c-{n}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let found = store.people_by_key(&keys).await.unwrap();
    assert_eq!((found.len(), found["c-17"]), (1_200, KnownPerson { record: 17, import: 1 }));
    assert_eq!(found["c-1"], KnownPerson { record: 1, import: 2 });
    let same = store.records_by_email(&[vec![7; 32], vec![8; 32]]).await.unwrap();
    assert_eq!((same.len(), same[&vec![7; 32]].len()), (1, 601), "several may share an address");
    let two = store.people(&[Record(1), Record(2), Record(9_999)]).await.unwrap();
    assert_eq!((two.len(), two[0].record, two[0].email.as_deref()), (2, Record(1), Some(&[4][..])));
    assert_eq!((two[0].epoch, two[0].coarse.minor), (Epoch(3), true));
    assert_eq!((two[1].name.as_deref(), &two[1].address), (Some(&[1, 2, 3][..]), &None));
}

async fn people_are_counted_when_the_table_is_finished(tables: &Tables) {
    let store = &tables.store;
    bring(tables).await;
    assert_eq!(store.brought().await.unwrap(), Population::default(), "it is not finished");
    let (import, end) = (TableImportId(2), act(0, JournalAct::FinishTable, 2));
    assert_eq!(store.people_of_import(TableImportId(1)).await.unwrap(), 1_199);
    assert_eq!(store.people_of_import(import).await.unwrap(), 1);
    let finish = FinishTable { import, people: 1, rejected: 7 };
    let counted = store.finish_table(&finish, &end).await.unwrap();
    assert!(store.finish_table(&finish, &end).await.is_err(), "it is finished already");
    assert!(!store.unfinished_imports().await.unwrap().is_empty(), "the first one is open");
    assert_eq!(store.open_import(TableImportId(1)).await.unwrap().as_deref(), Some("a.csv"));
    assert_eq!(store.open_import(import).await.unwrap(), None);
    assert_eq!(store.rows_not_taken().await.unwrap(), [("b.csv".to_owned(), 7)].into());
    assert_eq!(counted.everyone.len(), 1_200);
    let of = |jurisdiction: &str| counted.jurisdictions[jurisdiction].len();
    assert_eq!((of("DE"), of("AT"), of("unknown")), (600, 1, 599));
    assert_eq!(counted.filled[&Field::Name].len(), 1_200);
    assert_eq!(tables.reopen().await.brought().await.unwrap(), counted);
}

async fn an_access_log_is_listed_once_it_is_finished(tables: &Tables) {
    let store = &tables.store;
    let (begun, log) = (access_log_begun("ab"), access_log("ab"));
    let begin = act(0, JournalAct::BeginAccessLog, 1);
    for _ in 0..2 {
        let known = store.begin_access_log(&begun, &begin).await.unwrap();
        assert_eq!((known.name.as_str(), known.format.as_str()), ("a", "combined"));
        assert_eq!(known.finished, None);
    }
    assert_eq!(store.access_logs().await.unwrap(), [], "it is not finished");
    store.finish_access_log(&log, &act(0, JournalAct::FinishAccessLog, 2)).await.unwrap();
    let known = store.begin_access_log(&begun, &act(0, JournalAct::BeginAccessLog, 3)).await;
    assert_eq!(known.unwrap().finished, Some(log.clone()));
    assert_eq!(store.access_logs().await.unwrap(), [log]);
    store.remove_access_log("ab", &act(0, JournalAct::RemoveAccessLog, 4)).await.unwrap();
    assert!(store.access_log("ab").await.unwrap().is_none());
    let journal = store.read_journal(response_api::IncidentId::NONE).await.unwrap();
    let acts: Vec<_> = journal.iter().map(|e| (e.action.as_str(), e.at)).collect();
    let once = [("begin", 1), ("finish", 2), ("remove", 4)];
    let once = once.map(|(act, second)| (format!("access_log.{act}"), at(second)));
    assert_eq!(acts, once.each_ref().map(|(act, at)| (act.as_str(), *at)), "begun once");
}
