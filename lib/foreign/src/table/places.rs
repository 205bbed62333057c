//! Countries and regions as people write them: codes of ISO 3166 and names in many languages.
//!
//! The names come from the Unicode CLDR and from ISO 3166 (`places/README.md`). A name that could be
//! two places is left out there: what can't be told is unknown.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use cofferdam_core::{Country, Region};
use schemars::JsonSchema;
use serde::Serialize;
use unicode_normalization::UnicodeNormalization as _;

const COUNTRIES: &str = include_str!("../../places/countries.tsv");
const REGIONS: &str = include_str!("../../places/regions.tsv");

static PLACES: LazyLock<Places> = LazyLock::new(Places::load);

/// The form in which a place is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlaceForm {
    /// Two letters (ISO 3166-1 alpha-2).
    Alpha2,
    /// Three letters (ISO 3166-1 alpha-3).
    Alpha3,
    /// Three digits (ISO 3166-1 numeric).
    Numeric,
    /// A code of a state or province (ISO 3166-2), with or without its country.
    Subdivision,
    /// A name.
    Name,
    /// Text that is understood as no place. The place is unknown.
    Unknown,
}

/// The country that a text names.
#[must_use]
pub fn country(text: &str) -> (Option<Country>, PlaceForm) {
    let upper = text.trim().to_uppercase();
    let found = |country: &Country, form| (Some(country.clone()), form);
    if let Some(country) = upper.parse().ok().filter(|code| PLACES.countries.contains(code)) {
        return (Some(country), PlaceForm::Alpha2);
    }
    if let Some(country) = PLACES.alpha3.get(upper.as_str()) {
        return found(country, PlaceForm::Alpha3);
    }
    if let Some(country) = PLACES.numeric.get(upper.as_str()) {
        return found(country, PlaceForm::Numeric);
    }
    match PLACES.names.get(&fold(text)) {
        Some(country) => found(country, PlaceForm::Name),
        None => (None, PlaceForm::Unknown),
    }
}

/// The region that a text names, with its country. Without a country, only a code that names its
/// country itself is understood.
#[must_use]
pub fn region(country: Option<&Country>, text: &str) -> (Option<(Country, Region)>, PlaceForm) {
    let upper = text.trim().to_uppercase();
    let (of, code) = match upper.split_once('-') {
        Some((of, code)) => (of.parse().ok(), code),
        None => (country.cloned(), upper.as_str()),
    };
    if let (Some(of), Ok(code)) = (of, code.parse::<Region>())
        && country.is_none_or(|country| *country == of)
    {
        let place = (of, code);
        if PLACES.regions.contains(&place) {
            return (Some(place), PlaceForm::Subdivision);
        }
    }
    let named = country.and_then(|country| {
        let region = PLACES.region_names.get(&(country.clone(), fold(text)))?;
        Some((country.clone(), region.clone()))
    });
    let form = if named.is_some() { PlaceForm::Name } else { PlaceForm::Unknown };
    (named, form)
}

/// A name without what people write differently: case, accents, spaces and punctuation.
fn fold(name: &str) -> String {
    let lower: String = name.trim().to_lowercase().nfkd().collect();
    let bare = lower.strip_prefix("the ").unwrap_or(&lower);
    let is_letter = |c: &char| match *c {
        '\u{300}'..='\u{36f}' | '\u{2000}'..='\u{206f}' => false,
        c if c.is_ascii() => c.is_ascii_alphanumeric(),
        c => !c.is_whitespace(),
    };
    bare.chars().filter(is_letter).collect()
}

struct Places {
    countries: HashSet<Country>,
    alpha3: HashMap<&'static str, Country>,
    numeric: HashMap<&'static str, Country>,
    names: HashMap<String, Country>,
    regions: HashSet<(Country, Region)>,
    region_names: HashMap<(Country, String), Region>,
}

impl Places {
    /// Reads both lists. A test holds that every line of them can be parsed.
    fn load() -> Self {
        let mut places = Self {
            countries: HashSet::new(),
            alpha3: HashMap::new(),
            numeric: HashMap::new(),
            names: HashMap::new(),
            regions: HashSet::new(),
            region_names: HashMap::new(),
        };
        for line in COUNTRIES.lines() {
            let mut cells = line.split('\t');
            let country = cells.next().and_then(|code| code.parse::<Country>().ok());
            let (Some(country), Some(alpha3), Some(numeric)) =
                (country, cells.next(), cells.next())
            else {
                continue;
            };
            places.alpha3.insert(alpha3, country.clone());
            places.numeric.insert(numeric, country.clone());
            places.names.extend(cells.map(|name| (fold(name), country.clone())));
            places.countries.insert(country);
        }
        for line in REGIONS.lines() {
            let mut cells = line.split('\t');
            let country = cells.next().and_then(|code| code.parse::<Country>().ok());
            let region = cells.next().and_then(|code| code.parse::<Region>().ok());
            let (Some(country), Some(region)) = (country, region) else { continue };
            let named = cells.map(|name| ((country.clone(), fold(name)), region.clone()));
            places.region_names.extend(named);
            places.regions.insert((country, region));
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_understood_in_every_form() {
        for (text, code, form) in [
            ("de", "DE", PlaceForm::Alpha2),
            ("UK", "GB", PlaceForm::Name),
            ("DEU", "DE", PlaceForm::Alpha3),
            ("usa", "US", PlaceForm::Alpha3),
            ("276", "DE", PlaceForm::Numeric),
            ("036", "AU", PlaceForm::Numeric),
            ("Germany", "DE", PlaceForm::Name),
            (" GERMANY ", "DE", PlaceForm::Name),
            ("Deutschland", "DE", PlaceForm::Name),
            ("Allemagne", "DE", PlaceForm::Name),
            ("Österreich", "AT", PlaceForm::Name),
            ("O\u{308}sterreich", "AT", PlaceForm::Name),
            ("Oesterreich", "AT", PlaceForm::Name),
            ("Osterreich", "AT", PlaceForm::Name),
            ("日本", "JP", PlaceForm::Name),
            ("Россия", "RU", PlaceForm::Name),
            ("Russian Federation", "RU", PlaceForm::Name),
            ("United States of America", "US", PlaceForm::Name),
            ("U.S.A.", "US", PlaceForm::Name),
            ("the Netherlands", "NL", PlaceForm::Name),
            ("Korea, Republic of", "KR", PlaceForm::Name),
            ("Türkiye", "TR", PlaceForm::Name),
            ("Turkey", "TR", PlaceForm::Name),
            ("Bosnia and Herzegovina", "BA", PlaceForm::Name),
            ("Côte d’Ivoire", "CI", PlaceForm::Name),
            ("Cote d'Ivoire", "CI", PlaceForm::Name),
            ("Viet Nam", "VN", PlaceForm::Name),
            ("Hong Kong", "HK", PlaceForm::Name),
            ("España", "ES", PlaceForm::Name),
            ("Georgia", "GE", PlaceForm::Name),
        ] {
            assert_eq!(country(text), (Some(code.parse().unwrap()), form), "{text}");
        }
        // 36 may be the shop's own number of a country.
        for text in ["", "XX", "QQQ", "999", "36", "Atlantis", "Korea", "a@b.example", "\\N"] {
            assert_eq!(country(text), (None, PlaceForm::Unknown), "{text}");
        }
    }

    #[test]
    fn a_region_is_one_of_its_country() {
        let us: Country = "US".parse().unwrap();
        for (of, text, code) in [
            ("US", "KY", Some("KY")),
            ("US", "ky", Some("KY")),
            ("US", "US-KY", Some("KY")),
            ("US", "Kentucky", Some("KY")),
            ("US", "NEW YORK", Some("NY")),
            ("US", "DE-BY", None),
            ("US", "Bayern", None),
            ("US", "ZZ", None),
            ("CA", "Québec", Some("QC")),
            ("DE", "Bavaria", Some("BY")),
            ("DE", "Thueringen", Some("TH")),
            ("FR", "75C", Some("75C")),
        ] {
            let of: Country = of.parse().unwrap();
            let region = region(Some(&of), text).0.map(|(_, region)| region.to_string());
            assert_eq!(region.as_deref(), code, "{of} {text}");
        }
        let kentucky = (us, "KY".parse().unwrap());
        assert_eq!(region(None, "US-KY"), (Some(kentucky), PlaceForm::Subdivision));
        assert_eq!(region(None, "Kentucky"), (None, PlaceForm::Unknown));
    }

    #[test]
    fn every_line_of_the_lists_counts_and_no_name_stands_for_two_places() {
        let lines = |text: &str| text.lines().count();
        assert_eq!(PLACES.countries.len(), lines(COUNTRIES));
        assert_eq!(PLACES.regions.len(), lines(REGIONS));
        assert!(PLACES.countries.len() > 245 && PLACES.regions.len() > 5_000);
        let names = |text: &str, codes: usize| -> usize {
            text.lines().map(|line| line.split('\t').count() - codes).sum()
        };
        assert_eq!(PLACES.names.len(), names(COUNTRIES, 3));
        assert_eq!(PLACES.region_names.len(), names(REGIONS, 2));
        for (name, of) in &PLACES.names {
            let code = name.to_uppercase();
            assert!(PLACES.alpha3.get(code.as_str()).is_none_or(|other| other == of), "{name}");
        }
    }
}
