//! Takes mail that letters caused. Bounces and complaints move ledger rows; other mail is accepted
//! and dropped.

use std::sync::Arc;

use cofferdam_mail::{Report, Returned, TakeError, Taker, read_returned};
use response_api::{LedgerState, LetterId};
use response_mailing::{CameBack, Outcome};
use tokio::sync::Semaphore;

use crate::app::App;

/// The local part of the address to which mail providers' feedback loops send complaints (RFC
/// 5965). A complaint names the letter inside.
const COMPLAINTS: &str = "complaints";

/// The number of complaints whose signatures are looked up at the same time.
const LOOK_UPS: usize = 4;

/// Takes returned mail.
pub struct Returns {
    app: Arc<App>,
    domain: String,
    /// Limits the look-ups, because the DNS may be slow and bounces must not wait for it.
    look_ups: Semaphore,
}

/// The effect of a report on a letter's row.
struct Said {
    state: LedgerState,
    detail: String,
    /// Whether the report counts towards a pause of the mail provider.
    counts: bool,
}

impl Returns {
    /// Makes a taker of mail to return addresses of `domain`.
    pub const fn new(app: Arc<App>, domain: String) -> Self {
        Self { app, domain, look_ups: Semaphore::const_new(LOOK_UPS) }
    }

    /// The letter and the person of a return address, if this compartment made the address.
    fn letter_of(&self, address: &str) -> Option<(LetterId, u32)> {
        let codes = &self.app.letters.room.ports().composer.codes;
        codes.read_return_address(address, &self.domain).ok()
    }

    fn is_for_complaints(&self, address: &str) -> bool {
        address.rsplit_once('@').is_some_and(|(local, domain)| {
            local.eq_ignore_ascii_case(COMPLAINTS) && domain.eq_ignore_ascii_case(&self.domain)
        })
    }

    /// Whether a mail provider sent a complaint. Anybody can write one about a letter of their own,
    /// so a complaint counts only if a known sender signed it and sent it to the complaints
    /// address.
    async fn is_providers(&self, recipient: &str, complaint: &[u8]) -> Result<bool, TakeError> {
        let senders = &self.app.config.letters.complaints_from;
        let receivers = self.app.letters.receivers.as_ref().filter(|_| !senders.is_empty());
        let Some(receivers) = receivers else { return Ok(false) };
        let busy = |_| TakeError::keep("other complaints are being looked up");
        let _turn = self.look_ups.try_acquire().map_err(busy)?;
        Ok(self.is_for_complaints(recipient) && receivers.comes_from(complaint, senders).await)
    }

    /// Reads the effect of a report; `None` for a report that settles nothing, and for automatic
    /// replies.
    async fn said(
        &self,
        report: Returned,
        recipient: &str,
        message: &[u8],
    ) -> Result<Option<Said>, TakeError> {
        let said = match report {
            Returned::Bounced { status, reason } => {
                let detail = format!("{status} {reason}");
                Said { state: LedgerState::Bounced, detail, counts: true }
            }
            Returned::Complained { kind } => {
                let counts = self.is_providers(recipient, message).await?;
                let doubt = if counts { "" } else { ", not signed by a known sender" };
                let detail = format!("{kind}{doubt}");
                Said { state: LedgerState::Complained, detail, counts }
            }
            _ => return Ok(None),
        };
        Ok(Some(said))
    }
}

impl Taker for Returns {
    /// Accepts only return addresses that this compartment made, so that forged ones are refused at
    /// once.
    fn knows(&self, recipient: &str) -> bool {
        self.letter_of(recipient).is_some() || self.is_for_complaints(recipient)
    }

    async fn take(&self, recipient: &str, message: &[u8]) -> Result<(), TakeError> {
        let Report { what, original_return_path, .. } = read_returned(message);
        let named = || original_return_path.as_deref().and_then(|path| self.letter_of(path));
        let Some((letter, person)) = self.letter_of(recipient).or_else(named) else {
            tracing::info!("a complaint names no letter of ours");
            return Ok(());
        };
        let Some(said) = self.said(what, recipient, message).await? else { return Ok(()) };
        let Said { state, detail, counts } = said;
        let outcome = Outcome { person, state, provider: 0, detail, at: self.app.now() };
        let moved = self.app.store.came_back(letter, &outcome).await.map_err(TakeError::keep)?;
        match moved {
            CameBack::Moved { provider } if counts => {
                let complained = state == LedgerState::Complained;
                self.app.letters.room.came_back(letter, provider, complained).await;
                Ok(())
            }
            CameBack::Moved { .. } | CameBack::Ignored => Ok(()),
            CameBack::TooEarly => Err(TakeError::keep("the letter is still being sent")),
        }
    }
}
