//! Drafting a version of a letter: every text that somebody would get, checked, under one SHA-256.

use std::cmp::Reverse;

use cofferdam_core::{Domain, Field, FieldSet, Sha256, WarrantSubject};
use cofferdam_store::StoreError;
use cofferdam_wire::Problem;
use response_api::{
    Audience, JournalAct, LETTER_FAULTY, LetterDraft, LetterVariant, People, WarrantTerms,
};
use response_letter::{Facts, Variant, Version, VersionError, Writer};
use response_mailing::Letter;

use super::plan::check_exposed_as_planned;
use crate::acts::claims::current;
use crate::app::App;
use crate::staff::Author;

/// The most faults that a refusal names.
const MAX_FAULTS: usize = 20;

/// Drafts a version, and keeps it.
pub async fn draft(app: &App, letter: &Letter, by: &Author) -> Result<LetterDraft, Problem> {
    check_exposed_as_planned(app, letter).await?;
    let incident = app.incident(letter.incident).await?;
    let exposure = app.exposure(letter.incident).await?;
    let current = current(app, &incident, &exposure).await?;
    let (variants, people) = variants_of(app, letter).await?;
    let version = Version {
        audience: letter.audience,
        facts: Facts::new(&app.config.shop, &incident, &exposure, &current, app.now()),
        files: app.letters.files.clone(),
        domains: app.config.shop.domains(&app.config.letters.domains),
        variants,
    };
    let (id, json) = (version.id(), version.to_json());
    let variants = write_texts(&Writer::new(version).map_err(|e| faulty(&e))?, &people)?;
    let detail = format!("letter {}, version {id}", letter.letter);
    let act = app.act(letter.incident, by, JournalAct::DraftLetter, detail);
    app.store.keep_version(letter.letter, id, &json, &act).await?;
    let warrant = letter_terms(app, letter, incident.people, id).await?;
    Ok(LetterDraft { letter: letter.letter, version: id, warrant, body: json, variants })
}

/// The terms of the warrant that approves a version of a letter.
pub async fn letter_terms(
    app: &App,
    letter: &Letter,
    people: People,
    version: Sha256,
) -> Result<WarrantTerms, StoreError> {
    let records = app.store.counts(letter.letter).await?.total();
    let (domain, fields) = match (letter.audience, people) {
        // The staff list is our own, so nothing is released.
        (Audience::Staff, _) => (Domain::Response, FieldSet::EMPTY),
        (Audience::Customers, People::Accounts) => {
            (Domain::Accounts, FieldSet::EMPTY.with(Field::Name).with(Field::Email))
        }
        (Audience::Customers, People::Table) => {
            (Domain::Response, FieldSet::EMPTY.with(Field::BroughtName).with(Field::BroughtEmail))
        }
    };
    Ok(WarrantTerms {
        incident: letter.incident.0,
        subject: WarrantSubject::Letter { letter: letter.letter.0, version },
        caller: app.name.clone(),
        domain,
        fields,
        records: u32::try_from(records).unwrap_or(u32::MAX),
    })
}

/// The variants that the ledger needs, and the number of people of each.
async fn variants_of(app: &App, letter: &Letter) -> Result<(Vec<Variant>, Vec<u64>), StoreError> {
    let locales = app.store.locales(letter.letter).await?;
    let variants = app.store.variants(letter.letter).await?;
    let variant = |(locale, told, people)| {
        let known = locales.get(usize::from(locale)).cloned();
        let missing = || StoreError::Corrupt(format!("the ledger names locale {locale}"));
        Ok((Variant { locale: known.ok_or_else(missing)?, told }, people))
    };
    variants.into_iter().map(variant).collect()
}

/// Writes and checks every text. All texts are checked before anything is refused.
fn write_texts(writer: &Writer, people: &[u64]) -> Result<Vec<LetterVariant>, Problem> {
    let (mut variants, mut faults) = (Vec::new(), Vec::new());
    for (Variant { locale, told }, people) in writer.version().variants.iter().zip(people) {
        let texts = writer.write(locale, *told).map_err(|e| faulty(&e))?;
        let found = writer.faults(locale, &texts).map_err(|e| faulty(&e))?;
        let place = format!("{} {}", locale.language, locale.jurisdiction);
        faults.extend(found.into_iter().map(|fault| format!("{}: {fault}", place.trim())));
        variants.push(LetterVariant {
            language: locale.language.clone(),
            jurisdiction: locale.jurisdiction.clone(),
            fields: told.fields,
            while_signed_in: told.while_signed_in,
            people: *people,
            subject: texts.subject,
            text: texts.text,
            html: texts.html,
        });
    }
    faults.sort_unstable();
    faults.dedup();
    if !faults.is_empty() {
        let more = faults.len().saturating_sub(MAX_FAULTS);
        faults.truncate(MAX_FAULTS);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        return Err(Problem::new(LETTER_FAULTY, format!("{}{more}", faults.join("; "))));
    }
    variants.sort_by_key(|variant| Reverse(variant.people));
    Ok(variants)
}

fn faulty(error: &VersionError) -> Problem {
    Problem::new(LETTER_FAULTY, error.to_string())
}
