//! The report of a drill as a table for the terminal.

use std::collections::BTreeSet;

use drill::{DrillReport, FlatReport, Step};

use crate::{columns, words};

/// Lays out the steps, the checks, and the conventional shop beside ours.
pub fn lines(report: &DrillReport) -> Vec<String> {
    let mut out = vec![String::new(), "  at s  took s  step".to_owned()];
    for Step { name, what, at, seconds } in &report.steps {
        out.push(format!("{at:6.1}  {seconds:6.1}  {name}: {what}"));
    }
    out.push(String::new());
    for check in &report.checks {
        let mark = if check.ok { "held" } else { "FAILED" };
        out.push(format!("{mark:>6}  {}: {}", check.name, check.detail));
    }
    if let Some(flat) = &report.flat {
        out.extend(side_by_side(report, flat));
    }
    out.push(String::new());
    let verdict = if report.ok { "Every check held" } else { "Not every check held" };
    out.push(format!("{verdict}; {:.1} s, seed {}.", report.seconds, report.seed));
    out
}

/// Compares the two shops, a line for each figure.
fn side_by_side(ours: &DrillReport, flat: &FlatReport) -> Vec<String> {
    let number = words::number;
    let cards = flat.lost.get("card_number").copied().unwrap_or(0);
    let hashes = flat.lost.get("password_hash").copied().unwrap_or(0);
    let named = ours.exposure.read + ours.exposure.presented;
    let stopped = if ours.presence { "nobody else was signed in" } else { "the read budget" };
    let kinds: BTreeSet<_> = ours.alarms.iter().map(|a| &a.kind).collect();
    let rows = [
        ("the same theft from one app server", "conventional".to_owned(), "Cofferdam".to_owned()),
        ("customers taken", number(flat.records_lost), number(ours.loot.records)),
        ("  of", number(flat.customers.into()), number(ours.customers)),
        ("card numbers in clear", number(cards), number(ours.cards.released_to_fallen)),
        ("password hashes", number(hashes), number(0)),
        ("what stopped it", "the end of the table".to_owned(), stopped.to_owned()),
        ("seconds to drain", format!("{:.1}", flat.seconds_to_drain), "not drained".to_owned()),
        ("kinds of alarm meanwhile", number(0), number(kinds.len() as u64)),
        ("people the log names", number(flat.named_by_the_log), number(named)),
        ("missed by the log", number(flat.missed), number(ours.exposure.missed)),
        ("wrongly named", number(flat.wrong), number(ours.exposure.wrong)),
        ("cleared for certain", number(0), number(ours.customers.saturating_sub(named))),
    ];
    let rows: Vec<_> = rows.into_iter().map(|(a, b, c)| vec![a.to_owned(), b, c]).collect();
    let mut out = vec![String::new()];
    out.extend(columns::aligned(&rows));
    out.push(format!("The conventional shop can say: {}", flat.certain));
    out
}
