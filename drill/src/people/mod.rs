//! Synthetic customers. Each is made from a seed and a number alone, so that any of them can be
//! made again and none has to be kept.

mod draw;
mod names;
mod places;

use std::io;
use std::path::Path;

use fake::rand::distr::Distribution;
use fake::rand::distr::weighted::WeightedIndex;
use fake::rand::rngs::ChaCha8Rng;
use fake::rand::{RngExt, SeedableRng};
use sha1::{Digest, Sha1};
use staff::import::COLUMNS;

use draw::{draw, fill_in};
use names::plain;
use places::{PLACES, Place};

/// Mail domains that nobody owns (RFC 2606).
const DOMAINS: [&str; 6] = [
    "post.example",
    "inbox.example",
    "mailhaus.example",
    "brief.example",
    "correo.example",
    "letterbox.example",
];

/// A customer as an older shop stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The full name.
    pub name: String,
    /// The e-mail address, which no other customer has.
    pub email: String,
    /// The telephone number, in the form of the country.
    pub phone: String,
    /// The address for bills.
    pub billing_address: String,
    /// The address for parcels, mostly the same.
    pub shipping_address: String,
    /// The last digits of a card, which about half of the customers have.
    pub card_last4: Option<String>,
    /// The country, ISO 3166-1.
    pub country: &'static str,
    /// The region, ISO 3166-2, in some countries.
    pub region: &'static str,
    /// The language, ISO 639-1.
    pub language: &'static str,
    /// Whether the customer is a minor: one in a hundred.
    pub minor: bool,
    /// The password, as people choose them.
    pub password: String,
    /// The salt of the legacy hash.
    pub salt: String,
}

/// All synthetic customers of a seed.
pub struct People {
    seed: u64,
    places: WeightedIndex<u32>,
}

impl People {
    /// The customers of `seed`.
    pub fn new(seed: u64) -> Self {
        #[expect(clippy::expect_used, reason = "the table has places, each with a weight")]
        let places = WeightedIndex::new(PLACES.iter().map(|p| p.weight)).expect("good weights");
        Self { seed, places }
    }

    /// Customer `number`, the same each time. The first ones live in as many different places.
    pub fn person(&self, number: u32) -> Person {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(u64::from(number));
        let rng = &mut rng;
        let place = PLACES.get(number as usize);
        let place = place.unwrap_or_else(|| &PLACES[self.places.sample(rng)]);
        let (given, family) = (place.tongue.given(rng), place.tongue.family(rng));
        let domain = draw(rng, &DOMAINS);
        let email = format!("{}.{}.{number:x}@{domain}", plain(&given, rng), plain(&family, rng));
        let billing_address = address(place, rng);
        let elsewhere = rng.random_ratio(1, 6);
        Person {
            shipping_address: if elsewhere { address(place, rng) } else { billing_address.clone() },
            billing_address,
            phone: fill_in(place.phone, rng),
            card_last4: rng.random_ratio(1, 2).then(|| fill_in("####", rng)),
            country: place.country,
            region: place.region,
            language: place.tongue.code(),
            minor: rng.random_ratio(1, 100),
            password: password(&given, rng),
            salt: hex::encode(rng.random::<[u8; 8]>()),
            name: format!("{given} {family}"),
            email,
        }
    }

    /// Writes the first `count` customers as a file for `customers add`.
    pub fn write_csv(&self, path: &Path, count: u32) -> io::Result<()> {
        let mut file = csv::Writer::from_path(path)?;
        file.write_record(COLUMNS)?;
        for number in 0..count {
            let p = self.person(number);
            let minor = if p.minor { "true" } else { "false" };
            file.write_record([
                &p.name,
                &p.email,
                &p.phone,
                &p.billing_address,
                &p.shipping_address,
                p.card_last4.as_deref().unwrap_or(""),
                p.country,
                p.region,
                p.language,
                minor,
                "salted_sha1",
                &p.salt,
                &hex::encode(legacy_hash(&p.salt, &p.password)),
            ])?;
        }
        file.flush()
    }
}

/// `SHA-1(salt ‖ password)`, as was usual in 2012.
fn legacy_hash(salt: &str, password: &str) -> [u8; 20] {
    Sha1::new().chain_update(salt).chain_update(password).finalize().into()
}

fn address(place: &Place, rng: &mut ChaCha8Rng) -> String {
    let house = rng.random_range(1..400);
    let street = place.tongue.street(house, rng);
    let postcode = fill_in(place.postcode, rng);
    match place.country {
        "US" | "CA" | "AU" => {
            format!("{street}, {}, {} {postcode}, {}", place.city, place.region, place.country)
        }
        "GB" | "IE" | "NZ" => format!("{street}, {} {postcode}, {}", place.city, place.country),
        _ => format!("{street}, {postcode} {}, {}", place.city, place.country),
    }
}

/// A password as people choose them: many take one of a few common ones, others a name or a word
/// with a number.
fn password(given: &str, rng: &mut ChaCha8Rng) -> String {
    const COMMON: [&str; 16] = [
        "123456", "password", "12345678", "qwerty", "abc123", "monkey", "letmein", "dragon",
        "iloveyou", "trustno1", "sunshine", "princess", "football", "shadow1", "master1",
        "welcome1",
    ];
    const WORDS: [&str; 16] = [
        "summer", "winter", "orange", "purple", "coffee", "guitar", "soccer", "tigers", "yellow",
        "banana", "cookie", "pepper", "silver", "hunter", "ginger", "rocket",
    ];
    match rng.random_range(0..10) {
        // The product of two numbers makes the first passwords of the list far more common than the
        // last ones.
        0..3 => {
            let skew = rng.random_range(0..16_usize) * rng.random_range(0..16_usize) / 16;
            COMMON[skew].to_owned()
        }
        3..6 => format!("{}{}", given.to_lowercase(), rng.random_range(1950..2012)),
        6..9 => format!("{}{}", draw(rng, &WORDS), rng.random_range(1..1000)),
        _ => hex::encode(rng.random::<[u8; 6]>()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    #[test]
    fn a_seed_makes_the_same_people_and_another_makes_others() {
        let (one, again, other) = (People::new(1), People::new(1), People::new(2));
        for number in [0, 1, 500, 4_000_000] {
            assert_eq!(one.person(number), again.person(number));
            assert_ne!(one.person(number), other.person(number));
        }
    }

    #[test]
    fn few_people_live_in_many_countries_and_every_state() {
        let people = People::new(2012);
        let some: Vec<Person> = (0..300).map(|n| people.person(n)).collect();
        let countries: BTreeSet<_> = some.iter().map(|p| p.country).collect();
        let states: BTreeSet<_> =
            some.iter().filter(|p| p.country == "US").map(|p| p.region).collect();
        assert!(countries.len() >= 12, "{countries:?}");
        assert_eq!(states.len(), 50, "{states:?}");
    }

    #[test]
    fn addresses_are_unlike_and_passwords_are_skewed() {
        let people = People::new(7);
        let some: Vec<Person> = (0..3_000).map(|n| people.person(n)).collect();
        let addresses: BTreeSet<_> = some.iter().map(|p| &p.email).collect();
        assert_eq!(addresses.len(), some.len());
        assert!(some.iter().all(|p| p.email.is_ascii() && p.email.ends_with(".example")));
        let mut passwords: BTreeMap<&str, u32> = BTreeMap::new();
        for person in &some {
            *passwords.entry(&person.password).or_default() += 1;
        }
        let most = passwords.values().max().copied().unwrap_or(0);
        assert!(most > 50, "the most common password is used {most} times");
    }

    #[test]
    fn the_file_holds_hashes_and_no_password() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("people.csv");
        let people = People::new(3);
        people.write_csv(&path, 5).unwrap();
        let mut file = csv::Reader::from_path(&path).unwrap();
        let rows: Vec<_> = file.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 5);
        let (row, person) = (&rows[4], people.person(4));
        assert_eq!(&row[1], person.email);
        assert_eq!(&row[12], hex::encode(legacy_hash(&person.salt, &person.password)));
    }
}
