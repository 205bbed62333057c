//! Paper post: names and postal addresses of people whom a letter did not reach, under a warrant of
//! its own.

use std::collections::HashMap;

use accounts_api::ReadPostalContacts;
use cofferdam_core::{Domain, Field, FieldSet, Personal, Record, WarrantSubject};
use cofferdam_mail::BounceReason;
use cofferdam_wire::{Problem, ProblemType};
use keys_api::WarrantId;
use response_api::{
    Audience, LedgerState, NotReached, PaperPostPage, PaperPostPerson, People, WarrantTerms,
};
use response_mailing::{Letter, Row};

use crate::app::App;

/// The number of people in a page: `accounts` opens as many in one call.
const PAGE: u32 = 1_000;

/// The terms of the warrant that opens the list.
pub async fn paper_post_terms(app: &App, letter: &Letter) -> Result<WarrantTerms, Problem> {
    if letter.audience == Audience::Staff {
        let what = "the staff list has no postal addresses";
        return Err(Problem::new(ProblemType::CONFLICT, what));
    }
    let (domain, fields) = match app.incident(letter.incident).await?.people {
        People::Accounts => {
            let fields = [Field::Name, Field::BillingAddress, Field::ShippingAddress];
            (Domain::Accounts, fields.into_iter().collect())
        }
        People::Table => {
            (Domain::Response, FieldSet::EMPTY.with(Field::BroughtName).with(Field::BroughtAddress))
        }
    };
    Ok(WarrantTerms {
        incident: letter.incident.0,
        subject: WarrantSubject::PaperPost { letter: letter.letter.0 },
        caller: app.name.clone(),
        domain,
        fields,
        records: app.store.count_undelivered(letter.letter).await?,
    })
}

/// A page of the list, from person `from` on.
pub async fn paper_post_page(
    app: &App,
    letter: &Letter,
    warrant: WarrantId,
    from: u32,
) -> Result<PaperPostPage, Problem> {
    let rows = app.store.undelivered(letter.letter, from, PAGE).await?;
    let Some(last) = rows.last() else {
        return Ok(PaperPostPage { people: vec![], without: 0, next: None });
    };
    let next = last.person.checked_add(1);
    let locales = app.store.locales(letter.letter).await?;
    let records: Vec<_> = rows.iter().map(|row| Record(row.person)).collect();
    let mut addresses = read_addresses(app, letter, warrant, records).await?;
    let person = |row: &Row| {
        let (name, address) = addresses.remove(&row.person)?;
        let locale = locales.get(usize::from(row.locale));
        let language = locale.map(|locale| locale.language.clone()).unwrap_or_default();
        Some(PaperPostPerson { person: row.person, why: why(row), language, name, address })
    };
    let people: Vec<_> = rows.iter().filter_map(person).collect();
    let without = u32::try_from(rows.len() - people.len()).unwrap_or(u32::MAX);
    Ok(PaperPostPage { people, without, next })
}

/// Why no e-mail reached the person of a row. The outcome of a bounce begins with its code.
fn why(row: &Row) -> NotReached {
    match row.state {
        LedgerState::Bounced => match BounceReason::of_reply(&row.detail) {
            BounceReason::NoMailbox => NotReached::NoMailbox,
            BounceReason::Full => NotReached::Full,
            BounceReason::Blocked => NotReached::Blocked,
            BounceReason::Policy => NotReached::Policy,
            BounceReason::Expired => NotReached::Expired,
            BounceReason::Other => NotReached::Other,
        },
        LedgerState::Expired => NotReached::Expired,
        LedgerState::Suppressed => NotReached::NoAddress,
        _ => NotReached::Perhaps,
    }
}

/// Names and postal addresses by record.
async fn read_addresses(
    app: &App,
    letter: &Letter,
    warrant: WarrantId,
    records: Vec<Record>,
) -> Result<HashMap<u32, (Personal, Personal)>, Problem> {
    if app.incident(letter.incident).await?.people == People::Table {
        let found = app.people.brought_contacts.read_postal(warrant, &records).await?;
        return Ok(found.into_iter().map(|(record, contact)| (record.0, contact)).collect());
    }
    let call = ReadPostalContacts { warrant: warrant.to_string(), records };
    let found = app.compartments.accounts.call(&call).await?;
    Ok(found.into_iter().map(|of| (of.record.0, (of.name, of.address))).collect())
}
