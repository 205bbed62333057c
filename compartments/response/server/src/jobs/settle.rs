//! Settling doubts from the relay's own log.

use std::collections::HashMap;

use cofferdam_wire::Problem;
use response_api::{LedgerState, Relayed};

use crate::app::App;
use crate::domain::identity::message_id;
use crate::store::{Letter, Outcome};

const PAGE: u32 = 5_000;

/// Rows in doubt whose Message-ID the relay logged are accepted. With a complete log, the others
/// are planned again. How many of each.
pub async fn settle(
    app: &App,
    letter: &Letter,
    relayed: &[Relayed],
    complete: bool,
) -> Result<(u64, u64), Problem> {
    let by_id: HashMap<&str, &str> =
        relayed.iter().map(|of| (of.message_id.as_str(), of.queue_id.as_str())).collect();
    let (mut from, mut accepted) = (0, 0);
    loop {
        let doubted = app.store.ledger(letter.letter, Some(LedgerState::InDoubt), from, PAGE);
        let doubted = doubted.await?;
        let Some(last) = doubted.last() else { break };
        from = last.person.saturating_add(1);
        let known = doubted.iter().filter_map(|row| {
            let domain = &app.config.shop.message_id_domain;
            let id = message_id(&letter.seed, letter.letter.0, row.person, domain);
            let queue_id = by_id.get(id.as_str())?;
            Some(Outcome {
                person: row.person,
                state: LedgerState::Accepted,
                provider: 0,
                outcome: (*queue_id).to_owned(),
                at: app.now(),
            })
        });
        let known: Vec<_> = known.collect();
        app.store.record(letter.letter, None, &known).await?;
        accepted += known.len() as u64;
    }
    let planned =
        if complete { app.store.plan_doubted(letter.letter, app.now()).await? } else { 0 };
    Ok((accepted, planned))
}
