//! Planning a letter: a ledger row for every person, in pages, so that it can be interrupted and
//! done again.

use cofferdam_core::{Domain, Field, FieldSet};
use cofferdam_wire::Problem;
use response_api::{Audience, IncidentId, LetterPlan, Level, People, WarrantTerms};

use super::coarse_page;
use crate::app::App;
use crate::domain::scope::{Bitmaps, fields_of};
use crate::roster;
use crate::store::{Letter, PlannedRow};

/// Ledger rows written at once.
const ROWS: usize = 10_000;

/// Plans the letter to an audience, or completes the one that is there.
pub async fn plan(
    app: &App,
    incident: IncidentId,
    audience: Audience,
) -> Result<LetterPlan, Problem> {
    let letter = app.store.letter_to(incident, audience, app.rng.bytes()).await;
    let letter = letter.map_err(|e| Problem::internal(&e))?;
    if !letter.planned {
        match audience {
            Audience::Staff => plan_staff(app, &letter).await?,
            Audience::Customers => plan_customers(app, &letter).await?,
        }
        app.store.set_planned(letter.letter).await.map_err(|e| Problem::internal(&e))?;
    }
    let of = app.incident(incident).await?.people;
    let counts = app.store.counts(letter.letter).await.map_err(|e| Problem::internal(&e))?;
    let people = counts.total();
    let warrant = (audience == Audience::Customers).then(|| WarrantTerms {
        incident: incident.0,
        purpose: format!("letter {} to customers", letter.letter),
        caller: app.name.clone(),
        domain: match of {
            People::Accounts => Domain::Accounts,
            People::Roster => Domain::Response,
        },
        fields: match of {
            People::Accounts => FieldSet::EMPTY.with(Field::Name).with(Field::Email),
            People::Roster => FieldSet::EMPTY.with(Field::RosterName).with(Field::RosterEmail),
        },
        records: u32::try_from(people).unwrap_or(u32::MAX),
    });
    Ok(LetterPlan { letter: letter.letter, people, warrant })
}

async fn plan_staff(app: &App, letter: &Letter) -> Result<(), Problem> {
    let members = roster::load(&app.config.staff_roster).map_err(|e| Problem::internal(&e))?;
    let people = 0..u32::try_from(members.len()).unwrap_or(u32::MAX);
    let rows: Vec<_> =
        people.map(|person| PlannedRow { person, fields: FieldSet::EMPTY }).collect();
    let planned = app.store.plan(letter.letter, &rows, app.now()).await;
    planned.map_err(|e| Problem::internal(&e))
}

async fn plan_customers(app: &App, letter: &Letter) -> Result<(), Problem> {
    let internal = |e: cofferdam_store::StoreError| Problem::internal(&e);
    let read = app.store.bitmaps(letter.incident, Level::Read).await.map_err(internal)?;
    let presented = app.store.bitmaps(letter.incident, Level::Presented).await.map_err(internal)?;
    if app.incident(letter.incident).await?.people == People::Roster {
        return plan_roster(app, letter, &read, &presented).await;
    }
    let mut from = 0;
    while let Some((page, next)) = coarse_page(app, from).await? {
        from = next;
        let rows: Vec<_> = page
            .iter()
            .map(|row| {
                let person = row.record.0;
                let fields = fields_of(&read, person).union(fields_of(&presented, person));
                PlannedRow { person, fields: of_customers(fields) }
            })
            .collect();
        app.store.plan(letter.letter, &rows, app.now()).await.map_err(internal)?;
    }
    Ok(())
}

/// Everybody on the roster.
async fn plan_roster(
    app: &App,
    letter: &Letter,
    read: &Bitmaps,
    presented: &Bitmaps,
) -> Result<(), Problem> {
    let roster = app.roster().await.map_err(|e| Problem::internal(&e))?;
    let mut people = roster.everyone.iter().peekable();
    while people.peek().is_some() {
        let page = people.by_ref().take(ROWS);
        let rows: Vec<_> = page
            .map(|person| {
                let fields = fields_of(read, person).union(fields_of(presented, person));
                PlannedRow { person, fields: of_customers(fields) }
            })
            .collect();
        let planned = app.store.plan(letter.letter, &rows, app.now()).await;
        planned.map_err(|e| Problem::internal(&e))?;
    }
    Ok(())
}

/// Cards have record numbers of their own: what is exposed of card 7 is not customer 7's. A session
/// is no data about anybody, and over by the time a letter comes.
fn of_customers(fields: FieldSet) -> FieldSet {
    let told = |field: &Field| field.domain() == Domain::Accounts && *field != Field::Session;
    fields.iter().filter(told).collect()
}
