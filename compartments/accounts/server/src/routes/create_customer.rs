//! `POST /v1/customers/create`: opens an account.

use std::sync::Arc;

use accounts_api::CreateCustomer;
use axum::extract::State;
use cofferdam_core::{CallerName, Record};
use cofferdam_store::StoreError;
use cofferdam_wire::{Answer, Body, Caller, Problem, ProblemType};

use crate::app::App;
use crate::domain::{password, profile};
use crate::enrol::{self, Enrolment, Newcomer, Outcome};
use crate::store::is_conflict;

/// Opens an account.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<CreateCustomer>,
) -> Result<Answer<Record>, Problem> {
    let refused = |e: &dyn std::error::Error| Problem::bad_request(e.to_string());
    profile::check(&call.profile).map_err(|e| refused(&e))?;
    password::check_new(&call.password).map_err(|e| refused(&e))?;
    let password = app.hasher.hash_new(&call.password, &*app.rng).await?;
    let newcomer = Newcomer { profile: call.profile, password };
    Ok(Answer(enrol_one(&app, &caller, newcomer).await?, encoding))
}

async fn enrol_one(app: &App, caller: &CallerName, one: Newcomer) -> Result<Record, Problem> {
    let enrolment = enrol::prepare(app, caller, vec![one]).await?;
    let Some(Outcome::New(record)) = enrolment.outcomes.first() else { return Err(taken()) };
    write(app, &enrolment)
        .await
        .map_err(|e| if is_conflict(&e) { taken() } else { Problem::internal(&e) })?;
    Ok(*record)
}

async fn write(app: &App, enrolment: &Enrolment) -> Result<(), StoreError> {
    let mut tx = app.store.begin().await?;
    app.store.insert_customers(&mut tx, &enrolment.rows, app.now()).await?;
    Ok(tx.commit().await?)
}

fn taken() -> Problem {
    Problem::new(ProblemType::CONFLICT, "another customer has this e-mail address")
}
