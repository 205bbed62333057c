//! Orders that one approver signs and gives in the same step.

use keys_api::{ApproverSecret, Order, Signed};

use crate::step::StepError;

/// Signs an order, in the form that `response` takes.
pub fn sign_alone<T: Order>(order: T, by: &ApproverSecret) -> Result<serde_json::Value, StepError> {
    let signatures = vec![by.sign(&order)];
    serde_json::to_value(Signed { order, signatures }).map_err(StepError::Json)
}
