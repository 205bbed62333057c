//! `POST /v1/customer-numbers/resolve`: the records behind customer numbers.

use std::sync::Arc;

use accounts_api::{MAX_NUMBERS, ResolveCustomerNumbers};
use axum::extract::State;
use cofferdam_core::Record;
use cofferdam_wire::{Answer, Body, Caller, Problem, blocking};

use crate::app::App;

/// Finds the records of numbers.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<ResolveCustomerNumbers>,
) -> Result<Answer<Vec<Record>>, Problem> {
    app.check_controller(&caller)?;
    if call.numbers.len() > MAX_NUMBERS {
        return Err(Problem::bad_request(format!("name at most {MAX_NUMBERS} numbers")));
    }
    let translated = blocking(move || {
        call.numbers.into_iter().map(|of| app.customer_numbers.record(of)).collect()
    });
    Ok(Answer(translated.await?, encoding))
}
