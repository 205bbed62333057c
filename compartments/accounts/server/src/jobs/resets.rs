//! Makes reset codes and mails them, after the request that asked was answered.

use std::sync::Arc;

use cofferdam_core::{Clock, Personal, Rng};
use cofferdam_store::StoreError;
use cofferdam_wire::{Problem, ProblemType};
use jiff::SignedDuration;
use tokio::sync::{Semaphore, mpsc};

use super::{Letter, Post};
use crate::domain::{letter, token};
use crate::store::{EmailIndex, Store};

/// How many requests may wait.
const WAITING: usize = 10_000;
/// How many letters are on their way at once.
const AT_ONCE: u32 = 8;
/// How long a code is good, in minutes.
const MINUTES: i64 = 30;
/// How many codes a customer may have waiting: a fallen host can't flood a mailbox.
const CODES: i64 = 5;

/// A reset that somebody asked for.
#[derive(Debug)]
pub struct AskedReset {
    /// The index of the address.
    pub index: EmailIndex,
    /// The address, normalised: in the form that the index stands for, and no other, so that the
    /// letter can't go to a mailbox that merely looks alike.
    pub address: Personal,
}

/// Where asked-for resets wait.
#[derive(Debug, Clone)]
pub struct ResetQueue(mpsc::Sender<AskedReset>);

impl ResetQueue {
    /// Adds one.
    pub fn push(&self, asked: AskedReset) -> Result<(), Problem> {
        self.0.try_send(asked).map_err(|_| {
            Problem::new(ProblemType::UNAVAILABLE, "too many resets are waiting").retry_after(10)
        })
    }
}

/// Works off the queue.
pub struct ResetJob {
    waiting: mpsc::Receiver<AskedReset>,
    desk: Arc<Desk>,
}

struct Desk {
    store: Store,
    post: Post,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
}

impl ResetJob {
    /// A queue and the job that works it off.
    #[must_use]
    pub fn new(
        store: Store,
        post: Post,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> (ResetQueue, Self) {
        let (sender, waiting) = mpsc::channel(WAITING);
        (ResetQueue(sender), Self { waiting, desk: Arc::new(Desk { store, post, clock, rng }) })
    }

    /// Ends when the queue is closed, and everything in it done.
    pub async fn run(mut self) {
        let places = Arc::new(Semaphore::new(AT_ONCE as usize));
        while let Some(asked) = self.waiting.recv().await {
            let Ok(place) = places.clone().acquire_owned().await else { return };
            let desk = self.desk.clone();
            tokio::spawn(async move {
                desk.answer(asked).await;
                drop(place);
            });
        }
        // All places are free again when the last letter is out.
        let _ = places.acquire_many(AT_ONCE).await;
    }
}

impl Desk {
    async fn answer(&self, asked: AskedReset) {
        match self.code_for(&asked.index).await {
            Ok(Some(code)) => {
                let text = letter::text(&code, MINUTES);
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

    /// A fresh code, if the address is a customer's who has not too many of them already.
    async fn code_for(&self, index: &EmailIndex) -> Result<Option<Personal>, StoreError> {
        let Some(record) = self.store.find(index).await? else { return Ok(None) };
        let code = token::reset_code(&*self.rng);
        let now = self.clock.now();
        let expires = now.saturating_add(SignedDuration::from_mins(MINUTES)).unwrap_or(now);
        let hash = token::reset_hash(&code);
        let kept = self.store.insert_reset(&hash, record, now, expires, CODES).await?;
        if kept {
            // Before it leaves: a relay that fell may have it, whatever it answers.
            self.store.insert_mailed(record, now).await?;
        }
        Ok(kept.then_some(code))
    }
}
