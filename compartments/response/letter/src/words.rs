//! The words of one language: day names, field names and greetings.

use std::collections::BTreeMap;

use cofferdam_core::{Field, FieldSet, Timestamp};
use response_api::Audience;
use serde::Deserialize;

/// The number of months in a year.
pub const MONTHS: usize = 12;

/// The words of one language, besides the letters' own texts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    pub(crate) months: Vec<String>,
    day: String,
    instant: String,
    /// The headings over the parts of every letter.
    pub headings: Lines,
    /// The sentences that every letter must contain.
    pub required: Lines,
    fields: BTreeMap<Field, String>,
    /// The greeting of a person without a name.
    pub nameless: Nameless,
    /// The texts of the page on which a letter is checked.
    pub verify: VerifyWords,
}

/// Lines of letters, by audience.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lines {
    customer: Vec<String>,
    staff: Vec<String>,
}

/// The greeting of a person without a name, by audience.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nameless {
    customer: String,
    staff: String,
}

/// The texts of the page on which a letter is checked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifyWords {
    /// The title of the page.
    pub title: String,
    /// The sentence over the form.
    pub intro: String,
    /// The label of the code's field.
    pub label: String,
    /// The label of the button.
    pub button: String,
    /// The answer for a code that belongs to a letter.
    pub genuine: String,
    /// The warning that a genuine code may have been copied into a forged letter.
    pub copied: String,
    /// The answer for a code that belongs to no letter.
    #[serde(rename = "false")]
    pub forged: String,
    /// The answer for somebody who tried too many codes.
    pub slow: String,
    /// The label of the letter's date.
    pub date: String,
    /// The label of the letter's subject.
    pub subject: String,
}

impl Lines {
    /// The lines of letters to an audience.
    #[must_use]
    pub fn of(&self, audience: Audience) -> &[String] {
        match audience {
            Audience::Customers => &self.customer,
            Audience::Staff => &self.staff,
        }
    }

    /// Whether an audience has no line at all.
    pub(crate) fn lacks_an_audience(&self) -> bool {
        let blank = |lines: &[String]| lines.iter().all(|line| line.trim().is_empty());
        blank(&self.customer) || blank(&self.staff)
    }
}

impl Nameless {
    /// The greeting in letters to an audience.
    #[must_use]
    pub fn of(&self, audience: Audience) -> &str {
        match audience {
            Audience::Customers => &self.customer,
            Audience::Staff => &self.staff,
        }
    }
}

impl Words {
    /// Formats a day as `15 January 2012`.
    #[must_use]
    pub fn day(&self, at: Timestamp) -> String {
        let date = at.to_zoned(jiff::tz::TimeZone::UTC).date();
        // The file was refused unless it has all twelve months.
        let month = usize::try_from(date.month() - 1).ok().and_then(|m| self.months.get(m));
        self.day
            .replace("{day}", &date.day().to_string())
            .replace("{month}", month.map_or("", String::as_str))
            .replace("{year}", &date.year().to_string())
    }

    /// Formats an instant as `15 January 2012, 04:00 UTC`.
    #[must_use]
    pub fn instant(&self, at: Timestamp) -> String {
        let time = at.strftime("%H:%M").to_string();
        self.instant.replace("{date}", &self.day(at)).replace("{time}", &time)
    }

    /// The words for a field; `None` for a field that no letter names.
    #[must_use]
    pub fn phrase(&self, field: Field) -> Option<&str> {
        self.fields.get(&field).map(String::as_str)
    }

    /// The words for lost fields, as lines of a letter.
    #[must_use]
    pub fn fields(&self, fields: FieldSet) -> Vec<&str> {
        fields.iter().filter_map(|field| self.phrase(field)).collect()
    }
}
