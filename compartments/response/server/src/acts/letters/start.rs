//! Starting or resuming a letter.

use cofferdam_core::Reason;
use cofferdam_wire::Problem;
use response_api::{
    Audience, JournalAct, LETTER_NOT_APPROVED, LETTER_STOPPED, LedgerState, LetterState,
    ORDER_OUTDATED, STAFF_FIRST,
};
use response_mailing::Letter;

use crate::acts::claims::check_version;
use crate::app::App;
use crate::mailroom::pass_gate;
use crate::staff::Author;

/// The percentage of letters to staff that must be accepted before customers are written to.
const STAFF_ACCEPTED: u64 = 99;

/// Starts the approved version of a letter. `before_staff` is the reason for writing to customers
/// before staff.
pub async fn start(
    app: &App,
    letter: &Letter,
    before_staff: Option<Reason>,
    by: &Author,
) -> Result<(), Problem> {
    let unapproved = || Problem::new(LETTER_NOT_APPROVED, "two people approve a version first");
    let version = letter.version.ok_or_else(unapproved)?;
    if letter.state == LetterState::Stopped {
        let what = "a stopped letter takes a new draft and a new approval";
        return Err(Problem::new(LETTER_STOPPED, what));
    }
    check_version(app, letter, version).await?;
    let audience = letter.audience.as_str();
    let mut detail = format!("letter {} to {audience}, version {version}", letter.letter);
    // A paused letter was started before, after its staff or with a reason.
    if letter.audience == Audience::Customers
        && letter.state != LetterState::Paused
        && let Err(problem) = check_staff_first(app, letter).await
    {
        let reason = before_staff.ok_or(problem)?;
        detail.push_str("; before staff, because ");
        detail.push_str(reason.as_str());
    }
    detail.push_str("; ");
    detail.push_str(&pass_gate(app).await?);
    let act = app.act(letter.incident, by, JournalAct::StartLetter, detail);
    if !app.store.set_running(letter.letter, version, &act).await? {
        let what = "the letter was stopped, or another version approved, at this moment";
        return Err(Problem::new(ORDER_OUTDATED, what));
    }
    app.letters.room.stir();
    Ok(())
}

/// Refuses to write to customers before staff were told.
async fn check_staff_first(app: &App, letter: &Letter) -> Result<(), Problem> {
    let letters = app.store.letters_about(letter.incident).await?;
    let to_staff = letters.iter().find(|l| l.audience == Audience::Staff && l.planned);
    let not_told = |what: String| Problem::new(STAFF_FIRST, what);
    let to_staff = to_staff.ok_or_else(|| not_told("no letter to staff is planned".to_owned()))?;
    let counts = app.store.counts(to_staff.letter).await?;
    let (accepted, total) = (counts.of(LedgerState::Accepted), counts.total());
    if accepted * 100 >= total * STAFF_ACCEPTED {
        return Ok(());
    }
    Err(not_told(format!("{accepted} of {total} letters to staff are accepted")))
}
