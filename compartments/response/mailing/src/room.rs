//! The mail room: it starts and stops the mailings of this instance, as the letters' states say.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use response_api::{LetterId, LetterState, ProviderStatus, ResetPages};
use tokio::sync::{Mutex, Notify, mpsc};
use tokio_util::task::TaskTracker;

use crate::mailing::{Mailing, MailingError};
use crate::reset_pages::ResetPace;
use crate::work::send_letter;
use crate::{LedgerError, Letter, Ports};

/// How often the letters' states are read.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// The mailings of this instance.
pub struct MailRoom {
    ports: Ports,
    mailings: Mutex<HashMap<LetterId, Arc<Mailing>>>,
    tasks: TaskTracker,
    stirred: Notify,
    is_closed: AtomicBool,
}

/// How a letter goes at this instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Letters that got their outcome in the last minute.
    pub last_minute: u64,
    /// How much of that minute has passed since the start, in seconds.
    pub seconds: u64,
    /// The mail providers.
    pub providers: Vec<ProviderStatus>,
    /// The load of the reset pages, if the pace follows it.
    pub reset_pages: Option<ResetPages>,
    /// Why the letter does not move although it should.
    pub trouble: Option<String>,
}

impl MailRoom {
    /// A mail room without mailings.
    #[must_use]
    pub fn new(ports: Ports) -> Self {
        Self {
            ports,
            mailings: Mutex::default(),
            tasks: TaskTracker::new(),
            stirred: Notify::new(),
            is_closed: AtomicBool::new(false),
        }
    }

    /// Sends every running letter, for as long as the future is polled.
    pub async fn send_letters(self: Arc<Self>) {
        loop {
            if let Err(e) = self.follow_letters().await {
                tracing::warn!(cause = %e, "the states of letters can't be read");
            }
            let _ = tokio::time::timeout(LOOK_EVERY, self.stirred.notified()).await;
        }
    }

    /// Has the letters' states read at once.
    pub fn stir(&self) {
        self.stirred.notify_one();
    }

    /// How a letter goes here; `None` if this instance does not send it.
    pub async fn progress(&self, letter: LetterId) -> Option<Progress> {
        let mailing = self.mailings.lock().await.get(&letter).cloned()?;
        Some(Progress {
            last_minute: mailing.meter.last_minute(),
            seconds: mailing.meter.seconds(),
            providers: mailing.provider_status(),
            reset_pages: mailing.reset_pace.as_ref().map(ResetPace::status),
            trouble: mailing.trouble(),
        })
    }

    /// Adopts at once what the ledger says about a letter's providers. Other instances hear it within
    /// half a second.
    pub async fn adopt_pauses(&self, letter: LetterId) -> Result<(), LedgerError> {
        let mailing = self.mailings.lock().await.get(&letter).cloned();
        match mailing {
            Some(mailing) => crate::pauses::exchange_pauses(&mailing).await,
            None => Ok(()),
        }
    }

    /// Counts a letter that came back against its provider: it bounced, or its reader complained.
    pub async fn came_back(&self, letter: LetterId, provider: u16, complained: bool) {
        let mailing = self.mailings.lock().await.get(&letter).cloned();
        let lanes = mailing.iter().flat_map(|mailing| &mailing.lanes);
        for lane in lanes.filter(|lane| lane.provider == provider) {
            lane.pace().came_back(complained);
        }
    }

    /// Stops all mailings, and waits until they recorded where they are. No further one is started.
    pub async fn close(&self) {
        {
            let mailings = self.mailings.lock().await;
            self.is_closed.store(true, Ordering::Release);
            mailings.values().for_each(|mailing| mailing.halt());
        }
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// What the mailings of this room use.
    #[must_use]
    pub const fn ports(&self) -> &Ports {
        &self.ports
    }

    async fn follow_letters(self: &Arc<Self>) -> Result<(), LedgerError> {
        for letter in self.ports.letters.all_letters().await? {
            let mut mailings = self.mailings.lock().await;
            let mailing = mailings.get(&letter.letter).cloned();
            match (letter.state == LetterState::Running, mailing) {
                (true, None) if !self.is_closed.load(Ordering::Acquire) => {
                    if let Some(mailing) = self.start(letter).await? {
                        mailings.insert(mailing.letter.letter, mailing);
                    }
                }
                // A mailing of another version or warrant ends; a new one follows.
                (true, Some(mailing)) if !mailing.matches(&letter) => mailing.halt(),
                (false, Some(mailing)) => mailing.halt(),
                _ => {}
            }
        }
        Ok(())
    }

    /// Starts to send a letter. A letter that can't be sent is paused, for staff to see why.
    async fn start(self: &Arc<Self>, letter: Letter) -> Result<Option<Arc<Mailing>>, LedgerError> {
        let id = letter.letter;
        let (pending, outcomes) = mpsc::unbounded_channel();
        match Mailing::open(self.ports.clone(), letter, pending).await {
            Ok(mailing) => {
                let (room, mailing) = (self.clone(), Arc::new(mailing));
                let worker = mailing.clone();
                self.tasks.spawn(async move {
                    send_letter(worker, outcomes).await;
                    room.mailings.lock().await.remove(&id);
                });
                Ok(Some(mailing))
            }
            // The next look may do better.
            Err(MailingError::Ledger(e)) => Err(e),
            Err(e) => {
                tracing::error!(cause = %e, letter = id.0, "a letter can't be sent");
                self.ports.letters.pause_letter(id, &e.to_string()).await?;
                Ok(None)
            }
        }
    }
}
