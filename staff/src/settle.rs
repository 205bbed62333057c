//! Settling rows in doubt from the relay's own log.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use cofferdam_mail::{RelayLog, RelayLogLine};
use cofferdam_wire::Client;
use response_api::{LedgerState, LetterId, ReadLedger, Relayed, SettleLetter, Settled};

use crate::StepError;
use crate::step::call;

/// The number of rows in one page of the ledger.
const PAGE: u32 = 10_000;
/// The number of messages that one call settles.
const MESSAGES: usize = 50_000;

/// Tells `response` which letters in doubt the relay's log names, oldest file first. `complete`
/// says that the log is whole since the letter began: a letter that the log does not name is then
/// planned again.
pub async fn settle(
    client: &Client,
    letter: LetterId,
    logs: &[PathBuf],
    complete: bool,
) -> Result<Settled, StepError> {
    let doubted = doubted(client, letter).await?;
    let mut log = RelayLog::default();
    let mut accepted = 0;
    let mut relayed = Vec::new();
    for path in logs {
        let file = File::open(path).map_err(StepError::file(path))?;
        for line in BufReader::new(file).split(b'\n') {
            let line = line.map_err(StepError::file(path))?;
            let Some(RelayLogLine { queue_id, message_id }) = log.read(&line) else { continue };
            if !doubted.contains(&message_id) {
                continue;
            }
            relayed.push(Relayed { message_id, queue_id });
            if relayed.len() == MESSAGES {
                let relayed = std::mem::take(&mut relayed);
                let some = SettleLetter { letter, relayed, complete: false };
                accepted += call(client, &some).await?.accepted;
            }
        }
    }
    let mut settled = call(client, &SettleLetter { letter, relayed, complete }).await?;
    settled.accepted += accepted;
    Ok(settled)
}

/// Reads the Message-IDs in doubt. The log names millions of others, which are not worth a call.
async fn doubted(client: &Client, letter: LetterId) -> Result<BTreeSet<String>, StepError> {
    let (mut ids, mut from) = (BTreeSet::new(), 0);
    loop {
        let page = ReadLedger { letter, from, limit: PAGE, state: Some(LedgerState::InDoubt) };
        let rows = call(client, &page).await?;
        let Some(last) = rows.last() else { return Ok(ids) };
        from = last.person.saturating_add(1);
        ids.extend(rows.into_iter().map(|row| row.message_id));
    }
}
