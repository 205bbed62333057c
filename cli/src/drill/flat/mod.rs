//! The same theft in a conventional shop: one database with the customers in clear, one app
//! server that holds its credentials and the key of the card numbers, one access log.
//!
//! The app server's host falls. What the thief took is counted, then the shop investigates with
//! what it has.

mod error;
mod investigate;
mod secrets;
mod server;
mod shop;
mod tally;
#[cfg(test)]
mod tests;
mod theft;
mod traffic;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use cofferdam_core::{Clock, Personal, Rng};
use roaring::RoaringBitmap;
use serde::Serialize;
use tokio::net::TcpListener;

pub use error::FlatError;

use error::at;
use secrets::CardKey;
use server::{App, PAGE};
use shop::Config;
use tally::Tally;
use theft::{Loot, Thief};
use traffic::Browser;

/// What customers' browsers call themselves.
const AGENT: &str =
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.7; rv:9.0) Gecko/20100101 Firefox/9.0";

/// The counts of a run.
#[derive(Debug, Clone, Copy)]
pub struct FlatSize {
    /// Customers in the database.
    pub customers: u32,
    /// Sign-ins of customers, half of them before the theft and half beside it.
    pub sign_ins: u32,
    /// Customers whom the thief opens quietly first; rounded up to pages of the desk's list.
    pub close_looks: u32,
}

/// A customer, as the caller makes them up.
#[derive(Debug, Clone)]
pub struct FlatPerson {
    /// The name in full.
    pub name: String,
    /// Unlike all others.
    pub email: String,
    /// The telephone number.
    pub phone: String,
    /// Where bills go.
    pub billing_address: String,
    /// Where parcels go.
    pub shipping_address: String,
    /// For those who left a card.
    pub card_number: Option<Personal>,
    /// What the customer types.
    pub password: Personal,
}

/// What happened and what the shop found out.
#[derive(Debug, Clone, Serialize)]
pub struct FlatReport {
    /// Customers in the database.
    pub customers: u32,
    /// How long it took to fill.
    pub fill_seconds: f64,
    /// Customers of whom each field left the estate through the fallen host.
    pub lost: BTreeMap<&'static str, u64>,
    /// Customers of whom at least a field did.
    pub records_lost: u64,
    /// How long the database took to drain.
    pub seconds_to_drain: f64,
    /// Customers a second while it did; nought under a clock that stands still.
    pub records_per_second: f64,
    /// Card numbers that the thief holds in clear.
    pub cards_in_clear: u64,
    /// Lines of the access log that the thief removed.
    pub log_lines_removed: u64,
    /// How long the machine took to read the log that was left; people take longer.
    pub seconds_to_investigate: f64,
    /// Customers whom that log names.
    pub named_by_the_log: u64,
    /// Customers whom it would name, had the thief not touched it.
    pub named_by_an_untouched_log: u64,
    /// Customers who lost something and are not named by the log.
    pub missed: u64,
    /// Customers who are named and lost nothing.
    pub wrong: u64,
    /// What can be said for certain, in a sentence.
    pub certain: String,
}

/// Runs the shop, the theft and the investigation in `dir`, which must hold no shop yet. What it
/// leaves there are customers' data in clear. `person` makes customer `0..customers`, always the
/// same for a number. With a seeded `rng` the same customers visit and the same pages are looked
/// at in every run.
pub async fn run(
    dir: &Path,
    size: &FlatSize,
    person: impl Fn(u32) -> FlatPerson + Send + Sync,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
) -> Result<FlatReport, FlatError> {
    Replay { dir, size, person, clock, rng, theft: true }.run().await
}

struct Replay<'a, P> {
    dir: &'a Path,
    size: &'a FlatSize,
    person: P,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    /// Tests look at what is left without it.
    theft: bool,
}

/// Where everything lies, who will visit, and which pages the thief will open.
struct Plan<'a> {
    config: &'a Path,
    log: &'a Path,
    shoppers: Vec<u32>,
    pages: Vec<u32>,
}

/// What happened at the app server.
struct Happened {
    truth: Tally,
    loot: Loot,
    drain_seconds: f64,
    lines_removed: u64,
    untouched: RoaringBitmap,
}

impl<P: Fn(u32) -> FlatPerson> Replay<'_, P> {
    async fn run(&self) -> Result<FlatReport, FlatError> {
        let FlatSize { customers, sign_ins, close_looks } = *self.size;
        if customers == 0 {
            return Err(FlatError::Empty);
        }
        let rng = self.rng.as_ref();
        let path = Config::create(self.dir, rng)?;
        let config = Config::read(&path)?;
        // All is drawn before the server draws beside it, so that a seed gives the same visits.
        let pages = close_looks.div_ceil(PAGE);
        let plan = Plan {
            config: &path,
            log: &config.access_log,
            shoppers: traffic::draw(sign_ins, customers, rng),
            pages: traffic::draw(pages, customers.div_ceil(PAGE), rng),
        };

        let db = config.open().await?;
        let began = self.seconds();
        let (key, signing_in) = (CardKey::new(&config.card_key), plan.shoppers.iter().collect());
        shop::fill(&db, &key, customers, &self.person, &signing_in, rng).await?;
        let fill_seconds = self.seconds() - began;

        let app = App::new(db.clone(), plan.log, self.clock.clone(), self.rng.clone())?.router();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(FlatError::app)?;
        let server = listener.local_addr().map_err(FlatError::app)?;
        // The server ends with the story.
        let happened = tokio::select! {
            happened = self.happen(server, &plan) => happened,
            ended = axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
                => Err(FlatError::App(format!("it ended early: {ended:?}"))),
        };
        db.close().await;
        self.report(fill_seconds, happened?, plan.log)
    }

    fn seconds(&self) -> f64 {
        self.clock.monotonic().as_secs_f64()
    }

    /// The host counts as fallen all the time: what ordinary traffic showed is lost as well.
    async fn happen(&self, server: SocketAddr, plan: &Plan<'_>) -> Result<Happened, FlatError> {
        let browser = Browser::new(server, AGENT);
        let (first, second) = plan.shoppers.split_at(plan.shoppers.len() / 2);
        let mut truth = traffic::visit(&browser, first, &self.person).await?;
        let ((loot, drain_seconds), shown) = tokio::try_join!(
            self.steal(server, plan),
            traffic::visit(&browser, second, &self.person),
        )?;
        truth.add(&shown);
        truth.add(&loot.tally);
        let untouched = investigate::named(plan.log, self.size.customers)?;
        let lines_removed = if self.theft { theft::wipe(plan.log)? } else { 0 };
        Ok(Happened { truth, loot, drain_seconds, lines_removed, untouched })
    }

    /// The loot, and how long the database took to drain.
    async fn steal(&self, server: SocketAddr, plan: &Plan<'_>) -> Result<(Loot, f64), FlatError> {
        if !self.theft {
            return Ok((Loot::default(), 0.0));
        }
        let (clock, rng) = (self.clock.as_ref(), self.rng.as_ref());
        let thief = Thief::on_fallen_host(plan.config).await?;
        let browser = Browser::new(server, theft::AGENT);
        let seen = thief.look(&browser, &plan.pages, clock, rng).await?;
        let began = self.seconds();
        let mut loot = thief.drain().await?;
        let seconds = self.seconds() - began;
        loot.tally.add(&seen);
        thief.leave().await;
        Ok((loot, seconds))
    }

    fn report(
        &self,
        fill_seconds: f64,
        happened: Happened,
        log: &Path,
    ) -> Result<FlatReport, FlatError> {
        let customers = self.size.customers;
        let Happened { truth, loot, drain_seconds, lines_removed, untouched } = happened;
        let began = self.seconds();
        let named = investigate::named(log, customers)?;
        let seconds_to_investigate = self.seconds() - began;
        let lost = truth.people();
        let taken = u32::try_from(loot.tally.people().len()).map_or(0.0, f64::from);
        Ok(FlatReport {
            customers,
            fill_seconds,
            lost: truth.counts(),
            records_lost: lost.len(),
            seconds_to_drain: drain_seconds,
            records_per_second: if drain_seconds > 0.0 { taken / drain_seconds } else { 0.0 },
            cards_in_clear: loot.cards,
            log_lines_removed: lines_removed,
            seconds_to_investigate,
            named_by_the_log: named.len(),
            named_by_an_untouched_log: untouched.len(),
            missed: (&lost - &named).len(),
            wrong: (&named - &lost).len(),
            certain: investigate::certain(customers, named.len()),
        })
    }
}
