//! One connection of a lane: takes letters, signs them, hands them over, and tells what became of
//! each.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cofferdam_core::Timestamp;
use cofferdam_mail::{
    Connection, Envelope, Fill, Head, Mailbox, Outcome as Sent, VerifyError, signed,
};
use response_api::LedgerState;

use super::feed::{put_back, settle};
use super::lane::{Job, Lane};
use super::run::Run;
use crate::domain::governor::{Leave, Mark};
use crate::domain::identity::message_id;
use crate::store::Outcome;

/// How long a connection is kept for letters that may come.
const IDLE: Duration = Duration::from_secs(2);
/// Pauses after a relay that does not answer: the first, and at most.
const SETBACK: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(15));
/// One letter of so many is looked at from outside.
const LOOK_AT: u64 = 1_000;
/// Until the DNS is asked again that did not answer.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// A connection, and how many letters went over it.
#[derive(Default)]
struct Line {
    open: Option<Connection>,
    letters: u32,
    setback: Option<Duration>,
}

/// Runs until the letter stops.
pub async fn send(run: Arc<Run>, place: usize) {
    let lane = &run.lanes[place];
    let mut line = Line::default();
    while !run.must_stop() {
        let arrived = lane.arrived.notified();
        let Some(job) = lane.pop() else {
            if tokio::time::timeout(IDLE, arrived).await.is_err() {
                line.close().await;
            }
            continue;
        };
        run.stirred.notify_one();
        if leave(&run, lane).await {
            one(&run, lane, &mut line, job).await;
        } else {
            put_back(&run, &job.held, job.row, lane.provider);
        }
    }
    line.close().await;
}

/// Waits for leave to send; `false` when there will be none.
async fn leave(run: &Run, lane: &Lane) -> bool {
    if !wait(run, |now| lane.pace().ask(now.as_millisecond(), run.hours(now))).await {
        return false;
    }
    match &run.reset_pages {
        Some(pages) => wait(run, |now| pages.pace().ask(now.as_millisecond(), 0)).await,
        None => true,
    }
}

/// Waits until `ask`, which is given the time, says now or never.
async fn wait(run: &Run, ask: impl Fn(Timestamp) -> Leave) -> bool {
    while !run.must_stop() {
        let now = run.app.now();
        match ask(now) {
            Leave::Now => return true,
            Leave::Never => return false,
            Leave::At(at) => {
                let wait = u64::try_from(at - now.as_millisecond()).unwrap_or(1);
                tokio::time::sleep(Duration::from_millis(wait.min(1_000))).await;
            }
        }
    }
    false
}

async fn one(run: &Run, lane: &Lane, line: &mut Line, job: Job) {
    if !run.is_leased() {
        lane.push_front(job);
        return tokio::time::sleep(SETBACK.0).await;
    }
    let message = match message(run, &job) {
        Ok(message) => message,
        Err(cause) => {
            let state = LedgerState::Suppressed;
            return settle(run, &job.held, outcome(run, lane, &job, state, cause), None, false);
        }
    };
    if run.signed.fetch_add(1, Ordering::Relaxed).is_multiple_of(LOOK_AT)
        && let Err(cause) = look_from_outside(run, &message).await
    {
        super::pause(run, &format!("a letter does not pass from outside: {cause}")).await;
        return put_back(run, &job.held, job.row, lane.provider);
    }
    let Some(connection) = line.open(run, lane).await else {
        return lane.push_front(job);
    };
    // Meanwhile it may have been told to stop, or others may answer for the row.
    if run.must_stop() || !run.is_leased() {
        return lane.push_front(job);
    }
    let noted = match run.journal.sending(job.row.person) {
        Ok(number) => number,
        Err(e) => {
            run.set_trouble(Some(format!("the journal of letters can't be written: {e}")));
            lane.push_front(job);
            return tokio::time::sleep(SETBACK.1).await;
        }
    };
    let envelope = Envelope { from: return_path(run, &job), to: job.email.clone() };
    let sent = connection.send(&envelope, &message).await;
    line.letters += 1;
    conclude(run, lane, &job, sent, noted);
}

/// Takes an outcome to the pace, the journal and the recorder.
fn conclude(run: &Run, lane: &Lane, job: &Job, sent: Sent, noted: u64) {
    let (state, said, mark) = match sent {
        Sent::Accepted(accepted) => {
            (LedgerState::Accepted, accepted.receipt().to_owned(), Some(Mark::Taken))
        }
        Sent::Refused { code, reply } => {
            (LedgerState::Bounced, format!("{code} {reply}"), Some(Mark::Gone))
        }
        Sent::InDoubt { cause } => (LedgerState::InDoubt, cause, None),
        Sent::Deferred { code, reply } => {
            let spent = job.held.attempts + 1 >= run.app.config.letters.retry.attempts;
            let state = if spent { LedgerState::Expired } else { LedgerState::Deferred };
            let said = code.map_or_else(|| reply.clone(), |code| format!("{code} {reply}"));
            (state, said, code.map(|_| Mark::Deferred))
        }
    };
    if let Some(mark) = mark {
        let now = run.app.now();
        lane.pace().mark(mark, now.as_millisecond(), run.hours(now));
        if let (Mark::Taken, Some(pages)) = (mark, &run.reset_pages) {
            pages.pace().mark(mark, now.as_millisecond(), 0);
        }
    }
    let outcome = outcome(run, lane, job, state, said);
    if let Err(e) = run.journal.outcome(&outcome) {
        tracing::error!(cause = %e, "the journal of letters can't be written");
    }
    settle(run, &job.held, outcome, Some(noted), false);
}

fn outcome(run: &Run, lane: &Lane, job: &Job, state: LedgerState, outcome: String) -> Outcome {
    let (person, provider) = (job.row.person, lane.provider);
    Outcome { person, state, provider, outcome, at: run.app.now() }
}

/// The letter as it goes on the wire.
fn message(run: &Run, job: &Job) -> Result<Vec<u8>, String> {
    let form = run.form(job).map_err(|e| e.to_string())?;
    let (letter, shop) = (run.letter.letter, &run.app.config.shop);
    let code = run.app.mail.keys.code(letter, job.row.person);
    let code = code.ok_or("the letter's number is too large for codes")?;
    let date = run.writer.body().facts.written;
    let head = Head {
        from: &run.from,
        to: &Mailbox { name: Some(job.name.clone()), address: job.email.clone() },
        date,
        message_id: &message_id(
            &run.letter.seed,
            letter.0,
            job.row.person,
            &shop.message_id_domain,
        ),
        feedback_id: Some(&format!(
            "letter-{letter}:incident-{}:notice:cofferdam",
            run.letter.incident
        )),
    };
    let message = form.message(&head, &Fill { name: &job.name, code: &code });
    let message = message.map_err(|e| e.to_string())?;
    if run.app.mail.dkim.is_empty() {
        return Ok(message);
    }
    signed(&message, &run.app.mail.dkim, date).map_err(|e| e.to_string())
}

/// Where the letter comes back to.
fn return_path(run: &Run, job: &Job) -> String {
    match &run.app.config.letters.return_domain {
        Some(domain) => run.app.mail.keys.return_address(run.letter.letter, job.row.person, domain),
        None => run.app.config.shop.mail_from.clone(),
    }
}

/// Whether receivers take a letter for ours. While the DNS does not say, its connection waits: each
/// further thousandth letter holds up one more, and none is paused for a name server that is busy.
async fn look_from_outside(run: &Run, message: &[u8]) -> Result<(), String> {
    let signatures = run.app.mail.dkim.len();
    let Some(outside) = run.app.mail.outside.as_ref().filter(|_| signatures > 0) else {
        return Ok(());
    };
    while !run.must_stop() {
        match outside.verify(message, signatures).await {
            Err(e @ VerifyError::Unknown(_)) => {
                run.set_trouble(Some(format!("a letter can't be looked at from outside: {e}")));
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            known => return known.map_err(|e| e.to_string()),
        }
    }
    Ok(())
}

impl Line {
    /// The open connection, or a new one; `None` after a pause, when the relay does not answer.
    async fn open(&mut self, run: &Run, lane: &Lane) -> Option<&mut Connection> {
        let worn = self.letters >= lane.per_connection;
        if worn || self.open.as_ref().is_some_and(|connection| !connection.is_open()) {
            self.close().await;
        }
        if self.open.is_none() {
            let turn = run.turn.fetch_add(1, Ordering::Relaxed);
            let relay = run.app.mail.relay(usize::try_from(turn).unwrap_or(0));
            match Connection::open(relay, run.app.name.as_str()).await {
                Ok(connection) => {
                    if self.setback.take().is_some() {
                        run.set_trouble(None);
                    }
                    self.open = Some(connection);
                }
                Err(e) => {
                    tracing::warn!(cause = %e, "letters wait for the relay");
                    run.set_trouble(Some(e.to_string()));
                    let pause = self.setback.map_or(SETBACK.0, |last| (last * 2).min(SETBACK.1));
                    self.setback = Some(pause);
                    let stop = run.halted.notified();
                    let _ = tokio::time::timeout(pause, async {
                        if !run.must_stop() {
                            stop.await;
                        }
                    })
                    .await;
                    return None;
                }
            }
        }
        self.open.as_mut()
    }

    async fn close(&mut self) {
        self.letters = 0;
        if let Some(connection) = self.open.take() {
            connection.close().await;
        }
    }
}
