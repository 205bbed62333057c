//! `POST /v1/paper-post/read`

use std::sync::Arc;

use cofferdam_wire::Problem;
use keys_api::BadWarrantId;
use response_api::{PaperPostPage, ReadPaperPost};

use crate::acts::letters;
use crate::app::App;

/// Reads a page of postal addresses.
pub async fn show(app: Arc<App>, call: ReadPaperPost) -> Result<PaperPostPage, Problem> {
    let letter = app.letter(call.letter).await?;
    let warrant = call.warrant.parse();
    let warrant = warrant.map_err(|e: BadWarrantId| Problem::bad_request(e.to_string()))?;
    letters::paper_post_page(&app, &letter, warrant, call.from).await
}
