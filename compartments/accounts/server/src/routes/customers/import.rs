//! `POST /v1/customers/import`: takes over customers of an older shop.

use std::sync::Arc;

use accounts_api::{ImportCustomers, ImportOutcome};
use axum::extract::State;
use cofferdam_store::StoreError;
use cofferdam_wire::{Answer, Body, Caller, Problem, ProblemType};

use crate::app::{App, bad_request};
use crate::domain::import;
use crate::domain::settle::Outcome;
use crate::enrol::{self, Enrolment};
use crate::store::{ImportProgress, is_address_taken};

/// Imports a batch of customers.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<ImportCustomers>,
) -> Result<Answer<Vec<ImportOutcome>>, Problem> {
    app.check_importer(&caller)?;
    let (first, last) = import::check(&call).map_err(|e| bad_request(&e))?;
    let ImportCustomers { source, rows } = call;
    let state = app.store.import_state(&source).await?;
    let known = app.store.import_rejects(&source, first, last).await?;

    let mut refused = Vec::with_capacity(rows.len());
    let mut people = Vec::with_capacity(rows.len());
    for row in rows {
        let line = row.line;
        let newcomer = match known.get(&line) {
            Some(reason) => Err(reason.clone()),
            None => import::newcomer(row),
        };
        match newcomer {
            Ok(newcomer) => {
                people.push(newcomer);
                refused.push((line, None));
            }
            Err(reason) => refused.push((line, Some(reason))),
        }
    }
    let enrolment = enrol::prepare(&app, &caller, people).await?;
    let number = |record| app.customer_numbers.number(record);
    let outcomes = import::merge(refused, &enrolment.outcomes, state.done_to_line, number);
    let is_new = |outcome: &&Outcome| matches!(outcome, Outcome::New(_));
    let progress = ImportProgress {
        source: &source,
        to_line: last,
        created: enrolment.outcomes.iter().filter(is_new).count(),
        rejects: import::new_rejects(&outcomes, |line| known.contains_key(&line)),
    };
    match write(&app, &enrolment, &progress).await {
        Ok(()) => Ok(Answer(outcomes, encoding)),
        Err(e) if is_address_taken(&e) => Err(overtaken()),
        Err(e) => Err(e.into()),
    }
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
