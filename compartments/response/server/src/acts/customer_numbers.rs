//! Customer numbers: `accounts` has the key that makes them of record numbers.

use std::time::Duration;

use accounts_api::{ReadCustomerNumbers, ResolveCustomerNumbers};
use cofferdam_core::{CustomerNumber, Record};
use cofferdam_wire::{Problem, ProblemType};
use response_api::{Incident, People};

use crate::app::App;

/// The longest wait for a number that is told beside something else.
const ANSWER: Duration = Duration::from_secs(2);

/// The record of the customer whom app servers know by `number`.
pub async fn record_of(
    app: &App,
    incident: &Incident,
    number: CustomerNumber,
) -> Result<Record, Problem> {
    if incident.people == People::Table {
        let detail = "only customers of accounts have customer numbers; a person of the brought \
                      table is known by the shop's key";
        return Err(Problem::bad_request(detail));
    }
    let resolve = ResolveCustomerNumbers { numbers: vec![number] };
    let records = app.compartments.accounts.call(&resolve).await?;
    records.first().copied().ok_or_else(|| {
        Problem::new(ProblemType::UPSTREAM, "another compartment's answer is incomplete")
    })
}

/// The number by which app servers know the customer with `record`; `None` if `accounts` does not
/// answer, which may be down in an incident.
pub async fn number_of(app: &App, record: Record) -> Option<CustomerNumber> {
    let read = ReadCustomerNumbers { records: vec![record] };
    let answer = tokio::time::timeout(ANSWER, app.compartments.accounts.call(&read)).await;
    answer.ok()?.ok()?.first().copied()
}
