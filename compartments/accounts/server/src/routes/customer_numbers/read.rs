//! `POST /v1/customer-numbers/read`: the numbers by which callers know customers.

use std::sync::Arc;

use accounts_api::{MAX_NUMBERS, ReadCustomerNumbers};
use axum::extract::State;
use cofferdam_core::CustomerNumber;
use cofferdam_wire::{Answer, Body, Caller, Problem, blocking};

use crate::app::App;

/// Reads the numbers of records, of decoys like any other.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<ReadCustomerNumbers>,
) -> Result<Answer<Vec<CustomerNumber>>, Problem> {
    app.check_controller(&caller)?;
    if call.records.len() > MAX_NUMBERS {
        return Err(Problem::bad_request(format!("name at most {MAX_NUMBERS} records")));
    }
    let translated = blocking(move || {
        call.records.into_iter().map(|of| app.customer_numbers.number(of)).collect()
    });
    Ok(Answer(translated.await?, encoding))
}
