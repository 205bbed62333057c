//! Letters from plan to last outcome.

use std::time::Duration;

use cofferdam_core::{Reason, Rng, Timestamp};
use cofferdam_wire::Client;
use keys_api::ApproverSecret;
use response_api::{
    ApplyOrder, Audience, DraftLetter, IncidentId, LetterPlan, LetterState, LetterStatus,
    PlanLetter, ReadLetter, SignedOrder, StartLetter,
};

use crate::step::call;
use crate::{StepError, warrant};

/// The time between two reads of a letter's status.
const READ_EVERY: Duration = Duration::from_millis(250);

/// The approval of a letter's version by two people.
pub struct Approval<'a> {
    /// The signing keys of the approvers, two or more.
    pub approvers: &'a [ApproverSecret],
    /// The instant from which the warrant holds.
    pub now: Timestamp,
    /// The source of the warrant's number.
    pub rng: &'a dyn Rng,
    /// The reason for writing to customers before staff, if there is one.
    pub before_staff: Option<Reason>,
}

/// The progress of a letter.
pub enum LetterProgress<'a> {
    /// The rows of the letter are being written.
    Planning(&'a LetterPlan),
    /// The rows of the letter are being sent.
    Sending(&'a LetterStatus),
}

/// Plans a letter, has a version of it approved, sends it, and follows it until no row moves any
/// more. A running letter is only followed. A stopped letter is approved anew and resumes. A
/// finished letter stays as it is.
pub async fn send(
    client: &Client,
    incident: IncidentId,
    audience: Audience,
    approval: &Approval<'_>,
    mut progress: impl FnMut(LetterProgress<'_>),
) -> Result<LetterStatus, StepError> {
    let planning = |plan: &LetterPlan| progress(LetterProgress::Planning(plan));
    let letter = plan(client, incident, audience, planning).await?.letter;
    let mut status = call(client, &ReadLetter { letter }).await?;
    if status.state != LetterState::Running && status.open() > 0 {
        if status.version.is_none() || status.state == LetterState::Stopped {
            let terms = call(client, &DraftLetter { letter }).await?.warrant;
            let drawn_up = warrant::draw_up(terms, approval.now, approval.rng);
            let signed = warrant::sign(drawn_up, approval.approvers)?;
            let warrant = serde_json::to_value(signed).map_err(StepError::Json)?;
            call(client, &ApplyOrder { order: SignedOrder::Warrant(warrant) }).await?;
        }
        let before_staff = approval.before_staff.clone();
        status = call(client, &StartLetter { letter, before_staff }).await?;
    }
    follow(client, status, |status| progress(LetterProgress::Sending(status))).await
}

/// Plans a letter. Millions of rows take several calls, between which `progress` sees the plan.
pub async fn plan(
    client: &Client,
    incident: IncidentId,
    audience: Audience,
    mut progress: impl FnMut(&LetterPlan),
) -> Result<LetterPlan, StepError> {
    loop {
        let plan = call(client, &PlanLetter { incident, audience }).await?;
        if plan.planned {
            return Ok(plan);
        }
        progress(&plan);
    }
}

/// Follows a letter until it stops running.
pub async fn follow(
    client: &Client,
    mut status: LetterStatus,
    mut progress: impl FnMut(&LetterStatus),
) -> Result<LetterStatus, StepError> {
    let letter = status.letter;
    progress(&status);
    while status.state == LetterState::Running {
        tokio::time::sleep(READ_EVERY).await;
        status = call(client, &ReadLetter { letter }).await?;
        progress(&status);
    }
    Ok(status)
}
