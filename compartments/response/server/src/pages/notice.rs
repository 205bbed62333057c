//! The public notice: one static page.

use std::path::Path;

use askama::Template;
use aws_lc_rs::digest::{SHA256, digest};
use cofferdam_core::{Domain, Field, Timestamp};
use cofferdam_tlog::{TlogError, replace_file};
use response_api::{ExposedPeople, Exposure, Incident, LevelCounts, Notice};
use response_letter::{Claim, Claims, Shop, format};

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
    /// Those of the exposed who are customers no longer, if there are any.
    gone: Option<String>,
    while_signed_in: String,
    rows: Vec<(&'static str, String)>,
    cards: Vec<(&'static str, String)>,
    claims: &'a Claims,
    voided_until: String,
}

/// Renders the notice as HTML.
pub fn render_notice(
    shop: &Shop,
    (incident, exposure, people): (&Incident, &Exposure, ExposedPeople),
    claims: &Claims,
    now: Timestamp,
) -> Result<String, PageError> {
    let page = Page {
        shop,
        date: format::day(now),
        began: format::instant(incident.from),
        ended: format::instant(exposure.until),
        discovered: format::day(incident.declared),
        customers: format::number(exposure.customers),
        exposed: format::number(people.exposed),
        gone: (people.gone > 0).then(|| format::number(people.gone)),
        while_signed_in: format::number(exposure.while_signed_in),
        rows: rows(exposure, Domain::Accounts),
        cards: rows(exposure, Domain::Payments),
        claims,
        voided_until: claims.voided_until.map(format::instant).unwrap_or_default(),
    };
    Ok(page.render()?)
}

/// The fields of a domain that were read or entered, each with the number of its records.
fn rows(exposure: &Exposure, domain: Domain) -> Vec<(&'static str, String)> {
    let counts = |(field, counts): (&Field, &LevelCounts)| {
        (format::heading(*field), counts.read + counts.presented)
    };
    let of_domain = exposure.fields.iter().filter(|(field, _)| field.domain() == domain);
    let exposed = of_domain.map(counts).filter(|(_, records)| *records > 0);
    exposed.map(|(what, records)| (what, format::number(records))).collect()
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
