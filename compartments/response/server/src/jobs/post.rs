//! Names and postal addresses of those whom a letter did not reach, under a warrant of its own.

use std::collections::HashMap;

use accounts_api::ReadPostalContacts;
use cofferdam_core::{Domain, Field, FieldSet, Personal, Record, WarrantSubject};
use cofferdam_wire::{Problem, ProblemType};
use keys_api::WarrantId;
use response_api::{Audience, People, PostPage, PostPerson, WarrantTerms};

use super::roster::read_postal;
use crate::app::App;
use crate::store::Letter;

/// As many as one call to `accounts` takes.
const PAGE: u32 = 1_000;

/// What two people sign.
pub async fn post_terms(app: &App, letter: &Letter) -> Result<WarrantTerms, Problem> {
    if letter.audience == Audience::Staff {
        let what = "staff are on your own roster; ask them yourself";
        return Err(Problem::new(ProblemType::CONFLICT, what));
    }
    let people = app.incident(letter.incident).await?.people;
    let (domain, fields) = match people {
        People::Accounts => {
            let fields = [Field::Name, Field::BillingAddress, Field::ShippingAddress];
            (Domain::Accounts, fields.into_iter().collect())
        }
        People::Roster => {
            let fields = FieldSet::EMPTY.with(Field::RosterName).with(Field::RosterAddress);
            (Domain::Response, fields)
        }
    };
    let count = app.store.count_undelivered(letter.letter).await;
    let records = count?;
    Ok(WarrantTerms {
        incident: letter.incident.0,
        subject: WarrantSubject::PaperPost { letter: letter.letter.0 },
        caller: app.name.clone(),
        domain,
        fields,
        records,
    })
}

/// Reads a page.
pub async fn post_page(
    app: &App,
    letter: &Letter,
    warrant: WarrantId,
    from: u32,
) -> Result<PostPage, Problem> {
    let rows = app.store.undelivered(letter.letter, from, PAGE).await?;
    let Some(last) = rows.last() else {
        return Ok(PostPage { people: vec![], without: 0, next: None });
    };
    let next = last.person.checked_add(1);
    let locales = app.store.locales(letter.letter).await?;
    let records: Vec<_> = rows.iter().map(|row| Record(row.person)).collect();
    let mut contacts = addresses(app, letter, warrant, records).await?;
    let person = |row: &crate::store::StoredRow| {
        let (name, address) = contacts.remove(&row.person)?;
        let locale = locales.get(usize::from(row.locale));
        let language = locale.map(|of| of.language.clone()).unwrap_or_default();
        Some(PostPerson { person: row.person, language, name, address })
    };
    let people: Vec<_> = rows.iter().filter_map(person).collect();
    let without = u32::try_from(rows.len() - people.len()).unwrap_or(u32::MAX);
    Ok(PostPage { people, without, next })
}

async fn addresses(
    app: &App,
    letter: &Letter,
    warrant: WarrantId,
    records: Vec<Record>,
) -> Result<HashMap<u32, (Personal, Personal)>, Problem> {
    if app.incident(letter.incident).await?.people == People::Roster {
        let found = read_postal(app, warrant, &records).await?;
        return Ok(found.into_iter().map(|(record, of)| (record.0, of)).collect());
    }
    let call = ReadPostalContacts { warrant: warrant.to_string(), records };
    let found = app.accounts.call(&call).await.map_err(Problem::from)?;
    Ok(found.into_iter().map(|of| (of.record.0, (of.name, of.address))).collect())
}
