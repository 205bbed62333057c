//! Planning a letter: a ledger row for every person, in batches, so that it can be interrupted and
//! done again. The newest accounts come first: their addresses are the freshest.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cofferdam_core::{Domain, Field, FieldSet};
use cofferdam_wire::{Problem, ProblemType};
use response_api::{Audience, IncidentId, LetterId, LetterPlan, Level, People};
use roaring::RoaringBitmap;
use tokio::sync::watch;

use crate::app::App;
use crate::domain::letter::{Body, Facts, Writer};
use crate::domain::population::Population;
use crate::domain::scope::fields_of;
use crate::roster;
use crate::store::{Letter, Locale, PlannedRow};

/// Rows of a batch: as many are asked contacts for at once.
const ROWS: usize = 1_000;
/// The jurisdiction of whose residence is unknown.
const UNKNOWN: &str = "unknown";
/// How long a call waits for the end.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Plans the letter to an audience, or goes on with what an earlier attempt left. It goes on whether
/// the caller waits or not; one that is done gives the letter that is there.
pub async fn plan(
    app: &Arc<App>,
    incident: IncidentId,
    audience: Audience,
) -> Result<LetterPlan, Problem> {
    let letter = app.store.letter_to(incident, audience, app.rng.bytes()).await;
    let letter = letter?;
    let (id, planned) = (letter.letter, letter.planned);
    if !planned {
        match ended(under_way(app, letter).await).await {
            None => return progress(app, id, false).await,
            Some(ended) => {
                app.planning.lock().await.remove(&id);
                ended?;
            }
        }
    }
    progress(app, id, true).await
}

/// How planning ended, if it does soon.
async fn ended(mut work: Planning) -> Option<Result<(), Problem>> {
    let fault = || Problem::new(ProblemType::INTERNAL, "planning ended by a fault");
    match tokio::time::timeout(ANSWER_WITHIN, work.wait_for(Option::is_some)).await {
        Err(_) => None,
        Ok(Err(_)) => Some(Err(fault())),
        Ok(Ok(ended)) => ended.clone(),
    }
}

async fn progress(app: &App, letter: LetterId, planned: bool) -> Result<LetterPlan, Problem> {
    let counts = app.store.counts(letter).await?;
    Ok(LetterPlan { letter, people: counts.total(), planned })
}

/// What became of a plan, once that is known.
pub type Planning = watch::Receiver<Option<Result<(), Problem>>>;

/// The work on a letter that is being planned, begun where there is none.
async fn under_way(app: &Arc<App>, letter: Letter) -> watch::Receiver<Option<Result<(), Problem>>> {
    let begin = || {
        let (told, work) = watch::channel(None);
        let (app, letter) = (app.clone(), letter.clone());
        tokio::spawn(async move {
            let ended = plan_all(&app, &letter).await;
            told.send_replace(Some(ended));
        });
        work
    };
    app.planning.lock().await.entry(letter.letter).or_insert_with(begin).clone()
}

async fn plan_all(app: &App, letter: &Letter) -> Result<(), Problem> {
    match letter.audience {
        Audience::Staff => plan_staff(app, letter).await?,
        Audience::Customers => plan_customers(app, letter).await?,
    }
    app.store.set_planned(letter.letter).await.map_err(|e| Problem::internal(&e))
}

async fn plan_staff(app: &App, letter: &Letter) -> Result<(), Problem> {
    let (members, hash) = roster::load(&app.config.staff_roster)?;
    if app.store.letter_roster(letter.letter, &hash).await? != hash {
        let detail = "the staff roster was changed while the letter was planned; put it back";
        return Err(Problem::new(ProblemType::CONFLICT, detail));
    }
    let writer = writer(app, letter).await?;
    let locale =
        |of: &roster::Member| writer.locale(&of.language, "").map_err(|e| Problem::internal(&e));
    let locales = members.iter().map(locale).collect::<Result<Vec<_>, _>>()?;
    let numbers = numbers(app, letter, &locales).await?;
    let there = app.store.planned_people(letter.letter).await?;
    let rows = (0_u32..).zip(&locales).map(|(person, locale)| PlannedRow {
        person,
        fields: FieldSet::EMPTY,
        locale: numbers.get(locale).copied().unwrap_or(0),
    });
    write(app, letter, rows.filter(|row| !there.contains(row.person))).await
}

async fn plan_customers(app: &App, letter: &Letter) -> Result<(), Problem> {
    let read = app.store.bitmaps(letter.incident, Level::Read).await?;
    let presented = app.store.bitmaps(letter.incident, Level::Presented).await?;
    let incident = app.incident(letter.incident).await?;
    let writer = writer(app, letter).await?;
    let population = match incident.people {
        People::Roster => app.roster().await?,
        People::Accounts => super::customers::customers(app).await?,
    };
    let of = by_locale(&population, &writer)?;
    let numbers = numbers(app, letter, of.iter().map(|(locale, _)| locale)).await?;
    let number = |person| {
        let found = of.iter().find(|(_, people)| people.contains(person));
        found.and_then(|(locale, _)| numbers.get(locale)).copied().unwrap_or(0)
    };
    let row = |person| PlannedRow {
        person,
        fields: told(fields_of(&read, person).union(fields_of(&presented, person))),
        locale: number(person),
    };
    let there = app.store.planned_people(letter.letter).await?;
    let missing = &population.everyone - there;
    write(app, letter, missing.iter().rev().map(row)).await
}

/// Who is written to in which language for which place, the largest group first.
fn by_locale(
    population: &Population,
    writer: &Writer,
) -> Result<Vec<(Locale, RoaringBitmap)>, Problem> {
    let mut groups: BTreeMap<Locale, RoaringBitmap> = BTreeMap::new();
    for (language, speakers) in &population.languages {
        for (jurisdiction, residents) in &population.jurisdictions {
            let people = speakers & residents;
            if !people.is_empty() {
                let place = if jurisdiction == UNKNOWN { "" } else { jurisdiction };
                let locale = writer.locale(language, place);
                *groups.entry(locale.map_err(|e| Problem::internal(&e))?).or_default() |= people;
            }
        }
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, people)| std::cmp::Reverse(people.len()));
    Ok(groups)
}

/// The numbers of locales in a letter: those that an earlier attempt gave stay.
async fn numbers(
    app: &App,
    letter: &Letter,
    wanted: impl IntoIterator<Item = &Locale>,
) -> Result<BTreeMap<Locale, u16>, Problem> {
    let mut all = app.store.locales(letter.letter).await?;
    for locale in wanted {
        if !all.contains(locale) {
            all.push(locale.clone());
        }
    }
    app.store.set_locales(letter.letter, &all).await?;
    // As they stand now: another instance may have been first.
    let all = app.store.locales(letter.letter).await?;
    let numbered = (0_u16..).zip(all).map(|(number, locale)| (locale, number));
    Ok(numbered.collect())
}

/// Writes rows that are not there yet, in batches.
async fn write(
    app: &App,
    letter: &Letter,
    mut rows: impl Iterator<Item = PlannedRow>,
) -> Result<(), Problem> {
    let last = app.store.last_planned_batch(letter.letter).await?;
    for batch in last + 1.. {
        let some: Vec<_> = rows.by_ref().take(ROWS).collect();
        if some.is_empty() {
            break;
        }
        app.store.plan(letter.letter, batch, &some, app.now()).await?;
    }
    Ok(())
}

/// Knows languages and places; its facts do not matter yet.
async fn writer(app: &App, letter: &Letter) -> Result<Writer, Problem> {
    let incident = app.incident(letter.incident).await?;
    let exposure = app.exposure(letter.incident).await?;
    let done = app.done(&incident).await?;
    let facts = Facts::new(&app.config.shop, &incident, &exposure, done, app.now());
    let body = Body {
        audience: letter.audience,
        facts,
        files: app.mail.files.clone(),
        domains: Vec::new(),
        variants: Vec::new(),
    };
    Writer::new(body).map_err(|e| Problem::internal(&e))
}

/// Cards have record numbers of their own: what is exposed of card 7 is not customer 7's. A session
/// is no data about anybody, and over by the time a letter comes.
fn told(fields: FieldSet) -> FieldSet {
    let told = |field: &Field| field.domain() == Domain::Accounts && *field != Field::Session;
    fields.iter().filter(told).collect()
}
