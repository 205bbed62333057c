//! `POST /v1/returned/read`

use std::sync::Arc;

use cofferdam_wire::{Problem, ProblemType};
use response_api::{ReadReturned, ReturnedText};

use crate::app::App;
use crate::store::StoredReturned;

/// Reads a kept message.
pub async fn show(app: Arc<App>, call: ReadReturned) -> Result<ReturnedText, Problem> {
    let ReadReturned { letter, person, number } = call;
    let found = app.store.returned_text((letter, person), number).await?;
    let missing = || {
        Problem::not_found(format!(
            "no message {number} of person {person} of letter {letter} is kept"
        ))
    };
    let stored = found.ok_or_else(missing)?;
    let text = app.letters.returned.unseal((letter, person, number), &stored.sealed);
    // Each instance that takes mail has a key of its own.
    let text = text.map_err(|e| Problem::new(ProblemType::CONFLICT, e.to_string()))?;
    let StoredReturned { at, bytes, messages, kept, .. } = stored;
    Ok(ReturnedText { person, number, messages, kept, at, bytes, text })
}
