//! A mailing: one letter that this worker sends, and the state that its tasks share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cofferdam_core::Timestamp;
use jiff::SignedDuration;
use response_api::{Audience, ProviderStatus};
use response_letter::{Version, VersionError, Writer};
use tokio::sync::{Notify, mpsc};

use crate::compose::Forms;
use crate::lane::{HeldBatch, Lane};
use crate::meter::Meter;
use crate::providers::{OTHERS, Providers};
use crate::reset_pages::ResetPace;
use crate::{
    ContactsError, Holder, LedgerError, Letter, LetterContacts, Outcome, Ports, ProviderConfig,
    SendingNotes,
};

/// The time for which a worker holds a batch without a sign of life.
pub const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// The time before the end of the lease in which no letter is sent any more, in milliseconds.
const LEASE_MARGIN_MS: i64 = 10_000;

/// A letter that this worker can't send.
#[derive(Debug, thiserror::Error)]
pub enum MailingError {
    /// The ledger can't be reached.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The sending notes can't be written or read.
    #[error("sending notes: {0}")]
    Notes(#[from] std::io::Error),
    /// The stored version can't be used.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// No version of the letter was approved.
    #[error("the letter has no approved version")]
    Unapproved,
    /// The names and addresses can't be read.
    #[error(transparent)]
    Contacts(#[from] ContactsError),
}

impl cofferdam_core::InternalError for MailingError {}

/// An outcome on its way to the ledger.
pub struct PendingOutcome {
    pub batch: Arc<HeldBatch>,
    pub outcome: Outcome,
    /// The file of the note that the letter was being sent; `None` if the letter never went on the
    /// wire.
    pub note: Option<u64>,
    /// Whether this was an attempt. An untried row is due again soon, and its attempts stay the
    /// same.
    pub tried: bool,
}

/// One letter that this worker sends.
pub struct Mailing {
    pub ports: Ports,
    pub letter: Letter,
    /// The name under which this worker holds batches.
    pub holder: Holder,
    pub contacts: Box<dyn LetterContacts>,
    pub forms: Forms,
    pub notes: Box<dyn SendingNotes>,
    /// One lane a provider; the lane of `others` is the last.
    pub lanes: Vec<Lane>,
    pub providers: Providers,
    /// The pace of the whole letter, if it depends on the load of the reset pages.
    pub reset_pace: Option<ResetPace>,
    /// The lanes of mail domains, by their mail exchanges.
    pub lanes_by_exchange: Mutex<HashMap<String, usize>>,
    pub pending: mpsc::UnboundedSender<PendingOutcome>,
    /// The number of outcomes on their way to the ledger.
    pub pending_count: AtomicU64,
    /// The number of batches that this worker holds.
    pub held_count: AtomicU64,
    /// Set when no more outcomes will come.
    pub is_sealed: AtomicBool,
    /// The number of letters that were made. Every thousandth is checked as receivers would.
    pub made_count: AtomicU64,
    /// Notified when waiting tasks should check again: the mailing stops, or a lane has room.
    pub stirred: Notify,
    /// Notified when the mailing stops.
    pub halted: Notify,
    pub meter: Meter,
    stop: AtomicBool,
    /// The end of the lease, in milliseconds since 1970.
    leased_until: AtomicI64,
    trouble: Mutex<Option<String>>,
}

impl Mailing {
    /// Prepares to send a letter. Only the approved version is ever read.
    pub async fn open(
        ports: Ports,
        letter: Letter,
        pending: mpsc::UnboundedSender<PendingOutcome>,
    ) -> Result<Self, MailingError> {
        let version = letter.version.ok_or(MailingError::Unapproved)?;
        let json = ports.letters.version(letter.letter, version).await?;
        let json = json.ok_or(MailingError::Unapproved)?;
        let writer = Writer::new(Version::parse(&json, version)?)?;
        let locales = ports.letters.locales(letter.letter).await?;
        let contacts = ports.contacts.open(&letter).await?;
        let lanes = open_lanes(&ports, &letter).await?;
        let holder = Holder(hex::encode(ports.rng.bytes::<8>()));
        let limit = ports.rules.reset_pages_busy;
        let limit = limit.filter(|_| letter.audience == Audience::Customers);
        let leased_until = ports.now().saturating_add(LEASE).unwrap_or(Timestamp::MAX);
        Ok(Self {
            notes: ports.notes.begin(letter.letter, &holder)?,
            forms: Forms::new(writer, locales),
            providers: Providers::new(&ports.rules.providers),
            reset_pace: limit.map(ResetPace::new),
            ports,
            letter,
            holder,
            contacts,
            lanes,
            lanes_by_exchange: Mutex::default(),
            pending,
            pending_count: AtomicU64::new(0),
            held_count: AtomicU64::new(0),
            is_sealed: AtomicBool::new(false),
            made_count: AtomicU64::new(0),
            stirred: Notify::new(),
            halted: Notify::new(),
            meter: Meter::default(),
            stop: AtomicBool::new(false),
            leased_until: AtomicI64::new(leased_until.as_millisecond()),
            trouble: Mutex::default(),
        })
    }

    pub fn must_stop(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Ends the mailing at the next opportunity. Letters that are on the wire still go out.
    pub fn halt(&self) {
        self.stop.store(true, Ordering::Release);
        self.stirred.notify_waiters();
        self.halted.notify_waiters();
        for lane in &self.lanes {
            lane.arrived.notify_waiters();
        }
    }

    /// Pauses the letter for everybody. Staff see the reason.
    pub async fn pause(&self, reason: &str) {
        self.set_trouble(Some(reason.to_owned()));
        if let Err(e) = self.ports.letters.pause_letter(self.letter.letter, reason).await {
            tracing::error!(cause = %e, "a letter could not be paused in the ledger");
        }
        self.halt();
    }

    /// Whether the lease lasts long enough to send another letter.
    pub fn is_leased(&self) -> bool {
        let until = self.leased_until.load(Ordering::Acquire);
        self.ports.now().as_millisecond() + LEASE_MARGIN_MS < until
    }

    /// Whether the lease has ended. Another worker may hold the batches by now.
    pub fn has_lost_lease(&self, now: Timestamp) -> bool {
        now.as_millisecond() > self.leased_until.load(Ordering::Acquire)
    }

    pub fn extend_lease(&self, until: Timestamp) {
        self.leased_until.store(until.as_millisecond(), Ordering::Release);
    }

    /// Whether the mailing sends the letter's present version under its present warrant.
    pub fn matches(&self, letter: &Letter) -> bool {
        (&self.letter.version, self.letter.warrant) == (&letter.version, letter.warrant)
    }

    /// Hands an outcome to the recorder.
    pub fn report(&self, outcome: PendingOutcome) {
        self.pending_count.fetch_add(1, Ordering::AcqRel);
        // The recorder lives longer than every task that reports.
        let _ = self.pending.send(outcome);
    }

    /// The whole hours since the letter began. A provider's warm-up follows them.
    pub fn hours(&self, now: Timestamp) -> usize {
        let began = self.letter.started.unwrap_or(now);
        usize::try_from((now.as_second() - began.as_second()) / 3_600).unwrap_or(0)
    }

    /// Sets the reason why the letter makes no progress; `None` when it makes progress again.
    pub fn set_trouble(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn lanes_by_exchange(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.lanes_by_exchange.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn provider_status(&self) -> Vec<ProviderStatus> {
        let hours = self.hours(self.ports.now());
        let status = |lane: &Lane| {
            let pace = lane.pace();
            ProviderStatus {
                provider: lane.name.clone(),
                waiting: lane.waiting(),
                rate: pace.rate(hours).map(whole_rate),
                paused: pace.paused.as_ref().map(|pause| pause.reason.clone()),
            }
        };
        self.lanes.iter().map(status).collect()
    }
}

async fn open_lanes(ports: &Ports, letter: &Letter) -> Result<Vec<Lane>, LedgerError> {
    let others = ProviderConfig::unlimited(OTHERS, ports.rules.connections);
    let pauses = ports.letters.provider_pauses(letter.letter).await?;
    let mut lanes = Vec::with_capacity(ports.rules.providers.len() + 1);
    for config in ports.rules.providers.iter().cloned().chain([others]) {
        let lane = Lane::new(ports.letters.provider_number(&config.name).await?, config);
        lane.follow_ledger(pauses.get(&lane.provider));
        lanes.push(lane);
    }
    Ok(lanes)
}

/// Rounds a rate to whole letters a second, for staff.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate is positive and below a billion"
)]
pub fn whole_rate(rate: f64) -> u32 {
    rate.ceil().min(1e9) as u32
}
