//! Importing people into the brought table.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cofferdam_core::{BroughtPerson, Domain, Record};
use cofferdam_wire::Problem;
use response_api::{
    Audience, IncidentId, JournalAct, LetterState, MAX_PAGE, People, TABLE_IN_USE, TableCounts,
    TablePage,
};
use response_exposure::Population;

use crate::app::App;
use crate::staff::Author;

/// The longest key, in bytes.
const MAX_KEY: usize = 200;

/// Imports a page of people: all of it, or nothing.
pub async fn import(
    app: &App,
    people: Vec<BroughtPerson>,
    by: &Author,
) -> Result<TablePage, Problem> {
    check_page(&people)?;
    check_not_in_use(app).await?;
    let _one_at_a_time = app.people.import.lock().await;
    let keys: Vec<&str> = people.iter().map(|person| person.key.as_str()).collect();
    let known = app.store.records_by_key(&keys).await?;
    let next = app.store.next_brought_record().await?;
    let mut next = next.max(app.state.numbers_given());
    let mut numbered = BTreeMap::new();
    let mut page = TablePage::default();
    for person in people {
        let record = if let Some(record) = known.get(&person.key) {
            page.updated += 1;
            *record
        } else {
            page.created += 1;
            next += 1;
            next - 1
        };
        numbered.insert(Record(record), person);
    }
    let contacts = &app.people.brought_contacts;
    app.store.note_address_key(contacts.address_key()).await?;
    let sealed = contacts.seal(&numbered).await?;
    let detail = format!("{} people added, {} changed", page.created, page.updated);
    let act = app.act(IncidentId::NONE, by, JournalAct::ImportTable, detail);
    app.store.put_people(&sealed, &act).await?;
    Ok(page)
}

/// Counts the people of the table. Scopes and letters use these counts from now on.
pub async fn finish(app: &App, by: &Author) -> Result<TableCounts, Problem> {
    let act = app.act(IncidentId::NONE, by, JournalAct::FinishTable, "the table was counted");
    let population = Arc::new(app.store.count_brought(&act).await?);
    app.people.set_brought(population.clone()).await;
    Ok(counts_of(&population))
}

/// The people of the table, counted.
#[must_use]
pub fn counts_of(population: &Population) -> TableCounts {
    let jurisdictions = population.count_jurisdictions(&population.everyone);
    TableCounts { people: population.everyone.len(), jurisdictions }
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
