//! Findings, exposures and the bitmaps of people.

use std::collections::BTreeMap;

use accounts_api::Coarse;
use cofferdam_core::{Field, FieldSet, Record};
use response_api::{
    Exposure, Incident, IncidentId, JournalAct, Level, LevelCounts, Notice, People,
};
use response_exposure::{Levels, Page, Population};
use response_server::store::{Finding, Store};

use crate::incidents::declare;
use crate::support::{Tables, act, at};

on_both_databases!(
    a_finding_takes_the_place_of_the_one_before,
    an_exposure_takes_the_place_of_the_one_before,
    an_amendment_can_void_an_exposure,
    an_exposure_of_other_hosts_or_another_window_is_not_kept,
    customers_are_kept_with_their_last_change,
);

async fn a_finding_takes_the_place_of_the_one_before(tables: &Tables) {
    let store = &tables.store;
    let notice = |sha: &str| Notice { url: "http://x/".to_owned(), sha256: sha.to_owned() };
    let read = || store.finding::<Notice>(IncidentId(1), Finding::Notice);
    assert_eq!(read().await.unwrap(), None);
    for sha in ["a", "b"] {
        let act = act(1, JournalAct::PublishNotice, 1);
        store.set_finding(Finding::Notice, &notice(sha), &act).await.unwrap();
        assert_eq!(read().await.unwrap(), Some(notice(sha)));
    }
    assert_eq!(store.finding::<Notice>(IncidentId(2), Finding::Notice).await.unwrap(), None);
}

pub fn exposure(computed: i64) -> Exposure {
    Exposure {
        incident: IncidentId(1),
        computed: at(computed),
        until: at(200),
        people: LevelCounts { read: 2, reachable: 1, ..LevelCounts::default() },
        assumed: 0,
        while_signed_in: 1,
        fields: BTreeMap::new(),
        brought: BTreeMap::new(),
        jurisdictions: BTreeMap::new(),
        languages: BTreeMap::new(),
        minors: 0,
        undeliverable: 0,
        customers: 3,
        given_up: vec![],
        untouched: vec![],
        logs: vec![],
        access_logs: vec![],
        unresolved: vec![],
        doubts: vec![],
    }
}

fn levels(field: Field) -> Levels {
    let mut levels = Levels::default();
    levels.read.insert(field, [1, 70_000].into_iter().collect());
    levels.reachable.insert(Field::Phone, [2].into_iter().collect());
    levels.while_signed_in.insert(70_000);
    levels
}

/// Keeps an exposure in which a field was read. Returns whether it was kept.
async fn keep(store: &Store, of: &Incident, computed: i64, field: Field) -> bool {
    let scope = act(1, JournalAct::Scope, 310);
    store.set_exposure(of, (&exposure(computed), &levels(field)), &scope).await.unwrap()
}

async fn an_exposure_takes_the_place_of_the_one_before(tables: &Tables) {
    let store = &tables.store;
    let incident = declare(store, People::Accounts).await;
    assert!(keep(store, &incident, 301, Field::Name).await);
    let pages = BTreeMap::from([(0, Page::default())]);
    store.add_pages(IncidentId(1), 0, &pages).await.unwrap();
    store.finish_pages(IncidentId(1), at(301)).await.unwrap();
    assert_eq!(store.pages(IncidentId(1), 0).await.unwrap().len(), 1);
    assert_eq!(store.finding(IncidentId(1), Finding::Pages).await.unwrap(), Some(at(301)));

    assert!(keep(store, &incident, 302, Field::Email).await);
    let kept: Option<Exposure> = store.finding(IncidentId(1), Finding::Exposure).await.unwrap();
    assert_eq!(kept, Some(exposure(302)));
    assert_eq!(store.levels(IncidentId(1)).await.unwrap(), levels(Field::Email));
    let read = store.bitmaps(IncidentId(1), Level::Read).await.unwrap();
    assert_eq!(read.keys().copied().collect::<Vec<_>>(), [Field::Email]);
    assert_eq!(store.pages(IncidentId(1), 0).await.unwrap().len(), 0, "pages of another exposure");
}

async fn an_amendment_can_void_an_exposure(tables: &Tables) {
    let store = &tables.store;
    let incident = declare(store, People::Accounts).await;
    assert!(keep(store, &incident, 301, Field::Name).await);
    let amend = act(1, JournalAct::Amend, 320);
    assert!(store.amend(&incident, false, &amend).await.unwrap());
    assert_eq!(store.levels(IncidentId(1)).await.unwrap(), levels(Field::Name));
    assert!(store.amend(&incident, true, &amend).await.unwrap());
    assert_eq!(store.levels(IncidentId(1)).await.unwrap(), Levels::default());
    let kept: Option<Exposure> = store.finding(IncidentId(1), Finding::Exposure).await.unwrap();
    assert_eq!(kept, None);
}

async fn an_exposure_of_other_hosts_or_another_window_is_not_kept(tables: &Tables) {
    let store = &tables.store;
    let scoped = declare(store, People::Accounts).await;
    let amend = act(1, JournalAct::Amend, 320);
    let title = Incident { title: "another".to_owned(), ..scoped.clone() };
    assert!(store.amend(&title, false, &amend).await.unwrap());
    assert!(keep(store, &scoped, 301, Field::Name).await, "a title is no evidence");
    for amended in [
        Incident { fallen: vec!["web-ky-9".parse().unwrap()], ..scoped.clone() },
        Incident { from: at(99), ..scoped.clone() },
        Incident { to: Some(at(201)), ..scoped.clone() },
        Incident { to: None, ..scoped.clone() },
    ] {
        assert!(store.amend(&amended, true, &amend).await.unwrap());
        assert!(!keep(store, &scoped, 302, Field::Name).await, "{amended:?}");
        assert!(keep(store, &amended, 303, Field::Name).await, "{amended:?}");
    }
    let open = store.incident(IncidentId(1)).await.unwrap().unwrap();
    assert!(store.close(&act(1, JournalAct::Close, 330)).await.unwrap());
    assert!(!keep(store, &open, 304, Field::Name).await, "it is closed");
    let kept: Option<Exposure> = store.finding(IncidentId(1), Finding::Exposure).await.unwrap();
    assert_eq!(kept, Some(exposure(303)));
}

async fn customers_are_kept_with_their_last_change(tables: &Tables) {
    let store = &tables.store;
    assert_eq!(store.customers().await.unwrap(), None);
    let coarse = Coarse {
        country: Some("DE".parse().unwrap()),
        region: None,
        language: "de".parse().unwrap(),
        minor: true,
    };
    let mut customers = Population::default();
    customers.add(Record(70_000), &coarse, FieldSet::EMPTY.with(Field::Phone));
    for last in [7, 9] {
        store.set_customers(&customers, last).await.unwrap();
        assert_eq!(store.customers().await.unwrap(), Some((customers.clone(), last)));
    }
    store.set_customers(&Population::default(), 10).await.unwrap();
    assert_eq!(store.customers().await.unwrap(), Some((Population::default(), 10)));
}
