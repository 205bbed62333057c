//! Names of people and streets, by language.

use fake::Fake;
use fake::faker::name::raw::{FirstName, LastName};
use fake::locales::{DE_DE, EN, FR_FR, IT_IT, JA_JP, NL_NL, PT_BR};
use fake::rand::rngs::ChaCha8Rng;

use super::draw::draw;

/// A language, with the names of its speakers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tongue {
    /// English
    English,
    /// Spanish
    Spanish,
    /// French
    French,
    /// German
    German,
    /// Italian
    Italian,
    /// Dutch
    Dutch,
    /// Portuguese
    Portuguese,
    /// Japanese
    Japanese,
}

/// Spanish given names, which the crate `fake` lacks.
const SPANISH_GIVEN: [&str; 24] = [
    "Alejandra",
    "Antonio",
    "Beatriz",
    "Carlos",
    "Carmen",
    "Daniela",
    "Diego",
    "Elena",
    "Fernando",
    "Gabriela",
    "Guillermo",
    "Inés",
    "Javier",
    "José Luis",
    "Lucía",
    "Manuel",
    "Marisol",
    "Miguel Ángel",
    "Paloma",
    "Rafael",
    "Ramón",
    "Rosario",
    "Sofía",
    "Valentina",
];
/// Spanish family names.
const SPANISH_FAMILY: [&str; 24] = [
    "Álvarez",
    "Castillo",
    "Delgado",
    "Díaz",
    "Domínguez",
    "Escobar",
    "Fernández",
    "Gutiérrez",
    "Hernández",
    "Herrera",
    "Jiménez",
    "Maldonado",
    "Martínez",
    "Moreno",
    "Muñoz",
    "Navarro",
    "Ortega",
    "Peña",
    "Quintero",
    "Ramírez",
    "Rodríguez",
    "Sepúlveda",
    "Vázquez",
    "Villanueva",
];
/// Names in Latin letters, for the mail addresses of people whose own names have other letters.
const ROMAN: [&str; 12] = [
    "hanako", "haruto", "kenji", "mika", "naoki", "sakura", "shiori", "takumi", "yamato", "yuki",
    "yumi", "ren",
];

impl Tongue {
    /// The language's code, ISO 639-1.
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
            Self::French => "fr",
            Self::German => "de",
            Self::Italian => "it",
            Self::Dutch => "nl",
            Self::Portuguese => "pt",
            Self::Japanese => "ja",
        }
    }

    /// Draws a given name.
    pub fn given(self, rng: &mut ChaCha8Rng) -> String {
        let name: String = match self {
            Self::English => FirstName(EN).fake_with_rng(rng),
            Self::Spanish => (*draw(rng, &SPANISH_GIVEN)).to_owned(),
            Self::French => FirstName(FR_FR).fake_with_rng(rng),
            Self::German => FirstName(DE_DE).fake_with_rng(rng),
            Self::Italian => FirstName(IT_IT).fake_with_rng(rng),
            Self::Dutch => FirstName(NL_NL).fake_with_rng(rng),
            Self::Portuguese => FirstName(PT_BR).fake_with_rng(rng),
            Self::Japanese => FirstName(JA_JP).fake_with_rng(rng),
        };
        name.trim().to_owned()
    }

    /// Draws a family name. Some of those in `fake` have blanks around them, which are cut off.
    pub fn family(self, rng: &mut ChaCha8Rng) -> String {
        let name: String = match self {
            Self::English => LastName(EN).fake_with_rng(rng),
            Self::Spanish => (*draw(rng, &SPANISH_FAMILY)).to_owned(),
            Self::French => LastName(FR_FR).fake_with_rng(rng),
            Self::German => LastName(DE_DE).fake_with_rng(rng),
            Self::Italian => LastName(IT_IT).fake_with_rng(rng),
            Self::Dutch => LastName(NL_NL).fake_with_rng(rng),
            Self::Portuguese => LastName(PT_BR).fake_with_rng(rng),
            Self::Japanese => LastName(JA_JP).fake_with_rng(rng),
        };
        name.trim().to_owned()
    }

    /// Makes a street with the number of a house.
    pub fn street(self, house: u32, rng: &mut ChaCha8Rng) -> String {
        let name = self.family(rng);
        match self {
            Self::English => {
                let kind = draw(rng, &["Street", "Avenue", "Road", "Lane", "Drive", "Court"]);
                format!("{house} {name} {kind}")
            }
            Self::Spanish => format!("Calle {name} {house}"),
            Self::French => format!("{house} rue {name}"),
            Self::German => format!("{name}straße {house}"),
            Self::Italian => format!("Via {name} {house}"),
            Self::Dutch => format!("{name}laan {house}"),
            Self::Portuguese => format!("Rua {name}, {house}"),
            Self::Japanese => format!("{name}町 {}-{}-{}", house % 9 + 1, house % 7 + 1, house),
        }
    }
}

/// A name as it appears in a mail address: small letters without accents.
pub fn plain(name: &str, rng: &mut ChaCha8Rng) -> String {
    let mut out = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        match c {
            'a'..='z' => out.push(c),
            'ä' => out.push_str("ae"),
            'ö' => out.push_str("oe"),
            'ü' => out.push_str("ue"),
            'ß' => out.push_str("ss"),
            'à' | 'á' | 'â' | 'ã' => out.push('a'),
            'ç' => out.push('c'),
            'è' | 'é' | 'ê' | 'ë' => out.push('e'),
            'ì' | 'í' | 'î' | 'ï' => out.push('i'),
            'ñ' => out.push('n'),
            'ò' | 'ó' | 'ô' | 'õ' => out.push('o'),
            'ù' | 'ú' | 'û' => out.push('u'),
            _ => {}
        }
    }
    if out.is_empty() { (*draw(rng, &ROMAN)).to_owned() } else { out }
}
