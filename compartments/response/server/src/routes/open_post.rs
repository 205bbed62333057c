//! `POST /v1/letters/post/open`: two people signed for the addresses of those not reached.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use keys_api::{OpenWarrant, Signed, Warrant};
use response_api::{OpenPost, OpenedPost};

use super::approve_letter::{conflict, same_terms};
use crate::app::App;
use crate::jobs;
use crate::staff::Staff;

/// Hands the warrant to `keys`, which checks both signatures itself.
pub async fn open(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<OpenPost>,
) -> Result<Answer<OpenedPost>, Problem> {
    let letter = super::read_letter::find(&app, call.letter).await?;
    let signed: Signed<Warrant> = serde_json::from_value(call.warrant)
        .map_err(|e| Problem::bad_request(format!("not a signed warrant: {e}")))?;
    if !same_terms(&signed.order, &jobs::post_terms(&app, &letter).await?) {
        return Err(conflict("the warrant's terms are not those of the draft; draft it again"));
    }
    let people: Vec<_> = signed.signatures.iter().map(|of| of.approver.clone()).collect();
    let detail = format!("letter {}, by {}", letter.letter, people.join(" and "));
    app.journal(letter.incident, &by, "letters.post.open", &detail).await?;
    let warrant = app.keys.call(&OpenWarrant { warrant: signed }).await?;
    Ok(Answer(OpenedPost { warrant: warrant.to_string() }, encoding))
}
