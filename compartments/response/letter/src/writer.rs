//! The writer of a version's texts.

use std::collections::BTreeMap;

use cofferdam_core::Field;
use cofferdam_mail::{CODE, NAME};
use minijinja::value::merge_maps;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};
use response_api::Audience;

use crate::claims::Claim;
use crate::files::{FALLBACK, Files, TextsError};
use crate::format;
use crate::lint::{Domains, lint};
use crate::places::{Locale, Place, place};
use crate::version::{Texts, Told, Variant, Version, VersionError};
use crate::words::Words;

/// Writes the texts of a version from its files and facts.
pub struct Writer {
    version: Version,
    templates: Environment<'static>,
    words: BTreeMap<String, Words>,
    places: BTreeMap<String, toml::Table>,
    domains: Domains,
}

impl Writer {
    /// Checks the files of letters to an audience, without any facts.
    pub fn check(files: &Files, audience: Audience) -> Result<(), VersionError> {
        templates(files, audience)?;
        files.official_domains()?;
        let places = files.places()?;
        places.keys().try_for_each(|jurisdiction| place(&places, jurisdiction).map(|_| ()))?;
        Ok(())
    }

    /// Prepares to write a version. Every file is checked, even one that nobody would get.
    pub fn new(version: Version) -> Result<Self, VersionError> {
        Self::check(&version.files, version.audience)?;
        let (templates, words) = templates(&version.files, version.audience)?;
        let places = version.files.places()?;
        let mut domains = version.domains.clone();
        domains.extend(version.files.official_domains()?);
        let verify_address = version.facts.shop.verify_address.to_lowercase();
        let domains = Domains { ours: domains, verify_address };
        Ok(Self { version, templates, words, places, domains })
    }

    /// The version from which the texts are written.
    #[must_use]
    pub const fn version(&self) -> &Version {
        &self.version
    }

    /// The faults of the texts for a locale. Texts without faults may be sent.
    pub fn faults(&self, locale: &Locale, texts: &Texts) -> Result<Vec<String>, VersionError> {
        let language = locale.language.as_str();
        let words = self.words.get(language);
        let words = words.ok_or_else(|| TextsError::Missing(format!("words/{language}.toml")))?;
        let shop = &self.version.facts.shop;
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
        faults.extend(lint(texts, self.version.audience, words, &self.domains));
        Ok(faults)
    }

    /// The domains that letters may name.
    #[must_use]
    pub fn domains(&self) -> &[String] {
        &self.domains.ours
    }

    /// The locale of a person's letter. The language of the place comes first, then the person's
    /// own, then [`FALLBACK`]. All places without rules of their own share one locale.
    pub fn locale(&self, language: &str, jurisdiction: &str) -> Result<Locale, VersionError> {
        let rules = place(&self.places, jurisdiction)?;
        let wanted = rules.language.as_deref().unwrap_or(language);
        let language = if self.words.contains_key(wanted) { wanted } else { FALLBACK };
        let jurisdiction = if rules == Place::default() { "" } else { jurisdiction };
        Ok(Locale { language: language.to_owned(), jurisdiction: jurisdiction.to_owned() })
    }

    /// The texts for people of a locale who are `told` the same, if the version has this variant.
    pub fn write_approved(&self, locale: &Locale, told: Told) -> Result<Texts, VersionError> {
        let asked = |of: &Variant| of.locale == *locale && of.told == told;
        if !self.version.variants.iter().any(asked) {
            return Err(VersionError::Unapproved);
        }
        self.write(locale, told)
    }

    /// The texts for people of a locale who are `told` the same.
    pub fn write(&self, locale: &Locale, told: impl Into<Told>) -> Result<Texts, VersionError> {
        let language = locale.language.as_str();
        let words = self.words.get(language);
        let words = words.ok_or_else(|| TextsError::Missing(format!("words/{language}.toml")))?;
        let context = self.context(locale, told.into(), words)?;
        let write = |file: &str| {
            let path = format!("{}/{language}/{file}", folder(self.version.audience));
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
            nameless: words.nameless.of(self.version.audience).to_owned(),
        })
    }

    /// The values that templates may use.
    fn context(
        &self,
        locale: &Locale,
        Told { fields, while_signed_in }: Told,
        words: &Words,
    ) -> Result<Value, VersionError> {
        let language = locale.language.as_str();
        let facts = &self.version.facts;
        let place = place(&self.places, &locale.jurisdiction)?;
        let is_exposed = !fields.is_empty();
        let claims = Claim::all().map(|claim| (claim.name(), facts.claims.has(claim)));
        let claims = Value::from(claims.collect::<BTreeMap<&str, bool>>());
        let voided_until = facts.claims.voided_until.map(|at| words.instant(at));
        let common = context! {
            written => words.day(facts.written),
            began => words.instant(facts.began),
            ended => words.instant(facts.ended),
            discovered => words.day(facts.discovered),
            voided_until,
            // A letter is for somebody exposed if it names a field.
            yours_voided => facts.claims.has(Claim::ExposedVoided) && is_exposed,
            yours_while_signed_in => facts.claims.has(Claim::WhileSignedIn) && while_signed_in && is_exposed,
            exposed => format::number(facts.exposed),
            customers => format::number(facts.customers),
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
                agency => place.agency,
                withhold_nature => place.withhold_nature,
                count => place.count,
                police_report => place.police_report,
                united_states => place.united_states,
                european => place.european,
                canada => place.canada,
                brazil => place.brazil,
            },
            name => NAME.to_string(),
            code => CODE.to_string(),
        };
        Ok(merge_maps([common, claims]))
    }
}

/// The folder of the texts for an audience.
#[must_use]
pub const fn folder(audience: Audience) -> &'static str {
    match audience {
        Audience::Staff => "staff",
        Audience::Customers => "customer",
    }
}

/// Loads every template of an audience, and the words of every language.
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

/// The shop's sentence in a language; empty if the shop has it in no language.
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
