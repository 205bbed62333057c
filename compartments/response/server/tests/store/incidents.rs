//! Incidents.

use response_api::{DeclareIncident, FallenHost, Incident, IncidentId, JournalAct, People};
use response_server::store::Store;

use crate::support::{Tables, act, at};

on_both_databases!(
    an_incident_is_kept_as_declared,
    incidents_declared_at_once_get_numbers_of_their_own,
    an_amendment_changes_title_hosts_and_window,
    a_closed_incident_is_neither_amended_nor_closed_again,
);

/// An incident about two servers, declared at second 300.
pub async fn declare(store: &Store, people: People) -> Incident {
    let call = DeclareIncident {
        title: "two servers".to_owned(),
        fallen: hosts(&["web-ky-1", "backup-7=accounts_database"]),
        from: at(100),
        to: Some(at(200)),
        found: "by chance".to_owned(),
        people,
        unlisted: vec![],
    };
    store.declare(&call, |id| act(id.0, JournalAct::Declare, 300)).await.unwrap()
}

fn hosts(names: &[&str]) -> Vec<FallenHost> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

async fn an_incident_is_kept_as_declared(tables: &Tables) {
    let store = &tables.store;
    let first = declare(store, People::Accounts).await;
    let second = declare(store, People::Table).await;
    assert_eq!((first.incident, second.incident), (IncidentId(1), IncidentId(2)));
    assert_eq!(first.fallen, hosts(&["web-ky-1", "backup-7=accounts_database"]));
    assert_eq!((first.from, first.to, first.closed), (at(100), Some(at(200)), None));
    assert_eq!((first.declared, first.declared_by.as_str()), (at(300), "operator-1"));
    assert_eq!((first.people, second.people), (People::Accounts, People::Table));
    assert_eq!(store.incident(IncidentId(1)).await.unwrap(), Some(first.clone()));
    assert_eq!(store.incident(IncidentId(3)).await.unwrap(), None);
    assert_eq!(store.incidents().await.unwrap(), [second, first], "the newest comes first");
    assert_eq!(tables.reopen().await.incidents().await.unwrap().len(), 2);
    assert_eq!(store.read_journal(IncidentId(2)).await.unwrap().len(), 1);
}

async fn incidents_declared_at_once_get_numbers_of_their_own(tables: &Tables) {
    let declared = (0..8).map(|_| {
        let store = tables.store.clone();
        tokio::spawn(async move { declare(&store, People::Accounts).await.incident.0 })
    });
    let mut numbers = Vec::new();
    for one in declared.collect::<Vec<_>>() {
        numbers.push(one.await.unwrap());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=8).collect::<Vec<_>>());
}

async fn an_amendment_changes_title_hosts_and_window(tables: &Tables) {
    let store = &tables.store;
    let before = declare(store, People::Accounts).await;
    let after = Incident {
        title: "one server".to_owned(),
        fallen: hosts(&["web-ky-2"]),
        from: at(50),
        to: None,
        ..before.clone()
    };
    assert!(store.amend(&after, false, &act(1, JournalAct::Amend, 310)).await.unwrap());
    assert_eq!(store.incident(before.incident).await.unwrap(), Some(after));
    let journal = store.read_journal(before.incident).await.unwrap();
    assert_eq!(journal.last().unwrap().action, JournalAct::Amend);
}

async fn a_closed_incident_is_neither_amended_nor_closed_again(tables: &Tables) {
    let store = &tables.store;
    let before = declare(store, People::Accounts).await;
    assert!(store.close(&act(1, JournalAct::Close, 400)).await.unwrap());
    let closed = store.incident(before.incident).await.unwrap().unwrap();
    assert_eq!(closed, Incident { closed: Some(at(400)), ..before.clone() });
    assert!(!store.close(&act(1, JournalAct::Close, 500)).await.unwrap());
    let after = Incident { title: "too late".to_owned(), ..before };
    assert!(!store.amend(&after, true, &act(1, JournalAct::Amend, 500)).await.unwrap());
    assert_eq!(store.incident(closed.incident).await.unwrap(), Some(closed));
    let journal = store.read_journal(IncidentId(1)).await.unwrap();
    let acts: Vec<_> = journal.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(acts, ["declare", "close"], "what was not done is not journalled");
}
