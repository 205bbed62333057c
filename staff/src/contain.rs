//! Voiding the credentials of every customer at once.

use cofferdam_core::Timestamp;
use cofferdam_wire::Client;
use jiff::SignedDuration;
use keys_api::{ApproverSecret, Signed, VoidOrder};
use response_api::{IncidentId, VoidCredentials, VoidWhose, Voided};

use crate::StepError;
use crate::step::call;

/// How long the approval may wait to be carried out.
const VALID: SignedDuration = SignedDuration::from_mins(15);

/// The approval of an order that voids every credential.
pub struct VoidApproval<'a> {
    /// The keys of the people who sign: two, or one with `break_glass`.
    pub approvers: &'a [ApproverSecret],
    /// The instant of signing.
    pub now: Timestamp,
    /// Credentials that were set up to this instant become void.
    pub set_before: Timestamp,
    /// The reason why one person signs alone.
    pub break_glass: Option<String>,
}

/// Voids every credential and ends every session.
pub async fn void_everybody(
    client: &Client,
    incident: IncidentId,
    approval: VoidApproval<'_>,
) -> Result<Voided, StepError> {
    let VoidApproval { approvers, now, set_before, break_glass } = approval;
    let needed = if break_glass.is_some() { 1 } else { 2 };
    if approvers.len() < needed {
        return Err(StepError::Approvers(approvers.len()));
    }
    let until = now.saturating_add(VALID).unwrap_or(now);
    let order =
        VoidOrder { incident: incident.0, set_before, until, break_glass: break_glass.clone() };
    let signatures = approvers.iter().map(|person| person.sign(&order)).collect();
    let order = serde_json::to_value(Signed { order, signatures }).map_err(StepError::Json)?;
    let whose = VoidWhose::Everybody { order, set_before, break_glass };
    call(client, &VoidCredentials { incident, whose }).await
}
