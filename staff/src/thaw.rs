//! Letting go of a frozen caller: an approver signs the order that ends the incident's hold.

use cofferdam_core::{CallerName, Reason, Timestamp};
use cofferdam_wire::Client;
use jiff::SignedDuration;
use keys_api::{HoldId, ThawOrder};
use response_api::{IncidentId, ReadHolds};

use crate::step::{StepError, call};

/// The time within which a thaw must be carried out.
const VALID: SignedDuration = SignedDuration::from_mins(15);

/// Drafts the order by which an incident lets go of a caller. `None` if `keys` has no hold that the
/// incident could end.
pub async fn draft(
    response: &Client,
    incident: IncidentId,
    caller: CallerName,
    reason: Reason,
    now: Timestamp,
) -> Result<Option<ThawOrder>, StepError> {
    let holds = call(response, &ReadHolds { caller: caller.clone() }).await?;
    let own = holds.iter().find(|of| of.incident == incident);
    let before = holds.iter().find(|of| of.hold == HoldId::BEFORE.0);
    Ok(own.or(before).map(|of| ThawOrder {
        caller,
        incident: incident.0,
        hold: HoldId(of.hold),
        until: now + VALID,
        reason,
    }))
}
