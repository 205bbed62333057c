//! The brought table.

use cofferdam_core::{BroughtPerson, Field, FieldSet, Record};
use cofferdam_wire::ProblemType;
use response_api::{
    Audience, DeclareIncident, DoubtCause, FindPerson, FinishTable, ImportTable, IncidentId, Level,
    People, ReadExposure, ReadTable, ScopeIncident, StopLetter, TABLE_EMPTY, TABLE_IN_USE,
};
use roaring::RoaringBitmap;

use crate::bench::{Bench, declare, person};

fn import(keys: &[&str]) -> ImportTable {
    ImportTable { people: keys.iter().map(|key| person(key)).collect() }
}

#[tokio::test]
async fn a_person_is_known_by_a_key_that_names_nobody() {
    let bench = Bench::start_alone().await;
    let card = BroughtPerson { holds: FieldSet::EMPTY.with(Field::CardNumber), ..person("1") };
    for bad in [
        import(&[]),
        import(&[""]),
        import(&["ada@post.example"]),
        import(&["1", "1"]),
        ImportTable { people: vec![card] },
    ] {
        bench.refused(bad, ProblemType::BAD_REQUEST).await;
    }
    assert_eq!(bench.journal(IncidentId::NONE).await, []);
    let page = bench.done(import(&["1", "2"])).await;
    assert_eq!((page.created, page.updated), (2, 0));
    let page = bench.done(import(&["2", "3"])).await;
    assert_eq!((page.created, page.updated), (1, 1));
    let find = |key: &str| FindPerson { key: key.to_owned() };
    assert_eq!(bench.done(find("3")).await, Some(Record(2)));
    assert_eq!(bench.done(find("4")).await, None);
}

#[tokio::test]
async fn a_table_counts_once_it_is_finished() {
    let bench = Bench::start_alone().await;
    bench.done(import(&["1", "2"])).await;
    assert_eq!(bench.done(ReadTable {}).await.people, 0);
    let counts = bench.done(FinishTable {}).await;
    assert_eq!((counts.people, counts.jurisdictions["unknown"]), (2, 2));
    assert_eq!(bench.done(ReadTable {}).await, counts);
    let entries = bench.journal(IncidentId::NONE).await;
    let acts: Vec<_> = entries.iter().map(|e| (e.action.as_str(), e.detail.as_str())).collect();
    let finished = ("table.finish", "the table was counted");
    assert_eq!(acts, [("roster.import", "2 people added, 0 changed"), finished]);
}

#[tokio::test]
async fn an_incident_about_a_table_needs_one() {
    let bench = Bench::start_alone().await;
    let declared = bench.done(DeclareIncident { people: People::Table, ..declare() }).await;
    let scope = ScopeIncident { incident: declared.incident, from_log: false };
    bench.refused(scope.clone(), TABLE_EMPTY).await;
    bench.done(import(&["1"])).await;
    bench.refused(scope.clone(), TABLE_EMPTY).await;
    bench.done(FinishTable {}).await;
    bench.done(import(&["2"])).await;
    // No access log was brought, so every field that the shop holds counts as read.
    let exposure = bench.done(scope).await;
    assert_eq!((exposure.customers, exposure.people.read, exposure.assumed), (1, 1, 1));
    let causes: Vec<_> = exposure.doubts.iter().map(|doubt| &doubt.cause).collect();
    assert!(causes.contains(&&DoubtCause::TableUnfinished), "{causes:?}");
    assert!(causes.iter().any(|cause| matches!(cause, DoubtCause::NotCovered { .. })));
    assert!(causes.iter().any(|cause| matches!(cause, DoubtCause::UnknownHost { .. })));
}

#[tokio::test]
async fn whoever_is_exposed_is_read_as_a_bitmap_and_journalled() {
    let bench = Bench::start_alone().await;
    let incident = bench.scoped_table().await;
    let read = |field| ReadExposure { incident, level: Level::Read, field };
    let bitmap = bench.done(read(Field::Phone)).await.roaring;
    let records = RoaringBitmap::deserialize_from(bitmap.as_slice()).unwrap();
    assert_eq!(records, [0, 1, 2].into_iter().collect());
    let entry = bench.journal(incident).await.pop().unwrap();
    assert_eq!(entry.detail, "who is exposed in phone, read");
    let nobody = bench.done(read(Field::Name)).await.roaring;
    assert!(RoaringBitmap::deserialize_from(nobody.as_slice()).unwrap().is_empty());
    let last = bench.journal(incident).await.pop().unwrap();
    assert_eq!(last.number, entry.number + 1, "that nobody is exposed is told as well");
}

/// Two people approved a letter for the people of the table as they are.
#[tokio::test]
async fn a_table_stays_as_it_is_while_a_letter_to_it_is_approved() {
    let bench = Bench::start().await;
    let incident = bench.scoped_table().await;
    let staff = bench.plan(incident, Audience::Staff).await;
    let letter = bench.plan(incident, Audience::Customers).await;
    bench.approve(staff).await;
    bench.done(import(&["4"])).await;
    bench.approve(letter).await;
    bench.refused(import(&["5"]), TABLE_IN_USE).await;
    bench.done(StopLetter { letter, reason: "it is wrong".parse().unwrap() }).await;
    bench.done(import(&["5"])).await;
}
