//! Makes reset codes and mails them, after the request that asked for one was answered.

use std::sync::Arc;

use cofferdam_core::{Clock, Personal, Record, Rng};
use cofferdam_store::StoreError;
use cofferdam_wire::{Problem, ProblemType};
use jiff::SignedDuration;
use tokio::sync::{Semaphore, mpsc};

use crate::domain::letter::{self, Replaced};
use crate::domain::token;
use crate::post::{Letter, Post};
use crate::store::Store;

/// The most resets that may wait.
const WAITING: usize = 10_000;
/// The number of letters that are sent at the same time.
const AT_ONCE: u32 = 8;
/// The time for which a code is good, in minutes.
const MINUTES: i64 = 30;
/// The most codes of a customer that may wait, so that a fallen host can't flood a mailbox.
const CODES: i64 = 5;

/// A reset that was asked for.
#[derive(Debug)]
pub struct AskedReset {
    /// The customer with the address.
    pub record: Record,
    /// The state of the customer's password.
    pub replaced: Replaced,
    /// The normalised address, of which the index was made, so that the letter can't go to a
    /// mailbox whose address merely looks alike.
    pub address: Personal,
}

/// The resets that wait to be mailed.
#[derive(Debug, Clone)]
pub struct ResetQueue(mpsc::Sender<AskedReset>);

impl ResetQueue {
    /// Takes a place in the queue, unless the queue is full. Every request takes one before the
    /// address is looked up, so that a full queue does not tell whether there is such a customer.
    pub fn take_place(&self) -> Result<mpsc::OwnedPermit<AskedReset>, Problem> {
        self.0.clone().try_reserve_owned().map_err(|_| {
            Problem::new(ProblemType::UNAVAILABLE, "too many resets are waiting").retry_after(10)
        })
    }
}

/// The loop that works the queue off.
pub struct ResetLoop {
    waiting: mpsc::Receiver<AskedReset>,
    work: Arc<Work>,
}

struct Work {
    store: Store,
    post: Post,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
}

impl ResetLoop {
    /// Makes a queue and the loop that works it off.
    #[must_use]
    pub fn new(
        store: Store,
        post: Post,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> (ResetQueue, Self) {
        let (sender, waiting) = mpsc::channel(WAITING);
        (ResetQueue(sender), Self { waiting, work: Arc::new(Work { store, post, clock, rng }) })
    }

    /// Runs until the queue is closed and every reset in it is done.
    pub async fn run(mut self) {
        let places = Arc::new(Semaphore::new(AT_ONCE as usize));
        while let Some(asked) = self.waiting.recv().await {
            let Ok(place) = places.clone().acquire_owned().await else { return };
            let work = self.work.clone();
            tokio::spawn(async move {
                work.mail_code(asked).await;
                drop(place);
            });
        }
        // All places are free again once the last letter is out.
        let _ = places.acquire_many(AT_ONCE).await;
    }
}

impl Work {
    async fn mail_code(&self, asked: AskedReset) {
        match self.code_for(asked.record).await {
            Ok(Some(code)) => {
                let text = letter::text(&code, MINUTES, asked.replaced);
                let (to, date) = (asked.address, self.clock.now());
                let letter = Letter { to, subject: letter::SUBJECT, text: &text, date };
                match self.post.send(letter).await {
                    Ok(()) => tracing::info!("a reset code was mailed"),
                    Err(e) => tracing::error!(cause = %e, "a reset code could not be mailed"),
                }
            }
            Ok(None) => {}
            Err(e) => tracing::error!(cause = %e, "a reset code can't be made"),
        }
    }

    /// Makes a fresh code, if not too many of the customer's codes wait.
    async fn code_for(&self, record: Record) -> Result<Option<Personal>, StoreError> {
        let code = token::reset_code(&*self.rng);
        let now = self.clock.now();
        let expires = now.saturating_add(SignedDuration::from_mins(MINUTES)).unwrap_or(now);
        let hash = token::reset_hash(&code);
        let kept = self.store.insert_reset(&hash, record, now, expires, CODES).await?;
        if kept {
            // This comes before the letter leaves, because a fallen relay may have the letter,
            // whatever it answers.
            self.store.insert_mailed(record, now).await?;
        }
        Ok(kept.then_some(code))
    }
}
