//! A version of a letter: all that its texts follow from, under its SHA-256. What two people
//! approve is that number, and what is sent is made from what stands under it.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use cofferdam_core::{Field, FieldSet};
use cofferdam_mail::{CODE, NAME};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};
use response_api::Audience;
use serde::{Deserialize, Serialize};

use super::facts::Facts;
use super::lint::{Domains, lint};
use super::texts::{FALLBACK, Files, Place, TextsError, Words, place};
use crate::domain::words;
use crate::store::Locale;

/// Texts and facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// To whom.
    pub audience: Audience,
    /// What happened.
    pub facts: Facts,
    /// The files of the texts.
    pub files: Files,
    /// The domains that letters may name, besides the authorities' of the files.
    pub domains: Vec<String>,
    /// Every text that somebody would get: none other is sent.
    pub variants: Vec<Variant>,
}

/// Whom a text is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// The language, and whose law shapes it.
    pub locale: Locale,
    /// What these people lost.
    pub fields: FieldSet,
}

/// A letter's texts, with [`NAME`] and [`CODE`] where those go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    /// The subject line.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
    /// What people are called whose name is none.
    pub nameless: String,
}

/// Why a letter can't be written.
#[derive(Debug, thiserror::Error)]
pub enum VersionError {
    /// The files are not as they should be.
    #[error(transparent)]
    Texts(#[from] TextsError),
    /// A template fails.
    #[error("{file}: {cause}")]
    Template {
        /// Which file.
        file: String,
        /// What the template engine says, and where.
        cause: String,
    },
    /// The shop's own sentences are not there in a language.
    #[error("shop.{0} has no text in {1:?}; add one to response.toml")]
    Sentence(&'static str, String),
    /// Somebody would get a text that is not among those of the version.
    #[error("nobody approved this text")]
    Unapproved,
    /// What is kept is not what was approved.
    #[error("the version that is kept is not the one that was approved")]
    Changed,
}

/// Writes the texts of a version.
pub struct Writer {
    body: Body,
    templates: Environment<'static>,
    words: BTreeMap<String, Words>,
    places: BTreeMap<String, toml::Table>,
    domains: Domains,
}

impl Body {
    /// As it is kept and hashed.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Maps with string keys and plain values always serialise.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Its number: SHA-256 in hexadecimal.
    #[must_use]
    pub fn version(&self) -> String {
        hash(&self.to_json())
    }

    /// Reads what is kept under `version`.
    pub fn parse(json: &str, version: &str) -> Result<Self, VersionError> {
        if hash(json) != version {
            return Err(VersionError::Changed);
        }
        serde_json::from_str(json).map_err(|_| VersionError::Changed)
    }
}

fn hash(json: &str) -> String {
    hex::encode(digest(&SHA256, json.as_bytes()).as_ref())
}

/// The folder of a kind of letter.
#[must_use]
pub const fn folder(audience: Audience) -> &'static str {
    match audience {
        Audience::Staff => "staff",
        Audience::Customers => "customer",
    }
}

impl Writer {
    /// Checks the files for letters to an audience, without any facts.
    pub fn check(files: &Files, audience: Audience) -> Result<(), VersionError> {
        templates(files, audience)?;
        files.official()?;
        let places = files.places()?;
        places.keys().try_for_each(|jurisdiction| place(&places, jurisdiction).map(|_| ()))?;
        Ok(())
    }

    /// Checks every file, whether somebody would get it or not.
    pub fn new(body: Body) -> Result<Self, VersionError> {
        Self::check(&body.files, body.audience)?;
        let (templates, words) = templates(&body.files, body.audience)?;
        let places = body.files.places()?;
        let mut domains = body.domains.clone();
        domains.extend(body.files.official()?);
        let verify_address = body.facts.shop.verify_address.to_lowercase();
        let domains = Domains { ours: domains, verify_address };
        Ok(Self { body, templates, words, places, domains })
    }

    /// What it writes from.
    #[must_use]
    pub const fn body(&self) -> &Body {
        &self.body
    }

    /// What is wrong with the texts for people of a locale; nothing where they may be sent.
    pub fn faults(&self, locale: &Locale, texts: &Texts) -> Result<Vec<String>, VersionError> {
        let language = locale.language.as_str();
        let words = self.words.get(language);
        let words = words.ok_or_else(|| TextsError::Missing(format!("words/{language}.toml")))?;
        let shop = &self.body.facts.shop;
        let fields = [
            ("name", &shop.name),
            ("web_address", &shop.web_address),
            ("verify_address", &shop.verify_address),
            ("support_email", &shop.support_email),
            ("signatory", &shop.signatory),
            ("signatory_title", &shop.signatory_title),
        ];
        let empty = fields.into_iter().filter(|(_, value)| value.trim().is_empty());
        let mut faults: Vec<_> = empty.map(|(name, _)| format!("shop.{name} is empty")).collect();
        faults.extend(lint(texts, self.body.audience, words, &self.domains));
        Ok(faults)
    }

    /// The domains that letters may name.
    #[must_use]
    pub fn domains(&self) -> &[String] {
        &self.domains.ours
    }

    /// The language and place in which somebody is written to: as the place asks for, else as
    /// chosen, else the first of ours. Places that make no difference are one.
    pub fn locale(&self, language: &str, jurisdiction: &str) -> Result<Locale, VersionError> {
        let of = place(&self.places, jurisdiction)?;
        let wanted = of.language.as_deref().unwrap_or(language);
        let language = if self.words.contains_key(wanted) { wanted } else { FALLBACK };
        let jurisdiction = if of == Place::default() { "" } else { jurisdiction };
        Ok(Locale { language: language.to_owned(), jurisdiction: jurisdiction.to_owned() })
    }

    /// The texts for people of a locale who lost `fields`, if the version has any for them.
    pub fn write_approved(&self, locale: &Locale, fields: FieldSet) -> Result<Texts, VersionError> {
        let asked = |of: &Variant| of.locale == *locale && of.fields == fields;
        if !self.body.variants.iter().any(asked) {
            return Err(VersionError::Unapproved);
        }
        self.write(locale, fields)
    }

    /// The texts for people of a locale who lost `fields`.
    pub fn write(&self, locale: &Locale, fields: FieldSet) -> Result<Texts, VersionError> {
        let language = locale.language.as_str();
        let words = self.words.get(language);
        let words = words.ok_or_else(|| TextsError::Missing(format!("words/{language}.toml")))?;
        let facts = &self.body.facts;
        let told = place(&self.places, &locale.jurisdiction)?;
        let context = context! {
            written => words.day(facts.written),
            began => words.instant(facts.began),
            ended => words.instant(facts.ended),
            discovered => words.day(facts.discovered),
            cards_untouched => facts.cards_untouched,
            contained => facts.contained,
            voided => facts.voided,
            exposed => words::number(facts.exposed),
            customers => words::number(facts.customers),
            incident => facts.incident,
            shop => context! {
                name => facts.shop.name.as_str(),
                web_address => facts.shop.web_address.as_str(),
                verify_address => facts.shop.verify_address.as_str(),
                support_email => facts.shop.support_email.as_str(),
                signatory => facts.shop.signatory.as_str(),
                signatory_title => facts.shop.signatory_title.as_str(),
            },
            measures => sentence(&facts.measures, "measures", language)?,
            police_delay => sentence(&facts.police_delay, "police_delay", language)?,
            lost => Value::from_iter(words.fields(fields)),
            password_typed => fields.contains(Field::Password),
            password_involved => fields.contains(Field::Password),
            place => context! {
                agency => told.agency,
                withhold_nature => told.withhold_nature,
                count => told.count,
                police_report => told.police_report,
                united_states => told.united_states,
                european => told.european,
                canada => told.canada,
                brazil => told.brazil,
            },
            name => NAME.to_string(),
            code => CODE.to_string(),
        };
        let write = |file: &str| {
            let path = format!("{}/{language}/{file}", folder(self.body.audience));
            let failed = |e: minijinja::Error| VersionError::Template {
                file: path.clone(),
                cause: format!("{e:#}"),
            };
            let template = self.templates.get_template(&path).map_err(failed)?;
            template.render(&context).map_err(failed)
        };
        Ok(Texts {
            subject: write("subject.txt")?.trim().to_owned(),
            text: write("text.txt")?,
            html: write("html.html")?,
            nameless: words.nameless.of(self.body.audience).to_owned(),
        })
    }
}

/// Every template of an audience, and the words of every language.
fn templates(
    files: &Files,
    audience: Audience,
) -> Result<(Environment<'static>, BTreeMap<String, Words>), VersionError> {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    templates.set_auto_escape_callback(|name| match name.rsplit('.').next() {
        Some("html") => AutoEscape::Html,
        _ => AutoEscape::None,
    });
    let mut words = BTreeMap::new();
    for language in files.languages() {
        words.insert(language.to_owned(), files.words(language)?);
        for file in ["subject.txt", "text.txt", "html.html"] {
            let path = format!("{}/{language}/{file}", folder(audience));
            let text = files.get(&path)?.to_owned();
            let failed = |e: minijinja::Error| VersionError::Template {
                file: path.clone(),
                cause: format!("{e:#}"),
            };
            templates.add_template_owned(path.clone(), text).map_err(failed)?;
        }
    }
    Ok((templates, words))
}

/// The shop's sentence in a language; empty where it has none at all.
fn sentence<'a>(
    all: &'a BTreeMap<String, String>,
    name: &'static str,
    language: &str,
) -> Result<&'a str, VersionError> {
    match all.get(language) {
        Some(text) => Ok(text),
        None if all.is_empty() => Ok(""),
        None => Err(VersionError::Sentence(name, language.to_owned())),
    }
}
