//! Whether a code that somebody typed stands in a letter of ours.

use std::sync::Arc;

use cofferdam_core::Timestamp;
use response_api::{LedgerState, LetterId};

use super::mailing::MailingError;
use crate::app::App;
use crate::domain::letter::{Body, Writer};
use crate::store::Locale;

/// What is shown of a letter that is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genuine {
    /// Its date.
    pub written: Timestamp,
    /// Its subject.
    pub subject: String,
}

/// Dates and subjects of an approved version, kept: writing them anew takes longer than an answer
/// may.
pub struct Approved {
    version: String,
    written: Timestamp,
    subjects: Vec<String>,
}

/// Looks the letter up whose code this is; `None` when we sent none. Nothing is said of the person.
pub async fn verify(app: &App, typed: &str) -> Result<Option<Genuine>, MailingError> {
    let Some((letter, person)) = app.mail.keys.read_code(typed) else { return Ok(None) };
    let rows = app.store.ledger(letter, None, person, 1).await?;
    let sent = |row: &&_| is(row, person);
    let Some(row) = rows.first().filter(sent) else { return Ok(None) };
    let Some(approved) = approved(app, letter).await? else { return Ok(None) };
    let subject = approved.subjects.get(usize::from(row.locale)).cloned();
    Ok(subject.map(|subject| Genuine { written: approved.written, subject }))
}

/// Any row that may have been sent; one that was planned again may have arrived before.
fn is(row: &crate::store::StoredRow, person: u32) -> bool {
    row.person == person && row.state != LedgerState::Suppressed
}

async fn approved(app: &App, id: LetterId) -> Result<Option<Arc<Approved>>, MailingError> {
    let Some(letter) = app.store.letter(id).await? else { return Ok(None) };
    let Some(version) = letter.version.filter(|_| letter.started.is_some()) else {
        return Ok(None);
    };
    let mut kept = app.approved.lock().await;
    if let Some(approved) = kept.get(&id).filter(|of| of.version == version) {
        return Ok(Some(approved.clone()));
    }
    let Some(body) = app.store.version(id, &version).await? else { return Ok(None) };
    let writer = Writer::new(Body::parse(&body, &version)?)?;
    let subject = |of: &Locale| Ok(writer.write(of, cofferdam_core::FieldSet::EMPTY)?.subject);
    let locales = app.store.locales(id).await?;
    let subjects: Result<Vec<_>, MailingError> = locales.iter().map(subject).collect();
    let written = writer.body().facts.written;
    let approved = Arc::new(Approved { version, written, subjects: subjects? });
    kept.insert(id, approved.clone());
    Ok(Some(approved))
}
