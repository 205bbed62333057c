//! Planning a letter: a ledger row for every person, in batches, so that it can be interrupted and
//! resumed. The newest accounts come first, because their addresses are the freshest.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cofferdam_core::FieldSet;
use cofferdam_wire::{Problem, ProblemType};
use response_api::{
    Audience, IncidentId, JournalAct, LETTER_PLANNED, LetterPlan, Level, People, STAFF_LIST_CHANGED,
};
use response_exposure::{Population, fields_of, is_told};
use response_letter::{Current, Facts, Locale, Told, Version, Writer};
use response_mailing::{Letter, Recipient};
use roaring::RoaringBitmap;
use tokio::sync::watch;

use crate::acts::exposed_people::exposed_people;
use crate::app::App;
use crate::loops::current_customers;
use crate::mailroom::{Member, load_staff_list};
use crate::staff::Author;

/// The number of rows in a batch: the contacts of as many people are read at once.
const ROWS_PER_BATCH: usize = 1_000;
/// The jurisdiction of people whose residence is unknown.
const UNKNOWN: &str = "unknown";
/// The time for which a call waits for planning to end.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// The result of planning; `None` while it runs.
pub type Planning = watch::Receiver<Option<Result<(), Problem>>>;

/// Plans the letter to an audience, or resumes an earlier attempt. Planning runs in the background,
/// so it continues when the caller leaves. A planned letter is returned unchanged.
pub async fn plan(
    app: &Arc<App>,
    incident: IncidentId,
    audience: Audience,
    by: &Author,
) -> Result<LetterPlan, Problem> {
    let letter = app.store.letter_to(incident, audience, app.rng.bytes()).await?;
    let id = letter.letter;
    if !letter.planned {
        match wait_for_end(begin_or_join(app, letter.clone(), by.clone()).await).await {
            None => return progress(app, &letter, false).await,
            Some(ended) => {
                app.letters.planning.lock().await.remove(&id);
                ended?;
            }
        }
    }
    progress(app, &letter, true).await
}

/// The result of planning, if it ends soon.
async fn wait_for_end(mut planning: Planning) -> Option<Result<(), Problem>> {
    let fault = || Problem::new(ProblemType::INTERNAL, "planning ended by a fault");
    match tokio::time::timeout(ANSWER_WITHIN, planning.wait_for(Option::is_some)).await {
        Err(_) => None,
        Ok(Err(_)) => Some(Err(fault())),
        Ok(Ok(ended)) => ended.clone(),
    }
}

async fn progress(app: &App, of: &Letter, planned: bool) -> Result<LetterPlan, Problem> {
    let letter = of.letter;
    let people = app.store.counts(letter).await?.total();
    let exposed = match of.audience {
        Audience::Customers if planned => exposed_people(app, of.incident).await?,
        _ => None,
    };
    Ok(LetterPlan { letter, people, planned, exposed })
}

/// Begins to plan a letter, or joins the planning under way.
async fn begin_or_join(app: &Arc<App>, letter: Letter, by: Author) -> Planning {
    let begin = || {
        let (ended, planning) = watch::channel(None);
        let (app, letter) = (app.clone(), letter.clone());
        tokio::spawn(async move {
            let result = plan_everybody(&app, &letter, &by).await;
            ended.send_replace(Some(result));
        });
        planning
    };
    let mut all = app.letters.planning.lock().await;
    all.entry(letter.letter).or_insert_with(begin).clone()
}

async fn plan_everybody(app: &App, letter: &Letter, by: &Author) -> Result<(), Problem> {
    match letter.audience {
        Audience::Staff => plan_staff(app, letter).await?,
        Audience::Customers => plan_customers(app, letter).await?,
    }
    let people = app.store.counts(letter.letter).await?.total();
    let audience = letter.audience.as_str();
    let detail = format!("letter {} to {audience}: {people} people", letter.letter);
    let act = app.act(letter.incident, by, JournalAct::PlanLetter, detail);
    app.store.set_planned(letter.letter, &act).await?;
    Ok(())
}

async fn plan_staff(app: &App, letter: &Letter) -> Result<(), Problem> {
    let (members, hash) = load_staff_list(&app.config.staff_list)?;
    if app.store.staff_list_of(letter.letter, hash).await? != hash {
        let what = "the staff list was changed while the letter was planned; restore it";
        return Err(Problem::new(STAFF_LIST_CHANGED, what));
    }
    let writer = writer(app, letter).await?;
    let locale = |member: &Member| writer.locale(&member.language, "");
    let locales = members.iter().map(locale).collect::<Result<Vec<_>, _>>()?;
    let numbers = number_locales(app, letter, &locales).await?;
    let planned = app.store.planned_people(letter.letter).await?;
    let rows = (0_u32..).zip(&locales).map(|(person, locale)| Recipient {
        person,
        told: Told::default(),
        locale: numbers.get(locale).copied().unwrap_or(0),
    });
    write_rows(app, letter, rows.filter(|row| !planned.contains(row.person))).await
}

async fn plan_customers(app: &App, letter: &Letter) -> Result<(), Problem> {
    app.store.plan_from_exposure(letter.incident).await?;
    check_exposed_as_planned(app, letter).await?;
    let read = app.store.bitmaps(letter.incident, Level::Read).await?;
    let presented = app.store.bitmaps(letter.incident, Level::Presented).await?;
    let signed_in = app.store.while_signed_in(letter.incident).await?;
    let writer = writer(app, letter).await?;
    let population = match app.incident(letter.incident).await?.people {
        People::Table => app.brought().await?,
        People::Accounts => current_customers(app).await?,
    };
    let groups = group_by_locale(&population, &writer)?;
    let numbers = number_locales(app, letter, groups.iter().map(|(locale, _)| locale)).await?;
    let locale_of = |person| {
        let group = groups.iter().find(|(_, people)| people.contains(person));
        group.and_then(|(locale, _)| numbers.get(locale)).copied().unwrap_or(0)
    };
    let row = |person| {
        let lost = fields_of(&read, person).union(fields_of(&presented, person));
        let while_signed_in = signed_in.contains(person);
        let told = Told { fields: told_fields(lost), while_signed_in };
        Recipient { person, told, locale: locale_of(person) }
    };
    let planned = app.store.planned_people(letter.letter).await?;
    let missing = &population.everyone - planned;
    write_rows(app, letter, missing.iter().rev().map(row)).await?;
    check_exposed_as_planned(app, letter).await
}

/// Refuses a letter to customers whose rows state another exposure than the one that was computed
/// last.
pub async fn check_exposed_as_planned(app: &App, letter: &Letter) -> Result<(), Problem> {
    let is_to_customers = letter.audience == Audience::Customers;
    if is_to_customers && app.store.is_exposed_otherwise(letter.incident).await? {
        let what = "customers' letters are planned from the exposure as it was before the last scope; \
                    declare another incident for what was found since";
        return Err(Problem::new(LETTER_PLANNED, what));
    }
    Ok(())
}

/// The people of each locale, the largest group first.
fn group_by_locale(
    population: &Population,
    writer: &Writer,
) -> Result<Vec<(Locale, RoaringBitmap)>, Problem> {
    let mut groups: BTreeMap<Locale, RoaringBitmap> = BTreeMap::new();
    for (language, speakers) in &population.languages {
        for (jurisdiction, residents) in &population.jurisdictions {
            let people = speakers & residents;
            if !people.is_empty() {
                let place = if jurisdiction == UNKNOWN { "" } else { jurisdiction };
                *groups.entry(writer.locale(language, place)?).or_default() |= people;
            }
        }
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, people)| Reverse(people.len()));
    Ok(groups)
}

/// The numbers of the letter's locales. Numbers from an earlier attempt are kept.
async fn number_locales(
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
    // Another instance may have been first, so the stored numbers count.
    let stored = app.store.locales(letter.letter).await?;
    Ok((0_u16..).zip(stored).map(|(number, locale)| (locale, number)).collect())
}

/// Writes missing rows in batches.
async fn write_rows(
    app: &App,
    letter: &Letter,
    mut rows: impl Iterator<Item = Recipient>,
) -> Result<(), Problem> {
    let last = app.store.last_planned_batch(letter.letter).await?;
    for batch in last + 1.. {
        let some: Vec<_> = rows.by_ref().take(ROWS_PER_BATCH).collect();
        if some.is_empty() {
            break;
        }
        app.store.plan(letter.letter, batch, &some, app.now()).await?;
    }
    Ok(())
}

/// Makes a writer that knows languages and places. Its facts are not used.
async fn writer(app: &App, letter: &Letter) -> Result<Writer, Problem> {
    let incident = app.incident(letter.incident).await?;
    let exposure = app.exposure(letter.incident).await?;
    let nothing = Current::default();
    let version = Version {
        audience: letter.audience,
        facts: Facts::new(&app.config.shop, &incident, &exposure, &nothing, app.now()),
        files: app.letters.files.clone(),
        domains: Vec::new(),
        variants: Vec::new(),
    };
    Ok(Writer::new(version)?)
}

/// The lost fields that a letter names.
fn told_fields(lost: FieldSet) -> FieldSet {
    lost.iter().filter(|field| is_told(*field)).collect()
}

#[cfg(test)]
mod tests {
    use cofferdam_core::Field;

    use super::*;

    #[test]
    fn letters_name_what_customers_lost_and_no_cards() {
        let lost = [Field::Name, Field::Session, Field::CardNumber, Field::Password];
        let told = told_fields(lost.into_iter().collect());
        assert_eq!(told, FieldSet::EMPTY.with(Field::Name).with(Field::Password));
    }
}
