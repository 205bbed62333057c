//! The public notice: one static page.

use std::path::Path;

use askama::Template;
use aws_lc_rs::digest::{SHA256, digest};
use cofferdam_core::{Domain, Timestamp};
use cofferdam_tlog::{TlogError, replace_file};
use response_api::{Exposure, Incident, Notice};
use response_letter::{Done, Shop, format};

use super::PageError;

/// The name of the served file.
pub const PAGE: &str = "index.html";

#[derive(Template)]
#[template(path = "notice.html")]
struct Page<'a> {
    shop: &'a Shop,
    date: String,
    began: String,
    ended: String,
    discovered: String,
    customers: String,
    exposed: String,
    rows: Vec<(&'static str, String)>,
    cards_untouched: bool,
    contained: bool,
    voided: bool,
}

/// Renders the notice as HTML.
pub fn render_notice(
    shop: &Shop,
    incident: &Incident,
    exposure: &Exposure,
    done: Done,
    now: Timestamp,
) -> Result<String, PageError> {
    let rows = exposure
        .fields
        .iter()
        .map(|(field, counts)| (format::heading(*field), counts.read + counts.presented))
        .filter(|(_, people)| *people > 0)
        .map(|(what, people)| (what, format::number(people)))
        .collect();
    let page = Page {
        shop,
        date: format::day(now),
        began: format::instant(incident.from),
        ended: format::instant(exposure.until),
        discovered: format::day(incident.declared),
        customers: format::number(exposure.customers),
        exposed: format::number(exposure.people.read + exposure.people.presented),
        rows,
        cards_untouched: exposure.untouched.iter().any(|of| of.domain == Domain::Payments),
        contained: done.contained,
        voided: done.voided,
    };
    Ok(page.render()?)
}

/// Reads the page that was published last, if there is one.
#[must_use]
pub fn published_notice(dir: &Path) -> Option<String> {
    std::fs::read_to_string(dir.join(PAGE)).ok()
}

/// Replaces the page that is served, and its checksum.
pub fn publish_notice(dir: &Path, url: &str, page: &str) -> Result<Notice, TlogError> {
    let sha256 = hex::encode(digest(&SHA256, page.as_bytes()).as_ref());
    replace_file(dir, PAGE, page.as_bytes())?;
    replace_file(dir, "index.html.sha256", format!("{sha256}  {PAGE}\n").as_bytes())?;
    Ok(Notice { url: format!("{}/", url.trim_end_matches('/')), sha256 })
}
