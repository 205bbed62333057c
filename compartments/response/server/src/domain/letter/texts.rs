//! The texts of letters: a folder per message and language with subject, text and HTML, the words
//! of each language, and what is said where.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cofferdam_core::{Field, Timestamp};
use include_dir::{Dir, include_dir};
use response_api::Audience;
use serde::{Deserialize, Serialize};

static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/letters");

/// The language of who has none that we write.
pub const FALLBACK: &str = "en";
const PLACES: &str = "places.toml";

/// Every file by its path, as `customer/en/text.txt`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Files(pub BTreeMap<String, String>);

/// The words of one language, besides the letters' own.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    months: Vec<String>,
    day: String,
    instant: String,
    /// What every letter of a kind has over its parts.
    pub headings: Kinds,
    /// What every letter of a kind says.
    pub required: Kinds,
    fields: BTreeMap<Field, String>,
    /// What people are called whose name is none.
    pub nameless: Nameless,
    /// The page on which a letter is checked.
    pub verify: VerifyWords,
}

/// What somebody is called in a greeting that has no name.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nameless {
    customer: String,
    staff: String,
}

impl Nameless {
    /// In letters to an audience.
    #[must_use]
    pub fn of(&self, audience: Audience) -> &str {
        match audience {
            Audience::Customers => &self.customer,
            Audience::Staff => &self.staff,
        }
    }
}

/// By kind of letter.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kinds {
    /// In letters to customers.
    pub customer: Vec<String>,
    /// In letters to staff.
    pub staff: Vec<String>,
}

/// What stands on the page on which a letter is checked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifyWords {
    pub title: String,
    pub intro: String,
    pub label: String,
    pub button: String,
    pub genuine: String,
    pub copied: String,
    #[serde(rename = "false")]
    pub forged: String,
    pub slow: String,
    pub date: String,
    pub subject: String,
}

/// What a letter says in one place beside what it says everywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a sentence that is said or is not")]
pub struct Place {
    /// The language there, whatever the customer chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The authority to turn to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agency: Option<String>,
    /// Neither the nature of the breach nor how many.
    pub withhold_nature: bool,
    /// How many.
    pub count: bool,
    /// The right to a police report.
    pub police_report: bool,
    /// Bureaus, the FTC, alert and freeze.
    pub united_states: bool,
    /// The data protection authority.
    pub european: bool,
    /// The privacy commissioners.
    pub canada: bool,
    /// The ANPD.
    pub brazil: bool,
}

/// Why the texts can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TextsError {
    /// A file can't be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file is not as it should be.
    #[error("{path}: {cause}")]
    Malformed {
        /// Which.
        path: String,
        /// What is wrong.
        cause: String,
    },
    /// A file is not there.
    #[error("the letters have no {0}")]
    Missing(String),
}

impl Files {
    /// The texts that Cofferdam ships.
    #[must_use]
    pub fn shipped() -> Self {
        let mut files = BTreeMap::new();
        let mut dirs = vec![&SHIPPED];
        while let Some(dir) = dirs.pop() {
            dirs.extend(dir.dirs());
            for file in dir.files() {
                let text = file.contents_utf8().unwrap_or_default().to_owned();
                files.insert(file.path().display().to_string(), text);
            }
        }
        Self(files)
    }

    /// The shop's own texts, in a directory of the same shape. What it leaves out is as shipped.
    pub fn load(dir: &Path) -> Result<Self, TextsError> {
        let mut files = Self::shipped();
        let mut dirs = vec![dir.to_owned()];
        while let Some(at) = dirs.pop() {
            let failed = |source| TextsError::Read { path: at.clone(), source };
            for entry in std::fs::read_dir(&at).map_err(failed)? {
                let path = entry.map_err(failed)?.path();
                if path.is_dir() {
                    dirs.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path)
                    .map_err(|source| TextsError::Read { path: path.clone(), source })?;
                let name = path.strip_prefix(dir).unwrap_or(&path).display().to_string();
                files.0.insert(name, text);
            }
        }
        Ok(files)
    }

    /// One file.
    pub fn get(&self, path: &str) -> Result<&str, TextsError> {
        let text = self.0.get(path);
        text.map(String::as_str).ok_or_else(|| TextsError::Missing(path.to_owned()))
    }

    /// The languages that have words.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        self.0.keys().filter_map(|path| path.strip_prefix("words/")?.strip_suffix(".toml"))
    }

    /// The words of a language.
    pub fn words(&self, language: &str) -> Result<Words, TextsError> {
        let path = format!("words/{language}.toml");
        let malformed = |cause: String| TextsError::Malformed { path: path.clone(), cause };
        let words: Words =
            toml::from_str(self.get(&path)?).map_err(|e| malformed(e.to_string()))?;
        if words.months.len() != 12 {
            return Err(malformed("a year has twelve months".to_owned()));
        }
        for (name, of) in [("headings", &words.headings), ("required", &words.required)] {
            let says = |lines: &Vec<String>| lines.iter().any(|line| !line.trim().is_empty());
            if !says(&of.customer) || !says(&of.staff) {
                return Err(malformed(format!("{name} has nothing that a letter must have")));
            }
        }
        Ok(words)
    }

    /// The domains of authorities that letters may name.
    pub fn official(&self) -> Result<Vec<String>, TextsError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Domains {
            official: Vec<String>,
        }
        let path = "domains.toml";
        let malformed = |e: toml::de::Error| TextsError::Malformed {
            path: path.to_owned(),
            cause: e.to_string(),
        };
        toml::from_str(self.get(path)?).map(|all: Domains| all.official).map_err(malformed)
    }

    /// What is said where.
    pub fn places(&self) -> Result<BTreeMap<String, toml::Table>, TextsError> {
        let malformed = |e: toml::de::Error| TextsError::Malformed {
            path: PLACES.to_owned(),
            cause: e.to_string(),
        };
        toml::from_str(self.get(PLACES)?).map_err(malformed)
    }
}

/// What is said in a jurisdiction: what stands under its country, and over it its own.
pub fn place(
    places: &BTreeMap<String, toml::Table>,
    jurisdiction: &str,
) -> Result<Place, TextsError> {
    let country = jurisdiction.split('-').next().unwrap_or_default();
    let mut merged = places.get(country).cloned().unwrap_or_default();
    if country != jurisdiction {
        merged.extend(places.get(jurisdiction).cloned().unwrap_or_default());
    }
    merged.try_into().map_err(|e: toml::de::Error| TextsError::Malformed {
        path: format!("{PLACES}, {jurisdiction}"),
        cause: e.to_string(),
    })
}

impl Words {
    /// `15 January 2012`
    #[must_use]
    pub fn day(&self, at: Timestamp) -> String {
        let date = at.to_zoned(jiff::tz::TimeZone::UTC).date();
        // A month is one of twelve, and so many are there.
        let month = usize::try_from(date.month() - 1).ok().and_then(|m| self.months.get(m));
        self.day
            .replace("{day}", &date.day().to_string())
            .replace("{month}", month.map_or("", String::as_str))
            .replace("{year}", &date.year().to_string())
    }

    /// `15 January 2012, 04:00 UTC`
    #[must_use]
    pub fn instant(&self, at: Timestamp) -> String {
        let time = at.strftime("%H:%M").to_string();
        self.instant.replace("{date}", &self.day(at)).replace("{time}", &time)
    }

    /// What a field is called.
    #[must_use]
    pub fn phrase(&self, field: Field) -> Option<&str> {
        self.fields.get(&field).map(String::as_str)
    }

    /// What was lost, as lines of a letter.
    #[must_use]
    pub fn fields(&self, fields: cofferdam_core::FieldSet) -> Vec<&str> {
        fields.iter().filter_map(|field| self.phrase(field)).collect()
    }
}
