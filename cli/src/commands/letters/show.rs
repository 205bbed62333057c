//! How a letter is shown, and its audience on the command line.

use std::process::ExitCode;

use clap::ValueEnum;
use response_api::{Audience, LedgerState, LetterPlan, LetterStatus, ProviderStatus, ResetPages};

use crate::command::{CommandError, Common};
use crate::output::{self, Progress};
use crate::table;

/// To whom, on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum To {
    /// The staff roster
    Staff,
    /// Every customer
    Customers,
}

impl From<To> for Audience {
    fn from(to: To) -> Self {
        match to {
            To::Staff => Self::Staff,
            To::Customers => Self::Customers,
        }
    }
}

/// The name of the bar that [`sending`] moves.
pub const BAR: &str = "letters";

/// Notes how far a letter is planned.
pub fn planning(plan: &LetterPlan) {
    let written = table::number(plan.people);
    output::note(&format!("letter {}: {written} people planned so far", plan.letter));
}

/// Shows how far a letter is sent.
pub fn sending(bar: &mut Progress, status: &LetterStatus) {
    bar.set(status.total() - status.open(), status.total());
}

/// Shows a letter that no longer runs. Fails while a row is without an outcome.
pub fn conclude(common: &Common, status: &LetterStatus) -> Result<ExitCode, CommandError> {
    common.print(status, lines)?;
    if status.open() == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    let why = status.trouble.as_deref().unwrap_or("the sending was stopped");
    let left = table::number(status.open());
    output::note(&format!("{left} letters are not out: {why}; run the same command to go on"));
    Ok(ExitCode::FAILURE)
}

/// A letter's counts, its pace and its mail providers.
pub fn lines(status: &LetterStatus) -> Vec<String> {
    let rows: Vec<_> = LedgerState::ALL
        .into_iter()
        .map(|state| vec![state_name(state).to_owned(), table::number(status.of(state))])
        .collect();
    let head = format!(
        "letter {} to {}: {}",
        status.letter,
        audience_name(status.audience),
        status.state.as_str()
    );
    let mut out: Vec<_> = std::iter::once(head).chain(table::lines(&rows)).collect();
    if let Some(version) = &status.version {
        out.push(format!("version {version}"));
    }
    if let Some(left) = status.seconds_left.filter(|_| status.open() > 0) {
        let minute = table::number(status.last_minute);
        out.push(format!("{minute} in the last minute; about {} min left", left.div_ceil(60)));
    }
    out.extend(status.providers.iter().filter_map(provider));
    out.extend(status.reset_pages.map(reset_pages));
    out.extend(status.trouble.clone());
    out
}

/// A letter in one line.
pub fn summary(status: &LetterStatus) -> String {
    format!(
        "to {}: {} accepted, {} in doubt, {} bounced, {} still to send",
        audience_name(status.audience),
        table::number(status.of(LedgerState::Accepted)),
        table::number(status.of(LedgerState::InDoubt)),
        table::number(status.of(LedgerState::Bounced)),
        table::number(status.open()),
    )
}

/// A mail provider, if it holds letters back.
fn provider(of: &ProviderStatus) -> Option<String> {
    if of.waiting == 0 && of.rate.is_none() && of.paused.is_none() {
        return None;
    }
    let rate = of.rate.map_or_else(String::new, |rate| format!(", {rate} a second at most"));
    let why = of.paused.as_ref().map_or_else(String::new, |why| format!(", PAUSED: {why}"));
    Some(format!("{}: {} wait{rate}{why}", of.provider, table::number(of.waiting)))
}

fn reset_pages(pages: ResetPages) -> String {
    let busy = pages.busy_percent.map_or_else(
        || "how busy the reset pages are is not known".to_owned(),
        |busy| format!("the reset pages are {busy} % busy"),
    );
    let rate = pages.rate.map_or_else(String::new, |rate| format!("; {rate} a second at most"));
    format!("{busy}{rate}")
}

const fn state_name(state: LedgerState) -> &'static str {
    match state {
        LedgerState::Planned => "still to send",
        LedgerState::Claimed => "at a worker",
        LedgerState::Accepted => "accepted",
        LedgerState::InDoubt => "in doubt",
        LedgerState::Deferred => "put off",
        LedgerState::Bounced => "bounced",
        LedgerState::Complained => "complained of",
        LedgerState::Suppressed => "not written to",
        LedgerState::Expired => "given up",
    }
}

const fn audience_name(audience: Audience) -> &'static str {
    match audience {
        Audience::Staff => "staff",
        Audience::Customers => "customers",
    }
}
