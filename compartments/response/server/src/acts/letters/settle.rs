//! Settling doubts from a relay's own log.

use std::collections::HashMap;

use cofferdam_wire::Problem;
use response_api::{JournalAct, LedgerState, LetterState, Relayed};
use response_mailing::{Letter, Outcome, close_contacts};

use crate::app::App;
use crate::staff::Author;

/// The number of doubted rows that are read at once.
const PAGE: u32 = 5_000;

/// The counts of settled doubts.
pub struct SettledDoubts {
    /// The number of rows whose Message-ID the relay logged.
    pub accepted: u64,
    /// The number of rows that are planned again.
    pub replanned: u64,
}

/// Accepts doubted rows with a Message-ID that the relay logged. Replans the other doubted rows if
/// the log is `complete`.
pub async fn settle(
    app: &App,
    letter: &Letter,
    (relayed, complete): (&[Relayed], bool),
    by: &Author,
) -> Result<SettledDoubts, Problem> {
    let known: HashMap<&str, &str> = relayed
        .iter()
        .map(|relayed| (relayed.message_id.as_str(), relayed.queue_id.as_str()))
        .collect();
    let outcomes = accepted_by_log(app, letter, &known).await?;
    let accepted = outcomes.len() as u64;
    let id = letter.letter;
    let act = |replanned| {
        let detail = format!(
            "letter {id}: {accepted} doubts accepted by the relay's log, {replanned} planned again"
        );
        app.act(letter.incident, by, JournalAct::SettleLetter, detail)
    };
    let replanned = app.store.settle(id, (&outcomes, complete), app.now(), act).await?;
    if letter.state == LetterState::Finished {
        close_contacts(app.letters.room.ports(), letter).await?;
    }
    Ok(SettledDoubts { accepted, replanned })
}

async fn accepted_by_log(
    app: &App,
    letter: &Letter,
    known: &HashMap<&str, &str>,
) -> Result<Vec<Outcome>, Problem> {
    let domain = &app.config.shop.message_id_domain;
    let (mut outcomes, mut from) = (Vec::new(), 0);
    loop {
        let doubted = Some(LedgerState::InDoubt);
        let rows = app.store.ledger_rows(letter.letter, doubted, from, PAGE).await?;
        let Some(last) = rows.last() else { return Ok(outcomes) };
        from = last.person.saturating_add(1);
        let accepted = |person| {
            let id = letter.ids.of(person, domain);
            let queue_id = known.get(id.as_str())?;
            let (state, detail) = (LedgerState::Accepted, (*queue_id).to_owned());
            Some(Outcome { person, state, provider: 0, detail, at: app.now() })
        };
        outcomes.extend(rows.iter().filter_map(|row| accepted(row.person)));
    }
}
