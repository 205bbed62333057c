//! `POST /v1/bags/seal`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{JournalAct, SealBag, bag_name};

use crate::app::App;
use crate::staff::Staff;

/// The first line of every statement. No checkpoint of a log begins like it.
const HEADING: &str = "cofferdam evidence bag v1";
/// The length of a base64 SHA-256.
const HASH_LENGTH: usize = 44;

/// Signs the statement of an incident's bag. Its hash is journalled before it is signed.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<SealBag>,
) -> Result<Answer<String>, Problem> {
    app.incident(call.incident).await?;
    let hash = manifest_hash(&call)?;
    let detail = format!("tag manifest {hash}");
    app.store.journal(&app.act(call.incident, &by, JournalAct::SealBag, detail)).await?;
    Ok(Answer(app.logs.sealer.sign_text(&call.statement)?, encoding))
}

/// The hash of the tag manifest in a statement, which must be about a bag of the incident.
fn manifest_hash(call: &SealBag) -> Result<&str, Problem> {
    let lines: Vec<&str> = call.statement.split('\n').collect();
    let [HEADING, name, hash, ""] = lines.as_slice() else {
        return Err(Problem::bad_request("statement: three lines, the first of which is fixed"));
    };
    let is_base64 = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    if *name != bag_name(call.incident) || hash.len() != HASH_LENGTH || !hash.bytes().all(is_base64)
    {
        return Err(Problem::bad_request("statement: not about a bag of this incident"));
    }
    Ok(hash)
}
