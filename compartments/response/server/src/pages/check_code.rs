//! The check of a typed code: does it belong to a letter of ours?

use std::sync::Arc;

use cofferdam_core::{FieldSet, InternalError, Sha256, Timestamp};
use cofferdam_store::StoreError;
use response_api::{LedgerState, LetterId};
use response_letter::{Locale, Version, VersionError, Writer};

use crate::app::App;

/// The facts about a genuine letter that the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genuine {
    /// The date of the letter.
    pub written: Timestamp,
    /// The subject of the letter.
    pub subject: String,
}

/// Date and subjects of an approved version. They are kept because writing them again takes longer
/// than an answer may take.
pub struct ApprovedSubjects {
    version: Sha256,
    written: Timestamp,
    /// The subjects, by the number of the locale.
    subjects: Vec<String>,
}

/// A code that can't be checked.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The tables can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The approved version can't be used.
    #[error(transparent)]
    Version(#[from] VersionError),
}

impl InternalError for CheckError {}

/// Finds the letter that a code belongs to; `None` if no such letter was sent. The answer tells
/// nothing about the person.
pub async fn check_code(app: &App, typed: &str) -> Result<Option<Genuine>, CheckError> {
    let codes = &app.letters.room.ports().composer.codes;
    let Some((letter, person)) = codes.read_code(typed) else { return Ok(None) };
    let rows = app.store.ledger_rows(letter, None, person, 1).await?;
    // A replanned row may have been sent before, so only a suppressed row was surely not sent.
    let row = rows.first().filter(|row| row.person == person);
    let Some(row) = row.filter(|row| row.state != LedgerState::Suppressed) else { return Ok(None) };
    let Some(approved) = approved_subjects(app, letter).await? else { return Ok(None) };
    let subject = approved.subjects.get(usize::from(row.locale)).cloned();
    Ok(subject.map(|subject| Genuine { written: approved.written, subject }))
}

async fn approved_subjects(
    app: &App,
    id: LetterId,
) -> Result<Option<Arc<ApprovedSubjects>>, CheckError> {
    let Some(letter) = app.store.letter(id).await? else { return Ok(None) };
    let Some(version) = letter.version.filter(|_| letter.started.is_some()) else {
        return Ok(None);
    };
    let mut kept = app.letters.subjects.lock().await;
    if let Some(approved) = kept.get(&id).filter(|kept| kept.version == version) {
        return Ok(Some(approved.clone()));
    }
    let Some(json) = app.store.version(id, version).await? else { return Ok(None) };
    let writer = Writer::new(Version::parse(&json, version)?)?;
    let subject = |locale: &Locale| Ok(writer.write(locale, FieldSet::EMPTY)?.subject);
    let locales = app.store.locales(id).await?;
    let subjects = locales.iter().map(subject).collect::<Result<_, VersionError>>()?;
    let written = writer.version().facts.written;
    let approved = Arc::new(ApprovedSubjects { version, written, subjects });
    kept.insert(id, approved.clone());
    Ok(Some(approved))
}
