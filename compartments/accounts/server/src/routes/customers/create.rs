//! `POST /v1/customers/create`: opens an account.

use std::sync::Arc;

use accounts_api::{ADDRESS_TAKEN, CreateCustomer};
use axum::extract::State;
use cofferdam_core::{CallerName, CustomerNumber, KeyBytes, Record};
use cofferdam_store::StoreError;
use cofferdam_wire::{Answer, Body, Caller, Problem, ProblemType};
use keys_api::Search;

use crate::app::{App, bad_request};
use crate::at_rest;
use crate::domain::settle::{Newcomer, Outcome};
use crate::domain::{address, password, profile};
use crate::enrol::{self, Enrolment};
use crate::store::is_address_taken;

/// Opens an account, unless the address is taken.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<CreateCustomer>,
) -> Result<Answer<CustomerNumber>, Problem> {
    profile::check(&call.profile).map_err(|e| bad_request(&e))?;
    password::check_new(&call.password).map_err(|e| bad_request(&e))?;
    let password = app.hasher.hash_new(&caller, &call.password, &*app.rng).await?;
    let newcomer = Newcomer { profile: call.profile, password };
    let record = enrol_one(&app, &caller, newcomer).await?;
    Ok(Answer(app.customer_numbers.number(record), encoding))
}

async fn enrol_one(app: &App, caller: &CallerName, newcomer: Newcomer) -> Result<Record, Problem> {
    let digest = address::digest(&newcomer.profile.email);
    let enrolment = enrol::prepare(app, caller, vec![newcomer]).await?;
    let Some(Outcome::New(record)) = enrolment.outcomes.first() else { return Err(taken()) };
    match write(app, &enrolment).await {
        Ok(()) => Ok(*record),
        Err(e) if is_address_taken(&e) => Err(overtaken(app, caller, digest).await?),
        Err(e) => Err(e.into()),
    }
}

async fn write(app: &App, enrolment: &Enrolment) -> Result<(), StoreError> {
    let mut tx = app.store.begin().await?;
    app.store.insert_customers(&mut tx, &enrolment.rows, app.now()).await?;
    Ok(tx.commit().await?)
}

/// The problem of a row that was there already. If another customer took the address after it was
/// looked up, the log names that customer before the answer tells.
async fn overtaken(app: &App, caller: &CallerName, digest: KeyBytes) -> Result<Problem, Problem> {
    let (index, looked_up) = app.vault.index_one(caller, digest).await?;
    let found = at_rest::find(app, &index).await?;
    app.vault.note_found(caller, looked_up, Search::SignUp, found).await?;
    if found.is_some() {
        return Ok(taken());
    }
    let detail = "another call was faster; send this one again";
    Ok(Problem::new(ProblemType::CONFLICT, detail).retry_after(1))
}

fn taken() -> Problem {
    Problem::new(ADDRESS_TAKEN, "sign in, or give another address")
}
