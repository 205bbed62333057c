//! `POST /v1/customers/create`: opens an account.

use std::sync::Arc;

use accounts_api::{ADDRESS_TAKEN, CreateCustomer};
use axum::extract::State;
use cofferdam_core::{CallerName, Record};
use cofferdam_store::StoreError;
use cofferdam_wire::{Answer, Body, Caller, Problem};

use crate::app::{App, bad_request};
use crate::domain::settle::{Newcomer, Outcome};
use crate::domain::{password, profile};
use crate::enrol::{self, Enrolment};
use crate::store::is_address_taken;

/// Opens an account, unless the address is taken.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<CreateCustomer>,
) -> Result<Answer<Record>, Problem> {
    profile::check(&call.profile).map_err(|e| bad_request(&e))?;
    password::check_new(&call.password).map_err(|e| bad_request(&e))?;
    let password = app.hasher.hash_new(&call.password, &*app.rng).await?;
    let newcomer = Newcomer { profile: call.profile, password };
    Ok(Answer(enrol_one(&app, &caller, newcomer).await?, encoding))
}

async fn enrol_one(app: &App, caller: &CallerName, newcomer: Newcomer) -> Result<Record, Problem> {
    let enrolment = enrol::prepare(app, caller, vec![newcomer]).await?;
    let Some(Outcome::New(record)) = enrolment.outcomes.first() else { return Err(taken()) };
    match write(app, &enrolment).await {
        Ok(()) => Ok(*record),
        // Another customer took the address after it was looked up.
        Err(e) if is_address_taken(&e) => Err(taken()),
        Err(e) => Err(e.into()),
    }
}

async fn write(app: &App, enrolment: &Enrolment) -> Result<(), StoreError> {
    let mut tx = app.store.begin().await?;
    app.store.insert_customers(&mut tx, &enrolment.rows, app.now()).await?;
    Ok(tx.commit().await?)
}

fn taken() -> Problem {
    Problem::new(ADDRESS_TAKEN, "sign in, or give another address")
}
