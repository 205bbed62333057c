//! Giving a lowered budget back: an approver signs the order that ends the lowering.

use cofferdam_core::{CallerName, Operation, Reason, Timestamp};
use cofferdam_wire::Client;
use jiff::SignedDuration;
use keys_api::RestoreOrder;

use crate::keys::callers;
use crate::step::StepError;

/// The time within which the budget must be given back.
const VALID: SignedDuration = SignedDuration::from_mins(15);

/// Drafts the orders that give a caller's budget back, one for each lowering that has not ended. There is
/// more than one only if two were taken at once.
pub async fn draft(
    response: &Client,
    (caller, operation): (&CallerName, Operation),
    reason: &Reason,
    now: Timestamp,
) -> Result<Vec<RestoreOrder>, StepError> {
    let callers = callers(response).await?;
    let lowered = callers.into_iter().filter(|of| of.caller == *caller).flat_map(|of| of.lowered);
    let order = |lowering| RestoreOrder {
        caller: caller.clone(),
        operation,
        lowering,
        until: now + VALID,
        reason: reason.clone(),
    };
    let open = lowered.filter(|of| of.operation == operation);
    Ok(open.map(|of| order(of.lowering)).collect())
}
