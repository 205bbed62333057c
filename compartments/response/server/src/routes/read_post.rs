//! `POST /v1/letters/post/read`: a page of names and postal addresses.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use keys_api::BadWarrantId;
use response_api::{PostPage, ReadPost};

use crate::app::App;
use crate::jobs;
use crate::staff::Staff;

/// Reads.
pub async fn read(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<ReadPost>,
) -> Result<Answer<PostPage>, Problem> {
    let letter = super::read_letter::find(&app, call.letter).await?;
    let warrant = call.warrant.parse();
    let warrant = warrant.map_err(|e: BadWarrantId| Problem::bad_request(e.to_string()))?;
    // Looked at is written down first.
    let detail = format!("letter {}, from person {} on", letter.letter, call.from);
    app.journal(letter.incident, &by, "letters.post.read", &detail).await?;
    Ok(Answer(jobs::post_page(&app, &letter, warrant, call.from).await?, encoding))
}
