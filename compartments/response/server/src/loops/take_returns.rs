//! Takes mail that letters caused. Bounces and complaints move ledger rows. Mail that nothing
//! understood is kept for a person, who decides about it; automatic replies, notices of a delay and
//! of a delivery are understood, and change nothing.

use std::sync::Arc;

use cofferdam_mail::{Report, Returned, TakeError, Taker, read_returned};
use cofferdam_wire::blocking;
use response_api::{LedgerState, LetterId};
use response_letter::{IdForm, MessageIds};
use response_mailing::{CameBack, CameBackAs, Outcome};
use tokio::sync::Semaphore;

use crate::app::App;

/// The local part of the address to which mail providers' feedback loops send complaints (RFC
/// 5965). A complaint names the letter inside.
const COMPLAINTS: &str = "complaints";

/// The number of complaints whose signatures are looked up at the same time.
const LOOK_UPS: usize = 4;
/// The number of Message-IDs that are searched for at the same time: a search takes a core.
const SEARCHES: usize = 1;

/// Takes returned mail.
pub struct Returns {
    app: Arc<App>,
    domain: String,
    /// Limits the look-ups, because the DNS may be slow and bounces must not wait for it.
    look_ups: Semaphore,
    searches: Semaphore,
}

/// The effect of a report on a letter's row.
struct Said {
    state: LedgerState,
    detail: String,
    /// How the report counts towards a pause of the mail provider.
    counts: Option<CameBackAs>,
}

impl Returns {
    /// Makes a taker of mail to return addresses of `domain`.
    pub const fn new(app: Arc<App>, domain: String) -> Self {
        let (look_ups, searches) = (Semaphore::const_new(LOOK_UPS), Semaphore::const_new(SEARCHES));
        Self { app, domain, look_ups, searches }
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

    /// The letter and the person that a report names, by the return path or else by the Message-ID.
    /// Nobody can guess either.
    async fn named(&self, report: &Report) -> Result<Option<(LetterId, u32)>, TakeError> {
        let path = report.original_return_path.as_deref();
        if let Some(found) = path.and_then(|path| self.letter_of(path)) {
            return Ok(Some(found));
        }
        let Some(id) = report.original_message_id.as_deref() else { return Ok(None) };
        let Some(letter) = MessageIds::letter_of(id) else { return Ok(None) };
        let Some(found) = self.app.store.letter(letter).await.map_err(TakeError::keep)? else {
            return Ok(None);
        };
        let person = match found.ids.form() {
            IdForm::Sealed => found.ids.open(id),
            IdForm::Hashed => self.search(letter, found.ids, id.to_owned()).await?,
        };
        Ok(person.map(|person| (letter, person)))
    }

    /// Searches everybody for a Message-ID of a letter that was planned before they were sealed.
    async fn search(
        &self,
        letter: LetterId,
        ids: MessageIds,
        id: String,
    ) -> Result<Option<u32>, TakeError> {
        let Some(last) = self.app.store.last_person(letter).await.map_err(TakeError::keep)? else {
            return Ok(None);
        };
        let busy = |_| TakeError::keep("another complaint's Message-ID is being searched for");
        let _turn = self.searches.try_acquire().map_err(busy)?;
        blocking(move || ids.search(&id, last)).await.map_err(TakeError::keep)
    }

    /// Keeps a message for a person to look at.
    async fn keep(&self, place: (LetterId, u32), message: &[u8]) -> Result<(), TakeError> {
        let (letter, person) = place;
        let office = &self.app.letters;
        let seal = |number| office.returned.seal((letter, person, number), message, &*self.app.rng);
        let bytes = message.len() as u64;
        self.app
            .store
            .keep_returned(place, self.app.now(), bytes, seal)
            .await
            .map_err(TakeError::keep)
    }

    /// Reads the effect of a report; `None` for a report that settles nothing.
    async fn said(
        &self,
        report: Returned,
        recipient: &str,
        message: &[u8],
    ) -> Result<Option<Said>, TakeError> {
        let said = match report {
            Returned::Bounced { status, why, reason } => {
                let detail = format!("{status} {reason}");
                let counts = Some(CameBackAs::Bounced(why));
                Said { state: LedgerState::Bounced, detail, counts }
            }
            Returned::Complained { kind } => {
                let is_providers = self.is_providers(recipient, message).await?;
                let doubt = if is_providers { "" } else { ", not signed by a known sender" };
                let counts = is_providers.then_some(CameBackAs::Complaint);
                Said { state: LedgerState::Complained, detail: format!("{kind}{doubt}"), counts }
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
        let report = read_returned(message);
        let place = match self.letter_of(recipient) {
            Some(place) => Some(place),
            None => self.named(&report).await?,
        };
        let Some((letter, person)) = place else {
            tracing::warn!(kind = report.what.kind(), "a complaint names no letter of ours");
            return Ok(());
        };
        if report.what == Returned::Other {
            return self.keep((letter, person), message).await;
        }
        let Some(said) = self.said(report.what, recipient, message).await? else { return Ok(()) };
        let Said { state, detail, counts } = said;
        let outcome = Outcome { person, state, provider: 0, detail, at: self.app.now() };
        let moved = self.app.store.came_back(letter, &outcome).await.map_err(TakeError::keep)?;
        match (moved, counts) {
            (CameBack::TooEarly, _) => Err(TakeError::keep("the letter is still being sent")),
            (CameBack::Moved { provider }, Some(how)) => {
                self.app.letters.room.came_back(letter, provider, how).await;
                Ok(())
            }
            (CameBack::Moved { .. } | CameBack::Ignored, _) => Ok(()),
        }
    }
}
