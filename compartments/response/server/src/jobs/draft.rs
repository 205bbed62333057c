//! Writing a version of a letter: every text that somebody would get, checked, under one number.

use cofferdam_core::{BadSha256, Domain, Field, FieldSet, Sha256, WarrantSubject};
use cofferdam_wire::{Problem, ProblemType};
use response_api::{Audience, LetterDraft, LetterVariant, People, WarrantTerms};

use crate::app::App;
use crate::domain::letter::{Body, Facts, Variant, Writer};
use crate::staff::Author;
use crate::store::Letter;

/// Faults that are named at most.
const FAULTS: usize = 20;

/// Writes a version and keeps it.
pub async fn draft(app: &App, letter: &Letter, by: &Author) -> Result<LetterDraft, Problem> {
    let incident = app.incident(letter.incident).await?;
    let exposure = app.exposure(letter.incident).await?;
    let done = app.done(&incident).await?;
    let facts = Facts::new(&app.config.shop, &incident, &exposure, done, app.now());
    let files = app.mail.files.clone();
    let (variants, people) = variants(app, letter).await?;
    let domains = domains(app);
    let body = Body { audience: letter.audience, facts, files, domains, variants };
    let (version, json) = (body.version(), body.to_json());
    let writer = Writer::new(body).map_err(|e| conflict(&e.to_string()))?;
    let variants = texts(&writer, &people)?;
    let at = app.now();
    let keep = app.store.keep_version(letter.letter, &version, &json, (at, by.name.as_str()));
    keep.await?;
    let counts = app.store.counts(letter.letter).await?;
    let digest = version.parse().map_err(|e: BadSha256| conflict(&e.to_string()))?;
    let warrant = terms(app, letter, incident.people, digest, counts.total());
    Ok(LetterDraft { letter: letter.letter, version, warrant, body: json, variants })
}

/// The terms of the warrant that approves a version.
pub fn terms(
    app: &App,
    letter: &Letter,
    people: People,
    version: Sha256,
    records: u64,
) -> WarrantTerms {
    let (domain, fields) = match (letter.audience, people) {
        // Staff are on a roster of our own: nothing is released.
        (Audience::Staff, _) => (Domain::Response, FieldSet::EMPTY),
        (Audience::Customers, People::Accounts) => {
            let fields = FieldSet::EMPTY.with(Field::Name).with(Field::Email);
            (Domain::Accounts, fields)
        }
        (Audience::Customers, People::Roster) => {
            let fields = FieldSet::EMPTY.with(Field::RosterName).with(Field::RosterEmail);
            (Domain::Response, fields)
        }
    };
    WarrantTerms {
        incident: letter.incident.0,
        subject: WarrantSubject::Letter { letter: letter.letter.0, version },
        caller: app.name.clone(),
        domain,
        fields,
        records: u32::try_from(records).unwrap_or(u32::MAX),
    }
}

/// Whom the letter's texts are for, and how many people each.
async fn variants(app: &App, letter: &Letter) -> Result<(Vec<Variant>, Vec<u64>), Problem> {
    let locales = app.store.locales(letter.letter).await?;
    let variants = app.store.variants(letter.letter).await?;
    let whole = variants.into_iter().map(|(locale, fields, people)| {
        let locale = locales.get(usize::from(locale)).cloned();
        let missing = || conflict("the ledger names a language that the letter has not");
        Ok((Variant { locale: locale.ok_or_else(missing)?, fields }, people))
    });
    whole.collect()
}

/// Every text, checked.
fn texts(writer: &Writer, people: &[u64]) -> Result<Vec<LetterVariant>, Problem> {
    let (mut variants, mut faults) = (Vec::new(), Vec::new());
    for (Variant { locale, fields }, people) in writer.body().variants.iter().zip(people) {
        let texts = writer.write(locale, *fields).map_err(|e| conflict(&e.to_string()))?;
        let found = writer.faults(locale, &texts).map_err(|e| conflict(&e.to_string()))?;
        let place = format!("{} {}", locale.language, locale.jurisdiction);
        faults.extend(found.into_iter().map(|fault| format!("{}: {fault}", place.trim())));
        variants.push(LetterVariant {
            language: locale.language.clone(),
            jurisdiction: locale.jurisdiction.clone(),
            fields: *fields,
            people: *people,
            subject: texts.subject,
            text: texts.text,
            html: texts.html,
        });
    }
    faults.sort_unstable();
    faults.dedup();
    if !faults.is_empty() {
        let more = faults.len().saturating_sub(FAULTS);
        faults.truncate(FAULTS);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        return Err(conflict(&format!("the letter can't be sent: {}{more}", faults.join("; "))));
    }
    variants.sort_by_key(|variant| std::cmp::Reverse(variant.people));
    Ok(variants)
}

/// The shop's own domains.
fn domains(app: &App) -> Vec<String> {
    let shop = &app.config.shop;
    let host = |address: &str| address.split('/').next().unwrap_or_default().to_lowercase();
    let mut domains = vec![
        host(&shop.web_address),
        host(&shop.verify_address),
        host(shop.support_email.rsplit('@').next().unwrap_or_default()),
    ];
    domains.extend(app.config.letters.domains.iter().map(|domain| domain.to_lowercase()));
    domains
}

fn conflict(what: &str) -> Problem {
    Problem::new(ProblemType::CONFLICT, what)
}
