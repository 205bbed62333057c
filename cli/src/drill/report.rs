//! What a drill found: one JSON object, or a table.

use std::collections::BTreeMap;
use std::time::Instant;

use cofferdam_core::Field;
use serde::Serialize;

use super::checks::Checks;
use super::flat::FlatReport;
use crate::incident::table;
use crate::output;

/// The result of a drill.
#[derive(Debug, Default, Serialize)]
pub struct DrillReport {
    /// Customers imported; decoys come on top.
    pub customers: u64,
    /// The seed that it can be repeated with.
    pub seed: u64,
    /// What the thief got.
    pub loot: Loot,
    /// What the release log says.
    pub exposure: ExposureReport,
    /// Cards.
    pub cards: CardsReport,
    /// Alarms, by kind and caller.
    pub alarms: Vec<AlarmReport>,
    /// The void order.
    pub void: VoidReport,
    /// Letters.
    pub letters: LettersReport,
    /// The notice.
    pub notice: NoticeReport,
    /// The same theft in a conventional shop, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flat: Option<FlatReport>,
    /// The times of the steps.
    pub steps: Vec<Step>,
    /// What had to hold.
    pub checks: Checks,
    /// Whether all of it did.
    pub ok: bool,
    /// How long it took.
    pub seconds: f64,
}

/// What the thief got.
#[derive(Debug, Default, Serialize)]
pub struct Loot {
    /// Records with at least a field, decoys among them.
    pub records: u64,
    /// Fields in all, of customers alone.
    pub fields: u64,
    /// Things it tried that must be refused, and how they ended.
    pub attempts: BTreeMap<&'static str, String>,
}

/// The exposure in people, each at the worst level.
#[derive(Debug, Default, Serialize)]
pub struct ExposureReport {
    /// A field was read.
    pub read: u64,
    /// A password was typed at the fallen host.
    pub presented: u64,
    /// Within reach.
    pub reachable: u64,
    /// Fields of records in the truth and not in the exposure.
    pub missed: u64,
    /// In the exposure and not in the truth.
    pub wrong: u64,
    /// Customers of whom each field was read.
    pub fields: BTreeMap<Field, u64>,
}

/// Cards.
#[derive(Debug, Default, Serialize)]
pub struct CardsReport {
    /// Held by payments.
    pub stored: u64,
    /// Released to the fallen host, by the log.
    pub released_to_fallen: u64,
}

/// An alarm.
#[derive(Debug, Serialize)]
pub struct AlarmReport {
    /// What about.
    pub kind: String,
    /// Who set it off.
    pub caller: Option<String>,
    /// How often it rang.
    pub count: u64,
}

/// The void order.
#[derive(Debug, Default, Serialize)]
pub struct VoidReport {
    /// Customers whose password is void.
    pub customers: u64,
    /// How long the order took.
    pub seconds: f64,
}

/// Letters.
#[derive(Debug, Default, Serialize)]
pub struct LettersReport {
    /// Letters to staff that were accepted.
    pub staff: u64,
    /// Customers to write to.
    pub planned: u64,
    /// Letters to customers that were accepted.
    pub accepted: u64,
    /// Customers to whom none came.
    pub missing: u64,
    /// Customers to whom more than one came.
    pub duplicated: u64,
    /// From the first letter to the last.
    pub seconds: f64,
}

/// The notice.
#[derive(Debug, Default, Serialize)]
pub struct NoticeReport {
    /// HTTP status of the page.
    pub status: u16,
    /// Where it was.
    pub url: String,
}

/// One step and its time.
#[derive(Debug, Serialize)]
pub struct Step {
    /// Which.
    pub name: &'static str,
    /// What happened, in a line.
    pub what: String,
    /// When it began, in seconds from the start.
    pub at: f64,
    /// How long it took.
    pub seconds: f64,
}

/// Takes the time of the steps.
pub struct Steps {
    start: Instant,
    list: Vec<Step>,
    current: Option<(&'static str, Instant)>,
}

impl Steps {
    /// The drill starts.
    pub fn start() -> Self {
        Self { start: Instant::now(), list: Vec::new(), current: None }
    }

    /// A step begins.
    pub fn begin(&mut self, name: &'static str) {
        let seconds = self.seconds();
        output::note(&format!("[{seconds:6.1} s] {name}"));
        self.current = Some((name, Instant::now()));
    }

    /// It ends; its seconds.
    pub fn end(&mut self, what: impl Into<String>) -> f64 {
        let what = what.into();
        let Some((name, began)) = self.current.take() else { return 0.0 };
        let seconds = began.elapsed().as_secs_f64();
        output::note(&format!("           {what}"));
        let at = (began - self.start).as_secs_f64();
        self.list.push(Step { name, what, at, seconds });
        seconds
    }

    /// How long the drill runs.
    pub fn seconds(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    /// All of them.
    pub fn into_list(self) -> Vec<Step> {
        self.list
    }
}

impl DrillReport {
    /// The table for the terminal.
    pub fn lines(&self) -> Vec<String> {
        let mut out = vec![String::new(), "  at s  took s  step".to_owned()];
        for Step { name, what, at, seconds } in &self.steps {
            out.push(format!("{at:6.1}  {seconds:6.1}  {name}: {what}"));
        }
        out.push(String::new());
        for check in self.checks.iter() {
            let mark = if check.ok { "held" } else { "FAILED" };
            out.push(format!("{mark:>6}  {}: {}", check.name, check.detail));
        }
        if let Some(flat) = &self.flat {
            out.extend(side_by_side(self, flat));
        }
        out.push(String::new());
        let verdict = if self.ok { "Every check held" } else { "Not every check held" };
        out.push(format!("{verdict}; {:.1} s, seed {}.", self.seconds, self.seed));
        out
    }
}

/// The two shops beside each other.
fn side_by_side(ours: &DrillReport, flat: &FlatReport) -> Vec<String> {
    let number = |n: u64| table::number(n);
    let cards = flat.lost.get("card_number").copied().unwrap_or(0);
    let hashes = flat.lost.get("password_hash").copied().unwrap_or(0);
    let named = ours.exposure.read + ours.exposure.presented;
    let kinds: std::collections::BTreeSet<_> = ours.alarms.iter().map(|a| &a.kind).collect();
    let rows = [
        ("the same theft from one app server", "conventional".to_owned(), "Cofferdam".to_owned()),
        ("customers taken", number(flat.records_lost), number(ours.loot.records)),
        ("  of", number(flat.customers.into()), number(ours.customers)),
        ("card numbers in clear", number(cards), number(ours.cards.released_to_fallen)),
        ("password hashes", number(hashes), number(0)),
        ("what stopped it", "the end of the table".to_owned(), "the read budget".to_owned()),
        ("seconds to drain", format!("{:.1}", flat.seconds_to_drain), "not drained".to_owned()),
        ("kinds of alarm meanwhile", number(0), number(kinds.len() as u64)),
        ("people the log names", number(flat.named_by_the_log), number(named)),
        ("missed by the log", number(flat.missed), number(ours.exposure.missed)),
        ("wrongly named", number(flat.wrong), number(ours.exposure.wrong)),
        ("cleared for certain", number(0), number(ours.customers.saturating_sub(named))),
    ];
    let rows: Vec<_> = rows.into_iter().map(|(a, b, c)| vec![a.to_owned(), b, c]).collect();
    let mut out = vec![String::new()];
    out.extend(table::lines(&rows));
    out.push(format!("The conventional shop can say: {}", flat.certain));
    out
}
