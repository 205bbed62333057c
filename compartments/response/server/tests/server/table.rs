//! The brought table.

use cofferdam_core::{BroughtPerson, Field, FieldSet, Personal, Record};
use cofferdam_wire::ProblemType;
use keys_api::ReleaseKeys;
use response_api::{
    Audience, BeginTable, DeclareIncident, DoubtCause, FindPerson, FinishTable, ImportTable,
    IncidentId, Level, People, ReadExposure, ReadTable, ScopeIncident, StopLetter, TABLE_EMPTY,
    TABLE_IMPORT_OVER, TABLE_IN_USE, TABLE_INCOMPLETE, TableImportId,
};
use roaring::RoaringBitmap;

use crate::bench::{Bench, declare, person};

fn import(import: TableImportId, keys: &[&str]) -> ImportTable {
    ImportTable { import, people: keys.iter().map(|key| person(key)).collect() }
}

fn finish(import: TableImportId, people: u64, rejected: u64) -> FinishTable {
    FinishTable { import, people, rejected }
}

async fn begin(bench: &Bench) -> TableImportId {
    bench.done(BeginTable { source: "customers.csv".to_owned(), replaces: None }).await
}

#[tokio::test]
async fn a_person_is_known_by_a_key_that_names_nobody() {
    let bench = Bench::start_alone().await;
    let first = begin(&bench).await;
    let card = BroughtPerson { holds: FieldSet::EMPTY.with(Field::CardNumber), ..person("1") };
    for bad in [
        import(first, &[]),
        import(first, &[""]),
        import(first, &["ada@post.example"]),
        import(first, &["1", "1"]),
        ImportTable { import: first, people: vec![card] },
    ] {
        bench.refused(bad, ProblemType::BAD_REQUEST).await;
    }
    assert_eq!(bench.journal(IncidentId::NONE).await.len(), 1, "only the beginning");
    let page = bench.done(import(first, &["1", "2"])).await;
    assert_eq!((page.created, page.updated), (2, 0));
    let second = begin(&bench).await;
    let page = bench.done(import(second, &["2", "3"])).await;
    assert_eq!((page.created, page.updated), (1, 1));
    let find = |key: &str| FindPerson { key: key.to_owned() };
    assert_eq!(bench.done(find("3")).await, Some(Record(2)));
    assert_eq!(bench.done(find("4")).await, None);
}

/// Else a hundred refused pages would use up all numbers that `keys` lets a compartment pass over.
#[tokio::test]
async fn the_numbers_of_a_page_that_keys_refused_are_taken_by_the_next() {
    let bench = Bench::start().await;
    let import = begin(&bench).await;
    let email = Personal::new("ada@post.example");
    let page = ImportTable { import, people: vec![BroughtPerson { email, ..person("1") }] };
    bench.neighbours.refuse::<ReleaseKeys>("keys", ProblemType::NOT_GRANTED);
    for _ in 0..2 {
        bench.refused(page.clone(), ProblemType::NOT_GRANTED).await;
        let states = bench.neighbours.book().states.clone();
        testkit::until(async || states.told() > 0).await;
    }
    bench.neighbours.relent();
    assert_eq!(bench.done(page).await.created, 1);
    let find = FindPerson { key: "1".to_owned() };
    assert_eq!(bench.done(find).await, Some(Record(0)));
}

#[tokio::test]
async fn a_table_counts_once_it_is_finished() {
    let bench = Bench::start_alone().await;
    let first = begin(&bench).await;
    bench.done(import(first, &["1", "2"])).await;
    assert_eq!(bench.done(ReadTable {}).await.people, 0);
    let counts = bench.done(finish(first, 2, 0)).await;
    assert_eq!((counts.people, counts.jurisdictions["unknown"]), (2, 2));
    assert_eq!(bench.done(ReadTable {}).await, counts);
    let entries = bench.journal(IncidentId::NONE).await;
    let acts: Vec<_> = entries.iter().map(|e| (e.action.as_str(), e.detail.as_str())).collect();
    let finished =
        "the table was counted; of customers.csv, 2 people were taken and 0 rows were not";
    assert_eq!(
        acts,
        [
            ("table.begin", "customers.csv"),
            ("roster.import", "2 people added, 0 changed"),
            ("table.finish", finished)
        ]
    );
}

/// Two rows with one key may be two people.
#[tokio::test]
async fn a_key_that_comes_twice_in_an_import_is_not_taken_twice() {
    let bench = Bench::start_alone().await;
    let first = begin(&bench).await;
    bench.done(import(first, &["1", "2"])).await;
    let page = bench.done(import(first, &["3", "2", "1"])).await;
    assert_eq!((page.created, page.updated, page.repeated), (1, 0, vec![1, 2]));
    let page = bench.done(import(first, &["3"])).await;
    assert_eq!((page.created, page.updated, page.repeated), (0, 0, vec![0]));
    assert_eq!(bench.done(finish(first, 3, 3)).await.people, 3);
}

#[tokio::test]
async fn an_import_that_lacks_people_or_is_over_is_not_finished() {
    let bench = Bench::start_alone().await;
    for source in [String::new(), "x".repeat(501)] {
        bench.refused(BeginTable { source, replaces: None }, ProblemType::BAD_REQUEST).await;
    }
    bench.refused(import(TableImportId(1), &["1"]), TABLE_IMPORT_OVER).await;
    let first = begin(&bench).await;
    bench.done(import(first, &["1", "2"])).await;
    bench.refused(finish(first, 3, 0), TABLE_INCOMPLETE).await;
    let second = begin(&bench).await;
    bench.refused(import(first, &["3"]), TABLE_IMPORT_OVER).await;
    bench.refused(finish(first, 2, 0), TABLE_IMPORT_OVER).await;
    bench.done(finish(second, 0, 0)).await;
    bench.refused(finish(second, 0, 0), TABLE_IMPORT_OVER).await;
}

/// The causes of the doubts about the table in a new scope.
async fn doubts_about_the_table(bench: &Bench) -> Vec<DoubtCause> {
    let declared = bench.done(DeclareIncident { people: People::Table, ..declare() }).await;
    let scope = ScopeIncident { incident: declared.incident, from_log: false };
    let causes = bench.done(scope).await.doubts.into_iter().map(|doubt| doubt.cause);
    let about_table = |cause: &DoubtCause| {
        matches!(cause, DoubtCause::TableUnfinished | DoubtCause::RowsNotTaken { .. })
    };
    causes.filter(about_table).collect()
}

/// A row that could not be taken is a person who may exist.
#[tokio::test]
async fn rows_that_were_not_taken_are_a_doubt_until_their_source_is_brought_whole() {
    let bench = Bench::start_alone().await;
    let not_taken =
        |source: &str, rows| DoubtCause::RowsNotTaken { source: source.to_owned(), rows };
    bench.bring_table("customers.csv", &["1", "2"], 3).await;
    let counts = bench.bring_table("more.csv", &["3"], 2).await;
    let rejected = [("customers.csv".to_owned(), 3), ("more.csv".to_owned(), 2)];
    assert_eq!(counts.not_taken, rejected.into());
    let both = [not_taken("customers.csv", 3), not_taken("more.csv", 2)];
    assert_eq!(doubts_about_the_table(&bench).await, both);

    bench.bring_table("customers.csv", &["1", "2", "4"], 0).await;
    assert_eq!(doubts_about_the_table(&bench).await, [not_taken("more.csv", 2)]);

    bench.done(BeginTable { source: "more.csv".to_owned(), replaces: None }).await;
    let unfinished = [DoubtCause::TableUnfinished, not_taken("more.csv", 2)];
    assert_eq!(doubts_about_the_table(&bench).await, unfinished, "until another one is finished");
}

/// A file that has another name by now is brought again in the place of the one before.
#[tokio::test]
async fn a_source_that_was_renamed_leaves_no_doubt_behind() {
    let bench = Bench::start_alone().await;
    bench.bring_table("old.csv", &["1", "2"], 3).await;
    bench.bring_table("other.csv", &["3"], 1).await;
    bench.done(BeginTable { source: "old.csv".to_owned(), replaces: None }).await;
    let not_taken =
        |source: &str, rows| DoubtCause::RowsNotTaken { source: source.to_owned(), rows };
    let replace = |source: &str, old: &str| BeginTable {
        source: source.to_owned(),
        replaces: Some(old.to_owned()),
    };
    bench.refused(replace("new.csv", "none.csv"), ProblemType::NOT_FOUND).await;
    bench.refused(replace("new.csv", ""), ProblemType::BAD_REQUEST).await;
    let import = bench.done(replace("new.csv", "old.csv")).await;
    let last = bench.journal(IncidentId::NONE).await.pop().unwrap();
    assert_eq!(last.detail, "new.csv, in the place of old.csv");
    let until = [DoubtCause::TableUnfinished, not_taken("new.csv", 3), not_taken("other.csv", 1)];
    assert_eq!(doubts_about_the_table(&bench).await, until);
    let counts = bench.done(ReadTable {}).await;
    assert_eq!(counts.unfinished, ["new.csv".to_owned()].into());

    bench.done(self::import(import, &["1", "2", "4"])).await;
    let counts = bench.done(finish(import, 3, 0)).await;
    assert!(counts.unfinished.is_empty());
    assert_eq!(doubts_about_the_table(&bench).await, [not_taken("other.csv", 1)]);
    // Both have rows that were not taken: they count until the whole is brought.
    let import = bench.done(replace("new.csv", "other.csv")).await;
    bench.done(self::import(import, &["1", "2", "3", "4"])).await;
    bench.done(finish(import, 4, 0)).await;
    assert!(doubts_about_the_table(&bench).await.is_empty());
}

#[tokio::test]
async fn an_incident_about_a_table_needs_one() {
    let bench = Bench::start_alone().await;
    let declared = bench.done(DeclareIncident { people: People::Table, ..declare() }).await;
    let scope = ScopeIncident { incident: declared.incident, from_log: false };
    bench.refused(scope.clone(), TABLE_EMPTY).await;
    let first = begin(&bench).await;
    bench.done(import(first, &["1"])).await;
    bench.refused(scope.clone(), TABLE_EMPTY).await;
    bench.done(finish(first, 1, 0)).await;
    let second = begin(&bench).await;
    bench.done(import(second, &["2"])).await;
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
    let open = begin(&bench).await;
    bench.done(import(open, &["4"])).await;
    bench.approve(letter).await;
    bench.refused(import(open, &["5"]), TABLE_IN_USE).await;
    bench.done(StopLetter { letter, reason: "it is wrong".parse().unwrap() }).await;
    bench.done(import(open, &["5"])).await;
}
