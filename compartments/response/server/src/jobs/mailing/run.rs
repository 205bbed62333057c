//! One letter that this instance sends: what its tasks share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use cofferdam_core::{FieldSet, Timestamp};
use cofferdam_mail::{Form, Mailbox};
use response_api::{Audience, People, ProviderStatus};
use tokio::sync::{Notify, mpsc};

use super::journal::Journal;
use super::lane::{Job, Lane};
use super::record::Result_;
use super::reset_pages::ResetPace;
use crate::app::App;
use crate::domain::governor::Providers;
use crate::domain::letter::{VersionError, Writer};
use crate::roster::Member;
use crate::store::{Holder, Letter, Locale};

/// What the tasks of a letter share.
pub struct Run {
    pub app: Arc<App>,
    pub letter: Letter,
    /// Who holds its batches here.
    pub holder: Holder,
    /// Whose records the letter's incident is about.
    pub people: People,
    pub staff: Vec<Member>,
    pub from: Mailbox,
    pub writer: Writer,
    pub locales: Vec<Locale>,
    forms: RwLock<HashMap<(u16, FieldSet), Arc<Form>>>,
    pub journal: Journal,
    /// `others` last.
    pub lanes: Vec<Lane>,
    pub providers: Providers,
    /// What the pages can bear on which customers set new passwords, where that is looked at.
    pub reset_pages: Option<ResetPace>,
    /// Domains by their exchanges, as far as they were asked for.
    exchanges: Mutex<HashMap<String, usize>>,
    pub results: mpsc::UnboundedSender<Result_>,
    /// Results that are on their way to the ledger.
    pub unrecorded: AtomicU64,
    /// Batches that are held.
    pub held: AtomicU64,
    pub stop: AtomicBool,
    /// No more results will come.
    pub sealed: AtomicBool,
    /// Until when its batches are its own, in milliseconds.
    pub leased_until: AtomicI64,
    /// Somebody should look up: a stop, or room in a lane.
    pub stirred: Notify,
    /// It stops: who waits for something else looks up as well.
    pub halted: Notify,
    pub meter: Meter,
    trouble: Mutex<Option<String>>,
    /// Letters that were signed, for the one in a thousand that is looked at from outside.
    pub signed: AtomicU64,
    pub turn: AtomicU64,
}

/// The parts of a [`Run`] that differ.
pub struct Parts {
    pub letter: Letter,
    pub holder: Holder,
    pub people: People,
    pub staff: Vec<Member>,
    pub from: Mailbox,
    pub writer: Writer,
    pub locales: Vec<Locale>,
    pub journal: Journal,
    pub lanes: Vec<Lane>,
    pub providers: Providers,
    pub leased_until: Timestamp,
}

impl Run {
    pub fn new(app: Arc<App>, parts: Parts, results: mpsc::UnboundedSender<Result_>) -> Self {
        let limit = app.config.letters.reset_pages_busy;
        let tied = limit.filter(|_| parts.letter.audience == Audience::Customers);
        let reset_pages = tied.map(ResetPace::new);
        Self {
            app,
            letter: parts.letter,
            holder: parts.holder,
            people: parts.people,
            staff: parts.staff,
            from: parts.from,
            writer: parts.writer,
            locales: parts.locales,
            forms: RwLock::default(),
            journal: parts.journal,
            lanes: parts.lanes,
            providers: parts.providers,
            reset_pages,
            exchanges: Mutex::default(),
            results,
            unrecorded: AtomicU64::new(0),
            held: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            sealed: AtomicBool::new(false),
            leased_until: AtomicI64::new(parts.leased_until.as_millisecond()),
            stirred: Notify::new(),
            halted: Notify::new(),
            meter: Meter::default(),
            trouble: Mutex::default(),
            signed: AtomicU64::new(0),
            turn: AtomicU64::new(0),
        }
    }

    pub fn must_stop(&self) -> bool {
        self.stop.load(Ordering::Acquire) || *self.app.stopping.borrow()
    }

    /// Whether its batches are its own for long enough to send a letter of them.
    pub fn is_leased(&self) -> bool {
        let margin = 10_000;
        self.app.now().as_millisecond() + margin < self.leased_until.load(Ordering::Acquire)
    }

    /// Whether it sends what a letter's row says now.
    pub fn is_of(&self, letter: &Letter) -> bool {
        (&self.letter.version, self.letter.warrant) == (&letter.version, letter.warrant)
    }

    /// Ends the work on the letter at the next opportunity.
    pub fn halt(&self) {
        self.stop.store(true, Ordering::Release);
        self.stirred.notify_waiters();
        self.halted.notify_waiters();
        for lane in &self.lanes {
            lane.arrived.notify_waiters();
        }
    }

    /// Places of lanes by domain, as far as exchanges were asked for.
    pub fn exchanges(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What keeps the letter from moving; `None` when it moves again.
    pub fn set_trouble(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whole hours since the letter began: the warm-up goes by it.
    pub fn hours(&self, now: Timestamp) -> usize {
        let began = self.letter.started.unwrap_or(now);
        usize::try_from((now.as_second() - began.as_second()) / 3_600).unwrap_or(0)
    }

    /// The text for a row: written once for all who read the same.
    pub fn form(&self, job: &Job) -> Result<Arc<Form>, VersionError> {
        let key = (job.row.locale, job.row.fields);
        if let Some(form) = self.forms.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(form.clone());
        }
        let locale = self.locales.get(usize::from(key.0)).ok_or(VersionError::Changed)?;
        let texts = self.writer.write_approved(locale, key.1)?;
        let form = Form::new(&texts.subject, &texts.text, &texts.html, &texts.nameless);
        let form = Arc::new(form);
        let mut forms = self.forms.write().unwrap_or_else(PoisonError::into_inner);
        Ok(forms.entry(key).or_insert(form).clone())
    }

    pub fn provider_status(&self) -> Vec<ProviderStatus> {
        let hours = self.hours(self.app.now());
        let status = |lane: &Lane| {
            let pace = lane.pace();
            ProviderStatus {
                provider: lane.name.clone(),
                waiting: lane.waiting(),
                rate: pace.rate(hours).map(whole),
                paused: pace.paused.as_ref().map(|pause| pause.why.clone()),
            }
        };
        self.lanes.iter().map(status).collect()
    }
}

/// A rate as staff read it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate is positive and below a billion"
)]
pub fn whole(rate: f64) -> u32 {
    rate.ceil().min(1e9) as u32
}

/// How many outcomes the last minute had.
pub struct Meter {
    began: Instant,
    seconds: Mutex<(Instant, [u64; 60])>,
}

impl Default for Meter {
    fn default() -> Self {
        let began = Instant::now();
        Self { began, seconds: Mutex::new((began, [0; 60])) }
    }
}

impl Meter {
    pub fn add(&self, letters: u64) {
        let mut meter = self.seconds.lock().unwrap_or_else(PoisonError::into_inner);
        roll(&mut meter);
        meter.1[0] += letters;
    }

    pub fn last_minute(&self) -> u64 {
        let mut meter = self.seconds.lock().unwrap_or_else(PoisonError::into_inner);
        roll(&mut meter);
        meter.1.iter().sum()
    }

    /// How many seconds that minute has had so far.
    pub fn seconds(&self) -> u64 {
        self.began.elapsed().as_secs().clamp(1, 60)
    }
}

/// Moves the seconds on to now.
fn roll((at, seconds): &mut (Instant, [u64; 60])) {
    let passed = usize::try_from(at.elapsed().as_secs()).unwrap_or(60).min(60);
    seconds.copy_within(..60 - passed, passed);
    seconds[..passed].fill(0);
    *at += Duration::from_secs(at.elapsed().as_secs());
}
