//! The run of the conventional shop: it is filled, its app server's host falls, the loot is
//! counted, and then the shop investigates with the log that it has.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use cofferdam_core::{Clock, Rng};
use roaring::RoaringBitmap;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::net::TcpListener;

use super::error::FlatError;
use super::investigate;
use super::secrets::CardKey;
use super::server::{App, PAGE};
use super::shop::{self, Config, FlatPerson};
use super::tally::Tally;
use super::theft::{self, Loot, Thief};
use super::traffic::{self, Browser};

/// The name of the customers' browsers.
pub(super) const AGENT: &str =
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.7; rv:9.0) Gecko/20100101 Firefox/9.0";

/// The counts of a run.
#[derive(Debug, Clone, Copy)]
pub struct FlatSize {
    /// The number of customers in the database.
    pub customers: u32,
    /// The number of sign-ins of customers, half of them before the theft and half beside it.
    pub sign_ins: u32,
    /// The number of customers whom the thief first reads on the desk's list, rounded up to pages.
    pub close_looks: u32,
}

/// The loss of the shop, and its findings.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FlatReport {
    /// The number of customers in the database.
    pub customers: u32,
    /// The time for filling the database, in seconds.
    pub fill_seconds: f64,
    /// The number of customers whose field left the shop through the fallen host, for each field.
    pub lost: BTreeMap<&'static str, u64>,
    /// The number of customers with at least one such field.
    pub records_lost: u64,
    /// The time for draining the database, in seconds.
    pub seconds_to_drain: f64,
    /// The number of customers drained in a second; 0 under a clock that stands still.
    pub records_per_second: f64,
    /// The number of card numbers that the thief holds in clear.
    pub cards_in_clear: u64,
    /// The number of lines that the thief removed from the access log.
    pub log_lines_removed: u64,
    /// The time in which the machine read the rest of the log, in seconds. People take longer.
    pub seconds_to_investigate: f64,
    /// The number of customers whom the rest of the log names.
    pub named_by_the_log: u64,
    /// The number of customers whom the log named before the thief removed lines.
    pub named_by_an_untouched_log: u64,
    /// The number of customers who lost something and are not named.
    pub missed: u64,
    /// The number of customers who are named and lost nothing.
    pub wrong: u64,
    /// The certain part of the shop's knowledge, in a sentence.
    pub certain: String,
}

/// Runs the shop, the theft and the investigation in `dir`, which must hold no shop yet. Customers'
/// data stay there in clear. `person` makes customer `0..customers`, and the same customer for the
/// same number. With a seeded `rng`, the same customers visit and the same pages are read in every
/// run.
pub async fn run(
    dir: &Path,
    size: &FlatSize,
    person: impl Fn(u32) -> FlatPerson + Send + Sync,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
) -> Result<FlatReport, FlatError> {
    Replay { dir, size, person, clock, rng, theft: true }.run().await
}

pub(super) struct Replay<'a, P> {
    pub(super) dir: &'a Path,
    pub(super) size: &'a FlatSize,
    pub(super) person: P,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) rng: Arc<dyn Rng>,
    /// Whether there is a theft. Tests run the shop without one.
    pub(super) theft: bool,
}

/// The files of the shop, the customers who will visit, and the pages that the thief will read.
struct Plan<'a> {
    config: &'a Path,
    log: &'a Path,
    shoppers: Vec<u32>,
    pages: Vec<u32>,
}

/// The events at the app server.
struct Happened {
    truth: Tally,
    loot: Loot,
    drain_seconds: f64,
    lines_removed: u64,
    untouched: RoaringBitmap,
}

impl<P: Fn(u32) -> FlatPerson> Replay<'_, P> {
    pub(super) async fn run(&self) -> Result<FlatReport, FlatError> {
        let FlatSize { customers, sign_ins, close_looks } = *self.size;
        if customers == 0 {
            return Err(FlatError::Empty);
        }
        let rng = self.rng.as_ref();
        let path = Config::create(self.dir, rng)?;
        let config = Config::read(&path)?;
        // Everything is drawn before the server draws too, so that a seed gives the same visits.
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
        // The server ends with the last request.
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

    /// The host counts as fallen all the time, so the data that ordinary traffic showed is lost as
    /// well.
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
        let lines_removed = if self.theft { theft::wipe_log(plan.log)? } else { 0 };
        Ok(Happened { truth, loot, drain_seconds, lines_removed, untouched })
    }

    /// Lets the thief in. Returns the loot, and the seconds in which the database was drained.
    async fn steal(&self, server: SocketAddr, plan: &Plan<'_>) -> Result<(Loot, f64), FlatError> {
        if !self.theft {
            return Ok((Loot::default(), 0.0));
        }
        let (clock, rng) = (self.clock.as_ref(), self.rng.as_ref());
        let thief = Thief::on_fallen_host(plan.config).await?;
        let browser = Browser::new(server, theft::AGENT);
        let seen = thief.read_pages(&browser, &plan.pages, clock, rng).await?;
        let began = self.seconds();
        let mut loot = thief.drain().await?;
        let seconds = self.seconds() - began;
        loot.tally.add(&seen);
        thief.close().await;
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
