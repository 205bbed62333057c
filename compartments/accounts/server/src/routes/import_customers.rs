//! `POST /v1/customers/import`: takes over customers of an older shop.
//!
//! Which line became which record is not kept, since decoys have no line: a line up to
//! `done_to_line` was imported before if its address is known, and refused before if its reason
//! is. Any other line is new, so that nothing is lost when calls of a file overtake each other.

use std::sync::Arc;

use accounts_api::{
    ImportCustomers, ImportOutcome, ImportResult, ImportRow, LegacyCredential, MAX_IMPORT,
};
use axum::extract::State;
use cofferdam_store::StoreError;
use cofferdam_wire::{Answer, Body, Caller, Problem, ProblemType};

use crate::app::App;
use crate::domain::password::{Hashed, Scheme};
use crate::domain::profile;
use crate::enrol::{self, Enrolment, Newcomer, Outcome};
use crate::store::{ImportProgress, Reject, is_conflict};

/// The longest name of a source.
const MAX_SOURCE: usize = 200;
/// The longest legacy salt, in bytes.
const MAX_SALT: usize = 200;
const SAME_ADDRESS: &str = "another customer has this e-mail address";

/// Imports customers.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<ImportCustomers>,
) -> Result<Answer<Vec<ImportOutcome>>, Problem> {
    app.check_importer(&caller)?;
    check_form(&call)?;
    let ImportCustomers { source, rows } = call;
    let (first, last) = (line_of(rows.first()), line_of(rows.last()));
    let state = app.store.import_state(&source).await?;
    let before = app.store.import_rejects(&source, first, last).await;
    let before = before?;

    let mut outcomes = Vec::with_capacity(rows.len());
    let mut people = Vec::with_capacity(rows.len());
    for row in rows {
        let line = row.line;
        let refused = match before.get(&line) {
            Some(reason) => Some(reason.clone()),
            None => check_row(&row),
        };
        if refused.is_none() {
            people.push(newcomer(row));
        }
        outcomes.push((line, refused));
    }
    let enrolment = enrol::prepare(&app, &caller, people).await?;
    let outcomes = merge(outcomes, &enrolment, state.done_to_line);
    let progress = ImportProgress {
        source: &source,
        to_line: last,
        created: enrolment.outcomes.iter().filter(|o| matches!(o, Outcome::New(_))).count(),
        rejects: new_rejects(&outcomes, |line| before.contains_key(&line)),
    };
    write(&app, &enrolment, &progress)
        .await
        .map_err(|e| if is_conflict(&e) { overtaken() } else { Problem::internal(&e) })?;
    Ok(Answer(outcomes, encoding))
}

fn check_form(call: &ImportCustomers) -> Result<(), Problem> {
    if call.source.is_empty() || call.source.len() > MAX_SOURCE {
        return Err(Problem::bad_request(format!("source has 1 to {MAX_SOURCE} bytes")));
    }
    if !(1..=MAX_IMPORT).contains(&call.rows.len()) {
        return Err(Problem::bad_request(format!("a call has 1 to {MAX_IMPORT} rows")));
    }
    let ascending = call.rows.is_sorted_by(|a, b| a.line < b.line);
    if !ascending || line_of(call.rows.first()) == 0 {
        return Err(Problem::bad_request("lines must be ascending from 1, none twice"));
    }
    Ok(())
}

fn line_of(row: Option<&ImportRow>) -> u64 {
    row.map_or(0, |row| row.line)
}

/// Why a row is refused, without personal data.
fn check_row(row: &ImportRow) -> Option<String> {
    if let Err(e) = profile::check(&row.profile) {
        return Some(e.to_string());
    }
    let salt = row.credential.salt.expose().len();
    (salt > MAX_SALT).then(|| format!("the salt has more than {MAX_SALT} bytes"))
}

fn newcomer(row: ImportRow) -> Newcomer {
    let LegacyCredential { scheme, salt, digest } = row.credential;
    let salt = salt.expose().as_bytes().to_vec();
    let password = Hashed { scheme: Scheme::Legacy(scheme), salt, hash: digest };
    Newcomer { profile: row.profile, password }
}

/// Puts what became of the people who were enrolled among the lines that were refused.
fn merge(
    lines: Vec<(u64, Option<String>)>,
    enrolment: &Enrolment,
    done_to_line: u64,
) -> Vec<ImportOutcome> {
    let mut enrolled = enrolment.outcomes.iter();
    let mut result = |line: u64, refused: Option<String>| match refused {
        Some(reason) => ImportResult::Rejected(reason),
        None => match enrolled.next() {
            Some(Outcome::New(record)) => ImportResult::Created(*record),
            Some(Outcome::Taken(record)) if line <= done_to_line => {
                ImportResult::AlreadyThere(*record)
            }
            _ => ImportResult::Rejected(SAME_ADDRESS.into()),
        },
    };
    let outcome = |(line, refused)| ImportOutcome { line, result: result(line, refused) };
    lines.into_iter().map(outcome).collect()
}

fn new_rejects(outcomes: &[ImportOutcome], known: impl Fn(u64) -> bool) -> Vec<Reject> {
    let reject = |outcome: &ImportOutcome| match &outcome.result {
        ImportResult::Rejected(reason) if !known(outcome.line) => {
            Some(Reject { line: outcome.line, reason: reason.clone() })
        }
        _ => None,
    };
    outcomes.iter().filter_map(reject).collect()
}

async fn write(
    app: &App,
    enrolment: &Enrolment,
    progress: &ImportProgress<'_>,
) -> Result<(), StoreError> {
    let mut tx = app.store.begin().await?;
    app.store.insert_customers(&mut tx, &enrolment.rows, app.now()).await?;
    app.store.insert_progress(&mut tx, progress).await?;
    Ok(tx.commit().await?)
}

fn overtaken() -> Problem {
    let detail = "somebody took an address of this call meanwhile; send it again";
    Problem::new(ProblemType::CONFLICT, detail).retry_after(1)
}
