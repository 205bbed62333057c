//! One connection of a lane: it takes letters, makes their messages, hands them over, and reports
//! the relay's answers.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cofferdam_core::Timestamp;
use cofferdam_mail::{BounceReason, Outcome as RelayAnswer, VerifyError};
use response_api::LedgerState;

use crate::compose::ComposeError;
use crate::feed::return_untried;
use crate::lane::{Lane, QueuedLetter};
use crate::mailing::{Mailing, PendingOutcome};
use crate::pace::{Answer, Permit};
use crate::{Line, Outcome};

/// The time for which an idle connection is kept.
const IDLE: Duration = Duration::from_secs(2);
/// The pause after a relay did not answer. It doubles up to [`LONGEST_SETBACK`].
const FIRST_SETBACK: Duration = Duration::from_millis(200);
const LONGEST_SETBACK: Duration = Duration::from_secs(15);
/// The longest sleep before a paced letter, in milliseconds. A pause or a stop is noticed within
/// it.
const LONGEST_NAP_MS: u64 = 1_000;
/// One letter in this many is checked as its receivers would.
const CHECK_EVERY: u64 = 1_000;
/// The pause before a check is repeated because a DNS server did not answer.
const CHECK_AGAIN: Duration = Duration::from_secs(5);

/// A connection, and the number of letters that went over it.
#[derive(Default)]
struct Sender {
    line: Option<Box<dyn Line>>,
    letters: u32,
    setback: Option<Duration>,
}

/// Sends the letters of the lane at `place` until the mailing stops.
pub async fn send_lane(mailing: Arc<Mailing>, place: usize) {
    let lane = &mailing.lanes[place];
    let mut sender = Sender::default();
    while !mailing.must_stop() {
        let arrived = lane.arrived.notified();
        let Some(letter) = lane.pop() else {
            if tokio::time::timeout(IDLE, arrived).await.is_err() {
                sender.close().await;
            }
            continue;
        };
        mailing.stirred.notify_one();
        if wait_for_turn(&mailing, lane).await {
            send_one(&mailing, lane, &mut sender, letter).await;
        } else {
            return_untried(&mailing, &letter.batch, letter.recipient, lane.provider);
        }
    }
    sender.close().await;
}

/// Waits until provider and reset pages permit a letter; `false` if the provider is paused or the
/// mailing stops.
async fn wait_for_turn(mailing: &Mailing, lane: &Lane) -> bool {
    let ask_lane = |now: Timestamp| lane.pace().ask(now.as_millisecond(), mailing.hours(now));
    if !wait_for_permit(mailing, ask_lane).await {
        return false;
    }
    match &mailing.reset_pace {
        Some(pages) => {
            let ask_pages = |now: Timestamp| pages.pace().ask(now.as_millisecond(), 0);
            wait_for_permit(mailing, ask_pages).await
        }
        None => true,
    }
}

async fn wait_for_permit(mailing: &Mailing, ask: impl Fn(Timestamp) -> Permit) -> bool {
    while !mailing.must_stop() {
        let now = mailing.ports.now();
        match ask(now) {
            Permit::Now => return true,
            Permit::Paused => return false,
            Permit::At(at) => {
                let wait = u64::try_from(at - now.as_millisecond()).unwrap_or(1);
                tokio::time::sleep(Duration::from_millis(wait.min(LONGEST_NAP_MS))).await;
            }
        }
    }
    false
}

async fn send_one(mailing: &Mailing, lane: &Lane, sender: &mut Sender, letter: QueuedLetter) {
    if !mailing.is_leased() {
        lane.push_front(letter);
        return tokio::time::sleep(FIRST_SETBACK).await;
    }
    let message = match message(mailing, &letter) {
        Ok(message) => message,
        Err(e) => {
            let outcome = outcome(mailing, lane, &letter, LedgerState::Suppressed, e.to_string());
            return report(mailing, &letter, outcome, None);
        }
    };
    if mailing.made_count.fetch_add(1, Ordering::Relaxed).is_multiple_of(CHECK_EVERY)
        && let Err(cause) = check_as_receiver(mailing, &message).await
    {
        mailing.pause(&format!("receivers would not take a letter for ours: {cause}")).await;
        return return_untried(mailing, &letter.batch, letter.recipient, lane.provider);
    }
    let Some(line) = sender.connect(mailing, lane).await else {
        return lane.push_front(letter);
    };
    // Connecting may have taken long: the mailing may be stopped, or the batch taken over.
    if mailing.must_stop() || !mailing.is_leased() {
        return lane.push_front(letter);
    }
    let note = match mailing.notes.sending(letter.recipient.person) {
        Ok(note) => note,
        Err(e) => {
            mailing.set_trouble(Some(format!("sending notes can't be written: {e}")));
            lane.push_front(letter);
            return tokio::time::sleep(LONGEST_SETBACK).await;
        }
    };
    let (composer, person) = (&mailing.ports.composer, letter.recipient.person);
    let envelope = composer.envelope(&mailing.letter, person, &letter.to);
    let answer = line.send(&envelope, &message).await;
    sender.letters += 1;
    conclude(mailing, lane, &letter, answer, note);
}

/// Reports the relay's answer to the pace, the notes and the recorder.
fn conclude(mailing: &Mailing, lane: &Lane, letter: &QueuedLetter, answer: RelayAnswer, note: u64) {
    let (state, detail, lesson) = match answer {
        RelayAnswer::Accepted(accepted) => {
            let receipt = accepted.receipt().to_owned();
            (LedgerState::Accepted, receipt, Some(Answer::Accepted))
        }
        RelayAnswer::Refused { code, reply } => {
            let detail = format!("{code} {reply}");
            let lesson = Answer::Refused(BounceReason::of_reply(&detail));
            (LedgerState::Bounced, detail, Some(lesson))
        }
        RelayAnswer::InDoubt { cause } => (LedgerState::InDoubt, cause, None),
        RelayAnswer::Deferred { code, reply } => {
            let spent = letter.batch.attempts + 1 >= mailing.ports.rules.retry.attempts;
            let state = if spent { LedgerState::Expired } else { LedgerState::Deferred };
            let detail = code.map_or_else(|| reply.clone(), |code| format!("{code} {reply}"));
            // Without a code, the connection broke, which says nothing about the provider.
            (state, detail, code.map(|_| Answer::Deferred))
        }
    };
    if let Some(lesson) = lesson {
        let now = mailing.ports.now();
        lane.pace().learn(lesson, now.as_millisecond(), mailing.hours(now));
        if let (Answer::Accepted, Some(pages)) = (lesson, &mailing.reset_pace) {
            pages.pace().learn(lesson, now.as_millisecond(), 0);
        }
    }
    let outcome = outcome(mailing, lane, letter, state, detail);
    if let Err(e) = mailing.notes.outcome(&outcome) {
        tracing::error!(cause = %e, "sending notes can't be written");
    }
    report(mailing, letter, outcome, Some(note));
}

fn report(mailing: &Mailing, letter: &QueuedLetter, outcome: Outcome, note: Option<u64>) {
    let batch = letter.batch.clone();
    mailing.report(PendingOutcome { batch, outcome, note, tried: true });
}

fn outcome(
    mailing: &Mailing,
    lane: &Lane,
    letter: &QueuedLetter,
    state: LedgerState,
    detail: String,
) -> Outcome {
    let (person, provider) = (letter.recipient.person, lane.provider);
    Outcome { person, state, provider, detail, at: mailing.ports.now() }
}

fn message(mailing: &Mailing, letter: &QueuedLetter) -> Result<Vec<u8>, ComposeError> {
    let composer = &mailing.ports.composer;
    let form = mailing.forms.form(letter.recipient)?;
    let marks = composer.marks(&mailing.letter, letter.recipient.person)?;
    composer.message(&form, &letter.to, mailing.forms.date(), &marks)
}

/// Checks a message as its receivers would. While the DNS does not answer, this connection waits: a
/// busy name server is no reason to pause the letter.
async fn check_as_receiver(mailing: &Mailing, message: &[u8]) -> Result<(), String> {
    let Some(receivers) = &mailing.ports.receivers else { return Ok(()) };
    while !mailing.must_stop() {
        match receivers.verify(message).await {
            Err(e @ VerifyError::Unknown(_)) => {
                mailing
                    .set_trouble(Some(format!("a letter can't be checked as by receivers: {e}")));
                tokio::time::sleep(CHECK_AGAIN).await;
            }
            known => return known.map_err(|e| e.to_string()),
        }
    }
    Ok(())
}

impl Sender {
    /// The open connection, or a new one; `None`, after a pause, if the relay does not answer.
    async fn connect(&mut self, mailing: &Mailing, lane: &Lane) -> Option<&mut Box<dyn Line>> {
        let is_worn = self.letters >= lane.per_connection;
        if is_worn || self.line.as_ref().is_some_and(|line| !line.is_open()) {
            self.close().await;
        }
        if self.line.is_none() {
            match mailing.ports.relay.connect().await {
                Ok(line) => {
                    if self.setback.take().is_some() {
                        mailing.set_trouble(None);
                    }
                    self.line = Some(line);
                }
                Err(cause) => {
                    tracing::warn!(cause, "letters wait for the relay");
                    mailing.set_trouble(Some(cause));
                    self.pause_after_failure(mailing).await;
                    return None;
                }
            }
        }
        self.line.as_mut()
    }

    async fn pause_after_failure(&mut self, mailing: &Mailing) {
        let pause = self.setback.map_or(FIRST_SETBACK, |last| (last * 2).min(LONGEST_SETBACK));
        self.setback = Some(pause);
        let halted = mailing.halted.notified();
        if !mailing.must_stop() {
            let _ = tokio::time::timeout(pause, halted).await;
        }
    }

    async fn close(&mut self) {
        self.letters = 0;
        if let Some(line) = self.line.take() {
            line.close().await;
        }
    }
}
