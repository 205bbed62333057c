//! `POST /v1/evidence/seal`: signs a bag of evidence.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{SealBag, bag_name};

use crate::app::App;
use crate::staff::Staff;

/// What every statement begins with: no checkpoint of a log looks like it.
const HEADING: &str = "cofferdam evidence bag v1";

/// Signs the statement of a bag of this incident, and writes its hash down first.
pub async fn seal(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<SealBag>,
) -> Result<Answer<String>, Problem> {
    app.incident(call.incident).await?;
    let lines: Vec<&str> = call.statement.split('\n').collect();
    let [heading, name, hash, ""] = lines.as_slice() else {
        return Err(Problem::bad_request("a statement has three lines"));
    };
    let base64 = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    let good = *heading == HEADING
        && **name == bag_name(call.incident)
        && hash.len() == 44
        && hash.bytes().all(base64);
    if !good {
        return Err(Problem::bad_request("not the statement of a bag of this incident"));
    }
    app.journal(call.incident, &by, "evidence.seal", &format!("tag manifest {hash}")).await?;
    let note = app.sealer.sign_text(&call.statement)?;
    Ok(Answer(note, encoding))
}
