//! `POST /v1/paper-post/read`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use keys_api::BadWarrantId;
use response_api::{JournalAct, PaperPostPage, ReadPaperPost};

use crate::acts::letters;
use crate::app::App;
use crate::staff::Staff;

/// Reads a page of postal addresses. The read is journalled before it happens.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<ReadPaperPost>,
) -> Result<Answer<PaperPostPage>, Problem> {
    let letter = app.letter(call.letter).await?;
    let warrant = call.warrant.parse();
    let warrant = warrant.map_err(|e: BadWarrantId| Problem::bad_request(e.to_string()))?;
    let detail = format!("letter {}, from person {} on", call.letter, call.from);
    app.store.journal(&app.act(letter.incident, &by, JournalAct::ReadPaperPost, detail)).await?;
    Ok(Answer(letters::paper_post_page(&app, &letter, warrant, call.from).await?, encoding))
}
