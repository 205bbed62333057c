//! A letter on the terminal.

use response_api::{LedgerState, LetterStatus, ProviderStatus, ResetPages};

use crate::{columns, words};

/// Describes a letter: its counts, its pace and its mail providers.
pub fn lines(status: &LetterStatus) -> Vec<String> {
    let rows: Vec<_> = LedgerState::ALL
        .into_iter()
        .map(|state| vec![state_name(state).to_owned(), words::number(status.of(state))])
        .collect();
    let head = format!(
        "letter {} of incident {} to {}: {}",
        status.letter,
        status.incident,
        status.audience.as_str(),
        status.state.as_str()
    );
    let mut out: Vec<_> = std::iter::once(head).chain(columns::aligned(&rows)).collect();
    if status.perhaps_not_reached > 0 {
        out.push(format!(
            "{} perhaps not reached: what came back was not understood ({} messages); to decide: \
             cofferdam letters returned list {}",
            words::number(status.perhaps_not_reached),
            words::number(status.not_understood),
            status.letter
        ));
    }
    if let Some(version) = &status.version {
        out.push(format!("version {version}"));
    }
    if let Some(left) = status.seconds_left.filter(|_| status.open() > 0) {
        let minute = words::number(status.last_minute);
        out.push(format!("{minute} in the last minute; about {} min left", left.div_ceil(60)));
    }
    out.extend(status.providers.iter().filter_map(provider));
    out.extend(status.reset_pages.map(reset_pages));
    out.extend(status.trouble.clone());
    out
}

/// Sums a letter up in one line.
pub fn summary(status: &LetterStatus) -> String {
    format!(
        "to {}: {} accepted, {} in doubt, {} bounced, {} still to send",
        status.audience.as_str(),
        words::number(status.of(LedgerState::Accepted)),
        words::number(status.of(LedgerState::InDoubt)),
        words::number(status.of(LedgerState::Bounced)),
        words::number(status.open()),
    )
}

/// The cells of a letter in a listing, from its audience on.
pub fn counts(status: &LetterStatus) -> Vec<String> {
    let count = |state| words::number(status.of(state));
    vec![
        status.audience.as_str().to_owned(),
        status.state.as_str().to_owned(),
        count(LedgerState::Accepted),
        count(LedgerState::InDoubt),
        count(LedgerState::Bounced),
        words::number(status.open()),
    ]
}

/// Describes a mail provider, if letters to it wait or its pace is limited.
fn provider(of: &ProviderStatus) -> Option<String> {
    if of.waiting == 0 && of.rate.is_none() && of.paused.is_none() {
        return None;
    }
    let rate = of.rate.map_or_else(String::new, |rate| format!(", {rate} a second at most"));
    let why = of.paused.as_ref().map_or_else(String::new, |why| format!(", PAUSED: {why}"));
    Some(format!("{}: {} wait{rate}{why}", of.provider, words::number(of.waiting)))
}

fn reset_pages(pages: ResetPages) -> String {
    let busy = pages.busy_percent.map_or_else(
        || "how busy the reset pages are is not known".to_owned(),
        |busy| format!("the reset pages are {busy} % busy"),
    );
    let rate = pages.rate.map_or_else(String::new, |rate| format!("; {rate} a second at most"));
    format!("{busy}{rate}")
}

/// Names the state of a ledger row.
pub const fn state_name(state: LedgerState) -> &'static str {
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
