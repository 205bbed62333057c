//! Sending letters: each letter that is to run is worked on by every instance, by batches.
//!
//! A feeder takes batches and asks for contacts, lanes hold what waits for each mail provider,
//! connections send, and a recorder tells the ledger. A journal on this machine knows what the
//! ledger has not learned yet.

mod feed;
mod gate;
mod journal;
mod lane;
mod pauses;
mod record;
mod reset_pages;
mod run;
mod send;
mod setup;

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cofferdam_core::{Personal, Timestamp};
use cofferdam_mail::Mailbox;
use cofferdam_store::StoreError;
use keys_api::CloseWarrant;
use response_api::{Audience, LetterId, LetterState};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::app::App;
use crate::domain::governor::{OTHERS, ProviderConfig, Providers};
use crate::domain::letter::{Body, VersionError, Writer};
use crate::roster;
use crate::store::{Holder, Letter};

pub use gate::pass as pass_gate;
pub use journal::BOOT;
pub use lane::Lane;
pub use reset_pages::ResetPace;
pub use run::Run;
pub use setup::{MailSetup, SetupError};

use journal::Journal;
use run::Parts;

/// How often the tables are asked which letters are to run.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// How often the leases of others are looked at.
const LOOK_AFTER_OTHERS: Duration = Duration::from_secs(10);
const FEEDERS: usize = 2;
/// How often a run is closed when the database fails, and when again.
const CLOSINGS: u32 = 60;
const CLOSE_AGAIN: Duration = Duration::from_secs(1);

/// Why a letter does not run here.
#[derive(Debug, thiserror::Error)]
pub enum MailingError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the journal of letters: {0}")]
    Journal(#[from] io::Error),
    #[error(transparent)]
    Version(#[from] VersionError),
    #[error("the letter has no approved version")]
    Unapproved,
    #[error(transparent)]
    Roster(#[from] roster::RosterError),
    #[error(
        "the staff roster is another file than the letter was planned for; put that one back, and \
         write to who is new under an incident of their own"
    )]
    OtherStaff,
    #[error("there is no such letter or incident")]
    Gone,
}

/// Makes the directory of journals this process's own. One that still drains has it: it is waited for.
async fn lock(app: &App) -> Result<(), MailingError> {
    let dir = &app.config.letters.state;
    std::fs::create_dir_all(dir)?;
    let mut file = File::create(dir.join("lock"))?;
    if file.try_lock().is_err() {
        tracing::warn!(dir = %dir.display(), "another process has the journals of letters; waiting");
        let waiting = cofferdam_wire::blocking(move || file.lock().map(|()| file));
        file = waiting.await.map_err(io::Error::other)??;
    }
    let _ = app.journals.set(file);
    Ok(())
}

/// Settles what earlier lives of this process left, as their journals say.
pub async fn recover(app: &App) -> Result<(), MailingError> {
    let store = &app.store;
    lock(app).await?;
    for left in journal::left_behind(&app.config.letters.state, app.now())? {
        let (letter, now) = (left.letter, app.now());
        let settled: Vec<_> = left.outcomes.iter().filter(|of| is_final(of)).cloned().collect();
        for some in settled.chunks(4_000) {
            store.record(letter, Some(&left.holder), some).await?;
        }
        let batches = store.held(letter, &left.holder).await?;
        let count = batches.len();
        for batch in batches {
            if left.whole {
                store.put_back(letter, &left.holder, batch).await?;
            } else {
                let why = "the machine went down, and what it noted may be missing";
                store.doubt_batch(letter, &left.holder, batch, why, now).await?;
            }
        }
        // Others may have taken over what it held, and doubt all of it. What its journal does not
        // name was never on the wire, and goes out now.
        let unsent =
            if left.whole { store.plan_unsent(letter, &left.holder, now).await? } else { 0 };
        tracing::warn!(
            letter = letter.0,
            outcomes = settled.len(),
            batches = count,
            unsent,
            "an earlier process left letters behind"
        );
        left.forget()?;
    }
    // Nobody else has this file: who held anything is no more.
    if store.is_single() {
        for letter in store.all_letters().await? {
            for (batch, holder) in store.all_held(letter.letter).await? {
                let why = "the process ended, and its notes are not there";
                store.doubt_batch(letter.letter, &holder, batch, why, app.now()).await?;
            }
        }
    }
    Ok(())
}

fn is_final(outcome: &crate::store::Outcome) -> bool {
    use response_api::LedgerState::{Deferred, Planned};
    !matches!(outcome.state, Deferred | Planned)
}

/// Works on every letter that is to run, for as long as it is polled.
pub async fn send_letters(app: Arc<App>) {
    loop {
        if let Err(e) = look(&app).await {
            tracing::warn!(cause = %e, "letters could not be looked after");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = app.letters_stirred.notified() => {}
        }
    }
}

async fn look(app: &Arc<App>) -> Result<(), StoreError> {
    for letter in app.store.all_letters().await? {
        let mut runs = app.sending.lock().await;
        let running = runs.get(&letter.letter).cloned();
        match (letter.state == LetterState::Running, running) {
            (true, None) if !*app.stopping.borrow() => match open(app, letter).await {
                Ok((run, results)) => {
                    runs.insert(run.letter.letter, run.clone());
                    app.mailing.spawn(work(run, results));
                }
                // The next look may do better.
                Err((_, MailingError::Store(e))) => return Err(e),
                Err((letter, e)) => {
                    tracing::error!(cause = %e, letter = letter.0, "a letter can't be sent");
                    app.store.pause(letter, &e.to_string()).await?;
                }
            },
            (false, Some(run)) => run.halt(),
            (true, Some(run)) if !run.is_of(&letter) => run.halt(),
            _ => {}
        }
    }
    Ok(())
}

type Opened = (Arc<Run>, mpsc::UnboundedReceiver<record::Result_>);

/// Makes a letter ready. Only its approved version is ever read.
async fn open(app: &Arc<App>, letter: Letter) -> Result<Opened, (LetterId, MailingError)> {
    let id = letter.letter;
    parts(app, letter)
        .await
        .map(|parts| {
            let (sender, receiver) = mpsc::unbounded_channel();
            (Arc::new(Run::new(app.clone(), parts, sender)), receiver)
        })
        .map_err(|e| (id, e))
}

async fn parts(app: &Arc<App>, letter: Letter) -> Result<Parts, MailingError> {
    let store = &app.store;
    let version = letter.version.clone().ok_or(MailingError::Unapproved)?;
    let body = store.version(letter.letter, &version).await?.ok_or(MailingError::Unapproved)?;
    let writer = Writer::new(Body::parse(&body, &version)?)?;
    let incident = store.incident(letter.incident).await?.ok_or(MailingError::Gone)?;
    let staff = match letter.audience {
        Audience::Staff => staff_of(app, letter.letter).await?,
        Audience::Customers => Vec::new(),
    };
    let config = &app.config.letters;
    let mut limits = config.providers.clone();
    limits.push(ProviderConfig::unlimited(OTHERS, config.connections));
    let mut lanes = Vec::with_capacity(limits.len());
    let pauses = store.provider_pauses(letter.letter).await?;
    for of in limits {
        let lane = Lane::new(store.provider(&of.name).await?, of);
        pauses::adopt(&lane, &pauses);
        lanes.push(lane);
    }
    let holder = Holder(hex::encode(app.rng.bytes::<8>()));
    let shop = &app.config.shop;
    Ok(Parts {
        journal: Journal::create(&config.state, letter.letter, &holder)?,
        locales: store.locales(letter.letter).await?,
        providers: Providers::new(&config.providers),
        people: incident.people,
        from: Mailbox {
            name: Some(Personal::new(shop.name.as_str())),
            address: Personal::new(shop.mail_from.as_str()),
        },
        leased_until: app.now().saturating_add(record::LEASE).unwrap_or(Timestamp::MAX),
        letter,
        holder,
        staff,
        writer,
        lanes,
    })
}

/// The staff that a letter was planned for: its rows are their places in the file.
async fn staff_of(app: &App, letter: LetterId) -> Result<Vec<roster::Member>, MailingError> {
    let (members, hash) = roster::load(&app.config.staff_roster)?;
    if app.store.letter_roster(letter, &hash).await? == hash {
        return Ok(members);
    }
    Err(MailingError::OtherStaff)
}

/// Runs the tasks of a letter until it is done or stopped, and leaves nothing claimed.
async fn work(run: Arc<Run>, results: mpsc::UnboundedReceiver<record::Result_>) {
    let mut tasks = JoinSet::new();
    for _ in 0..FEEDERS {
        tasks.spawn(feed::feed(run.clone()));
    }
    for (place, lane) in run.lanes.iter().enumerate() {
        for _ in 0..lane.connections {
            tasks.spawn(send::send(run.clone(), place));
        }
    }
    let pages = tokio::spawn(reset_pages::follow(run.clone()));
    let resting = tokio::spawn(pauses::follow(run.clone()));
    let recorder = tokio::spawn(record::record(run.clone(), results));
    let done = until_done(&run, &mut tasks).await;
    run.halt();
    // Of a task that failed nobody knows what it had on the wire: the journal stays.
    let mut sound = done.is_some();
    while let Some(ended) = tasks.join_next().await {
        sound &= ended.is_ok();
    }
    // It only asks: nothing is lost with it.
    pages.abort();
    // It notes what became due: it ends by itself.
    let _ = resting.await;
    for lane in &run.lanes {
        drop(lane.drain());
    }
    run.sealed.store(true, Ordering::Release);
    sound &= recorder.await.is_ok();
    if sound {
        end(&run, done == Some(true)).await;
    }
    run.app.sending.lock().await.remove(&run.letter.letter);
}

/// Waits for the end; `true` when every row has its outcome, `None` when a task failed.
async fn until_done(run: &Run, tasks: &mut JoinSet<()>) -> Option<bool> {
    let mut looked = tokio::time::Instant::now();
    while !run.must_stop() {
        let _ = tokio::time::timeout(LOOK_EVERY, run.stirred.notified()).await;
        // A task that ends before the letter does has failed.
        if let Some(Err(e)) = tasks.try_join_next() {
            run.set_trouble(Some(format!("a worker failed: {e}")));
            return None;
        }
        if looked.elapsed() >= LOOK_AFTER_OTHERS {
            looked = tokio::time::Instant::now();
            match run.app.store.take_over(run.letter.letter, run.app.now()).await {
                Ok(0) => {}
                Ok(rows) => tracing::warn!(rows, "rows of a worker that is gone are in doubt"),
                Err(e) => tracing::warn!(cause = %e, "others' leases could not be looked at"),
            }
        }
        let idle =
            run.held.load(Ordering::Acquire) == 0 && run.unrecorded.load(Ordering::Acquire) == 0;
        if idle
            && let Ok(counts) = run.app.store.counts(run.letter.letter).await
            && !counts.unsettled()
        {
            return Some(true);
        }
    }
    Some(false)
}

/// Closes the run, again and again while the database is away: what it never sent would be in doubt.
async fn end(run: &Run, done: bool) {
    for attempt in 1.. {
        match close(run, done).await {
            Ok(()) => return,
            Err(e) if attempt == CLOSINGS => {
                let letter = run.letter.letter.0;
                return tracing::error!(cause = %e, letter, "a letter's end was not recorded");
            }
            Err(_) => tokio::time::sleep(CLOSE_AGAIN).await,
        }
    }
}

/// Puts back what was not tried, and ends a letter that is done: contact data is readable no
/// longer than it takes.
async fn close(run: &Run, done: bool) -> Result<(), MailingError> {
    let (app, letter) = (&run.app, &run.letter);
    for batch in app.store.held(letter.letter, &run.holder).await? {
        app.store.put_back(letter.letter, &run.holder, batch).await?;
    }
    // All that was sent has its outcome by now, also where others doubt it.
    app.store.plan_unsent(letter.letter, &run.holder, app.now()).await?;
    run.journal.end()?;
    if done && app.store.set_finished(letter.letter, app.now()).await? {
        close_warrant(app, letter).await?;
    }
    Ok(())
}

/// Closes the warrant of a letter of which every row has its last outcome. While something is in
/// doubt it stays open, at most as long as two people signed: doubts may have to be sent again.
pub async fn close_warrant(app: &App, letter: &Letter) -> Result<(), StoreError> {
    let counts = app.store.counts(letter.letter).await?;
    let doubts = counts.of(response_api::LedgerState::InDoubt);
    if doubts == 0
        && !counts.unsettled()
        && let Some(warrant) = letter.warrant
        && let Err(e) = app.keys.call(&CloseWarrant { warrant }).await
    {
        tracing::error!(cause = %e, "the letter's warrant could not be closed");
    }
    Ok(())
}

/// Lets a letter rest, for a reason that staff see.
pub async fn pause(run: &Run, why: &str) {
    let letter = run.letter.letter;
    run.set_trouble(Some(why.to_owned()));
    if let Err(e) = run.app.store.pause(letter, why).await {
        tracing::error!(cause = %e, "a letter could not be paused in the tables");
    }
    run.halt();
}
