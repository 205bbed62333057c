//! The mail room: it starts and stops the mailings of this instance by the letters' states.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use response_api::{LetterId, LetterState, ProviderStatus, ResetPages};
use tokio::sync::{Mutex, Notify, mpsc};
use tokio_util::task::TaskTracker;

use crate::mailing::{Mailing, MailingError};
use crate::pace::CameBackAs;
use crate::reset_pages::ResetPace;
use crate::work::send_letter;
use crate::{LedgerError, Letter, Ports};

/// The time between two reads of the letters' states.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// The mail room of this instance.
pub struct MailRoom {
    ports: Ports,
    mailings: Mutex<HashMap<LetterId, Arc<Mailing>>>,
    tasks: TaskTracker,
    stirred: Notify,
    is_closed: AtomicBool,
}

/// The progress of a letter at this instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The number of letters that got their outcome in the last minute.
    pub last_minute: u64,
    /// The part of that minute since the start, in seconds.
    pub seconds: u64,
    /// The status of each mail provider.
    pub providers: Vec<ProviderStatus>,
    /// The load of the reset pages, if the pace follows it.
    pub reset_pages: Option<ResetPages>,
    /// The reason why the letter makes no progress although it should.
    pub trouble: Option<String>,
}

impl MailRoom {
    /// Makes a mail room that sends nothing yet.
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

    /// Makes the mail room read the letters' states at once.
    pub fn stir(&self) {
        self.stirred.notify_one();
    }

    /// The progress of a letter here; `None` if this instance does not send it.
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

    /// Adopts the provider pauses of a letter from the ledger at once. Other instances follow
    /// within half a second.
    pub async fn adopt_pauses(&self, letter: LetterId) -> Result<(), LedgerError> {
        let mailing = self.mailings.lock().await.get(&letter).cloned();
        match mailing {
            Some(mailing) => crate::pauses::exchange_pauses(&mailing).await,
            None => Ok(()),
        }
    }

    /// Counts a letter that came back against its provider.
    pub async fn came_back(&self, letter: LetterId, provider: u16, how: CameBackAs) {
        let mailing = self.mailings.lock().await.get(&letter).cloned();
        let lanes = mailing.iter().flat_map(|mailing| &mailing.lanes);
        for lane in lanes.filter(|lane| lane.provider == provider) {
            lane.pace().came_back(how);
        }
    }

    /// Stops all mailings, and waits until they have recorded their state. No further one is
    /// started.
    pub async fn close(&self) {
        {
            let mailings = self.mailings.lock().await;
            self.is_closed.store(true, Ordering::Release);
            mailings.values().for_each(|mailing| mailing.halt());
        }
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// The outside of the mailings in this room.
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
                // A mailing of another version or warrant ends, and a new one follows.
                (true, Some(mailing)) if !mailing.matches(&letter) => mailing.halt(),
                (false, Some(mailing)) => mailing.halt(),
                _ => {}
            }
        }
        Ok(())
    }

    /// Starts to send a letter. If it can't be sent, it is paused with a reason for staff.
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
            // The next read of the states tries again.
            Err(MailingError::Ledger(e)) => Err(e),
            Err(e) => {
                tracing::error!(cause = %e, letter = id.0, "a letter can't be sent");
                self.ports.letters.pause_letter(id, &e.to_string()).await?;
                Ok(None)
            }
        }
    }
}
