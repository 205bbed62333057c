//! The report as one self-contained page.

use askama::Template;
use cofferdam_core::Timestamp;
use response_api::{Audience, Exposure, LedgerState, Level, LevelCounts, Report, Untouched};
use response_letter::{Claim, Claims, format};

use super::PageError;

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    report: &'a Report,
    claims: &'a Claims,
    /// The compartments that the log proves to be untouched.
    untouched: &'a [Untouched],
    fallen: String,
    chart: Chart,
    now: Timestamp,
}

/// Renders the report as HTML.
pub fn render_report(
    report: &Report,
    claims: &Claims,
    now: Timestamp,
) -> Result<String, PageError> {
    let fallen: Vec<_> = report.incident.fallen.iter().map(ToString::to_string).collect();
    let chart = report.exposure.as_ref().map(Chart::new).unwrap_or_default();
    let untouched = match &report.exposure {
        Some(exposure) if claims.has(Claim::RecordWhole) => exposure.untouched.as_slice(),
        _ => &[],
    };
    Ok(Page { report, claims, untouched, fallen: fallen.join(", "), chart, now }.render()?)
}

/// Functions for the template, which passes references of any depth.
mod show {
    use std::borrow::Borrow;

    use cofferdam_core::{Field, Timestamp};
    use response_letter::format;

    pub fn number(n: impl Borrow<u64>) -> String {
        format::number(*n.borrow())
    }

    pub fn instant(at: impl Borrow<Timestamp>) -> String {
        format::instant(*at.borrow())
    }

    pub fn heading(field: impl Borrow<Field>) -> &'static str {
        format::heading(*field.borrow())
    }
}

/// One bar for each field. The full width stands for all customers.
#[derive(Default)]
struct Chart {
    height: u32,
    bars: Vec<Bar>,
}

struct Bar {
    y: u32,
    label: &'static str,
    caption: String,
    parts: Vec<Part>,
}

struct Part {
    x: String,
    width: String,
    colour: &'static str,
    level: &'static str,
    count: String,
}

/// The left and the right end of the bars, in the chart's units.
const LEFT: f64 = 150.0;
const RIGHT: f64 = 760.0;
/// The distance from one bar to the next.
const STEP: u32 = 30;
/// The least width of a part, so that even one customer can be seen.
const THIN: f64 = 2.0;

impl Chart {
    fn new(exposure: &Exposure) -> Self {
        let bars: Vec<Bar> = (0..)
            .step_by(STEP as usize)
            .zip(&exposure.fields)
            .map(|(y, (field, counts))| bar(y, format::heading(*field), counts, exposure.customers))
            .collect();
        let height = bars.last().map_or(0, |bar| bar.y + STEP);
        Self { height, bars }
    }
}

fn bar(y: u32, label: &'static str, counts: &LevelCounts, customers: u64) -> Bar {
    let mut x = LEFT;
    let mut parts = Vec::new();
    for (level, count, colour) in [
        (Level::Read, counts.read, "var(--read)"),
        (Level::Presented, counts.presented, "var(--presented)"),
        (Level::KnownUnset, counts.known_unset, "var(--unset)"),
        (Level::Reachable, counts.reachable, "var(--reachable)"),
    ] {
        if count == 0 {
            continue;
        }
        #[expect(clippy::cast_precision_loss, reason = "a picture needs no more than 53 bits")]
        let share = count as f64 / customers.max(1) as f64;
        let width = (share * (RIGHT - LEFT)).max(THIN).min(RIGHT - x);
        parts.push(Part {
            x: format!("{x:.1}"),
            width: format!("{width:.1}"),
            colour,
            level: level.as_str(),
            count: format::number(count),
        });
        x += width;
    }
    let hit = counts.read + counts.presented;
    Bar { y, label, caption: format!("{} exposed", format::number(hit)), parts }
}
