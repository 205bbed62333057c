//! Importing people into the brought table.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cofferdam_core::{BroughtPerson, Domain, Record};
use cofferdam_wire::Problem;
use response_api::{
    Audience, BeginTable, FinishTable, ImportTable, IncidentId, JournalAct, LetterState, MAX_PAGE,
    People, TABLE_IMPORT_OVER, TABLE_IN_USE, TABLE_INCOMPLETE, TableCounts, TableImportId,
    TablePage,
};

use crate::app::App;
use crate::staff::Author;

/// The longest key, in bytes.
const MAX_KEY: usize = 200;
/// The longest name of a source, in bytes.
const MAX_SOURCE: usize = 500;

/// Begins an import from a source, in the place of the one before and of another source that it may
/// replace.
pub async fn begin(app: &App, call: &BeginTable, by: &Author) -> Result<TableImportId, Problem> {
    let BeginTable { source, replaces } = call;
    for name in [source].into_iter().chain(replaces) {
        if !(1..=MAX_SOURCE).contains(&name.len()) {
            return Err(Problem::bad_request(format!("a source takes 1 to {MAX_SOURCE} bytes")));
        }
    }
    let other = replaces.as_ref().filter(|other| *other != source);
    let detail = other.map_or(source.clone(), |other| format!("{source}, in the place of {other}"));
    let act = app.act(IncidentId::NONE, by, JournalAct::BeginTable, detail);
    let begun = app.store.begin_import(source, other.map(String::as_str), &act).await?;
    let none = || Problem::not_found("no import came from the source that is to be replaced");
    begun.ok_or_else(none)
}

/// Imports a page of people: all of it, or nothing. Of people with the same key in one import, the
/// first is taken: the others may be other people, so the caller counts them as rejects.
pub async fn import(app: &App, call: ImportTable, by: &Author) -> Result<TablePage, Problem> {
    let ImportTable { import, people } = call;
    check_page(&people)?;
    check_not_in_use(app).await?;
    let mut unused = app.people.import.lock().await;
    open_import(app, import).await?;
    let keys: Vec<&str> = people.iter().map(|person| person.key.as_str()).collect();
    let known = app.store.people_by_key(&keys).await?;
    let next = app.store.next_brought_record().await?;
    let first = unused.filter(|unused| *unused >= next);
    let first = first.unwrap_or_else(|| next.max(app.state.numbers_given()));
    let mut next = first;
    let mut numbered = BTreeMap::new();
    let mut page = TablePage::default();
    for (place, person) in (0..).zip(people) {
        let record = match known.get(&person.key) {
            Some(known) if known.import == import.0 => {
                page.repeated.push(place);
                continue;
            }
            Some(known) => {
                page.updated += 1;
                known.record
            }
            None => {
                page.created += 1;
                next += 1;
                next - 1
            }
        };
        numbered.insert(Record(record), person);
    }
    if numbered.is_empty() {
        return Ok(page);
    }
    app.state.note_numbers(next);
    // If `keys` refuses the page, the next one takes its numbers: `keys` lets only so many be passed over.
    *unused = Some(first);
    let contacts = &app.people.brought_contacts;
    app.store.note_address_key(contacts.address_key()).await?;
    let sealed = contacts.seal(&numbered).await?;
    let detail = format!("{} people added, {} changed", page.created, page.updated);
    let act = app.act(IncidentId::NONE, by, JournalAct::ImportTable, detail);
    app.store.put_people(&sealed, import, &act).await?;
    *unused = None;
    Ok(page)
}

/// Finishes an import, and counts the people of the table. Scopes and letters use these counts from
/// now on.
pub async fn finish(app: &App, call: &FinishTable, by: &Author) -> Result<TableCounts, Problem> {
    let source = open_import(app, call.import).await?;
    let stored = app.store.people_of_import(call.import).await?;
    if stored != call.people {
        let what = format!("{} people were brought, and the table has {stored}", call.people);
        return Err(Problem::new(TABLE_INCOMPLETE, what));
    }
    let detail = format!(
        "the table was counted; of {source}, {} people were taken and {} rows were not",
        call.people, call.rejected
    );
    let act = app.act(IncidentId::NONE, by, JournalAct::FinishTable, detail);
    let population = Arc::new(app.store.finish_table(call, &act).await?);
    app.people.set_brought(population.clone()).await;
    counts(app).await
}

/// The people of the table, counted.
pub async fn counts(app: &App) -> Result<TableCounts, Problem> {
    let population = app.brought().await?;
    let jurisdictions = population.count_jurisdictions(&population.everyone);
    let not_taken = app.store.rows_not_taken().await?;
    let unfinished = app.store.unfinished_imports().await?;
    Ok(TableCounts { people: population.everyone.len(), jurisdictions, not_taken, unfinished })
}

/// The source of an import that is open.
async fn open_import(app: &App, import: TableImportId) -> Result<String, Problem> {
    let source = app.store.open_import(import).await?;
    let what = "it was not begun, or is finished, or its source was begun anew";
    source.ok_or_else(|| Problem::new(TABLE_IMPORT_OVER, what))
}

fn check_page(people: &[BroughtPerson]) -> Result<(), Problem> {
    if !(1..=MAX_PAGE).contains(&people.len()) {
        return Err(Problem::bad_request(format!("a page takes 1 to {MAX_PAGE} people")));
    }
    let mut keys = BTreeSet::new();
    for (place, person) in people.iter().enumerate() {
        let bad = |what: &str| Problem::bad_request(format!("people[{place}]: {what}"));
        if person.key.is_empty() || person.key.len() > MAX_KEY || person.key.contains('@') {
            return Err(bad("a key takes 1 to 200 bytes, and is no e-mail address"));
        }
        if !keys.insert(person.key.as_str()) {
            return Err(bad("its key is on the page already"));
        }
        if person.holds.iter().any(|field| field.domain() != Domain::Accounts) {
            return Err(bad("`holds` takes fields of customers only"));
        }
    }
    Ok(())
}

/// Refuses changes while a letter to the table is approved and not over: two people approved it for
/// the people as they are.
async fn check_not_in_use(app: &App) -> Result<(), Problem> {
    for letter in app.store.letters().await? {
        let is_over = matches!(letter.state, LetterState::Finished | LetterState::Stopped);
        if letter.warrant.is_some()
            && !is_over
            && letter.audience == Audience::Customers
            && app.incident(letter.incident).await?.people == People::Table
        {
            let what = format!("letter {} to people of the table is approved", letter.letter);
            return Err(Problem::new(TABLE_IN_USE, what));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use cofferdam_core::{Field, FieldSet, Personal};

    use super::*;

    fn person(key: &str) -> BroughtPerson {
        BroughtPerson {
            key: key.into(),
            name: Personal::new("Ada"),
            email: Personal::new(""),
            address: None,
            country: None,
            region: None,
            language: "en".parse().unwrap(),
            minor: false,
            holds: FieldSet::EMPTY.with(Field::Name),
        }
    }

    #[test]
    fn a_page_that_is_not_sound_is_refused_with_the_place() {
        assert!(check_page(&[person("1"), person("2")]).is_ok());
        let card = BroughtPerson { holds: FieldSet::EMPTY.with(Field::CardNumber), ..person("2") };
        for (page, place) in [
            (vec![], "1 to"),
            (vec![person("1"), person("")], "people[1]"),
            (vec![person("a@b.example")], "people[0]"),
            (vec![person(&"x".repeat(201))], "people[0]"),
            (vec![person("1"), person("2"), person("1")], "people[2]"),
            (vec![person("1"), card], "people[1]"),
        ] {
            let refused = check_page(&page).unwrap_err();
            assert!(refused.detail.contains(place), "{}", refused.detail);
        }
    }
}
