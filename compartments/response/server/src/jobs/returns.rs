//! What comes back from letters: bounces and complaints move ledger rows, everything else is taken
//! and forgotten.

use std::sync::Arc;

use cofferdam_mail::{Returned, TakeError, Taker, read_returned};
use response_api::{LedgerState, LetterId};
use tokio::sync::Semaphore;

use crate::app::App;
use crate::store::{CameBack, Outcome};

/// Where mail providers' feedback loops send complaints (RFC 5965): they name the letter inside.
const COMPLAINTS: &str = "complaints";

/// Takes what comes back.
pub struct Returns {
    app: Arc<App>,
    domain: String,
    /// For the DNS that complaints are looked up in: it may be slow, and bounces must not wait.
    looks: Semaphore,
}

/// Complaints that are looked up at the same time.
const LOOKS: usize = 4;

impl Returns {
    pub const fn new(app: Arc<App>, domain: String) -> Self {
        Self { app, domain, looks: Semaphore::const_new(LOOKS) }
    }

    /// Whose letter an address stands for, if we made it.
    fn letter_of(&self, address: &str) -> Option<(LetterId, u32)> {
        self.app.mail.keys.read_return(address, &self.domain).ok()
    }

    /// Whether a mail provider sends a complaint, and not somebody about a letter of one's own. One
    /// that comes to a letter's own address could be any that the provider ever signed.
    async fn is_providers(&self, recipient: &str, complaint: &[u8]) -> Result<bool, TakeError> {
        let senders = &self.app.config.letters.complaints_from;
        let Some(outside) = self.app.mail.outside.as_ref().filter(|_| !senders.is_empty()) else {
            return Ok(false);
        };
        let busy = |_| TakeError::keep("other complaints are being looked at");
        let _turn = self.looks.try_acquire().map_err(busy)?;
        Ok(self.is_for_complaints(recipient) && outside.comes_from(complaint, senders).await)
    }

    fn is_for_complaints(&self, address: &str) -> bool {
        address.rsplit_once('@').is_some_and(|(local, domain)| {
            local.eq_ignore_ascii_case(COMPLAINTS) && domain.eq_ignore_ascii_case(&self.domain)
        })
    }
}

impl Taker for Returns {
    /// Only addresses that we made: whoever forges one is refused at the door.
    fn knows(&self, recipient: &str) -> bool {
        self.letter_of(recipient).is_some() || self.is_for_complaints(recipient)
    }

    async fn take(&self, recipient: &str, message: &[u8]) -> Result<(), TakeError> {
        let report = read_returned(message);
        let named = || report.original_return_path.as_deref().and_then(|of| self.letter_of(of));
        let Some((letter, person)) = self.letter_of(recipient).or_else(named) else {
            tracing::info!("a complaint names no letter of ours");
            return Ok(());
        };
        let (state, said, counts) = match report.what {
            Returned::Bounced { status, reason } => {
                (LedgerState::Bounced, format!("{status} {reason}"), true)
            }
            Returned::Complained { kind } if self.is_providers(recipient, message).await? => {
                (LedgerState::Complained, kind, true)
            }
            Returned::Complained { kind } => {
                (LedgerState::Complained, format!("{kind}, not signed by a known sender"), false)
            }
            // Nothing final, or a machine's politeness.
            _ => return Ok(()),
        };
        let outcome = Outcome { person, state, provider: 0, outcome: said, at: self.app.now() };
        let moved = self.app.store.came_back(letter, &outcome).await;
        let moved = moved.map_err(TakeError::keep)?;
        let provider = match moved {
            CameBack::Moved { provider } => provider,
            CameBack::Early => return Err(TakeError::keep("the letter is still being sent")),
            CameBack::Nothing => return Ok(()),
        };
        if counts
            && let Some(run) = self.app.sending.lock().await.get(&letter)
            && let Some(lane) = run.lanes.iter().find(|lane| lane.provider == provider)
        {
            lane.pace().came_back(state == LedgerState::Complained);
        }
        Ok(())
    }
}
