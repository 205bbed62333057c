//! Customers for tests.

use accounts_api::{Coarse, ImportRow, LegacyCredential, LegacyScheme, Profile};
use aws_lc_rs::digest::{SHA256, digest};
use cofferdam_core::{KeyBytes, Personal};
use sha1::{Digest as _, Sha1};

/// A customer who fills every field.
pub fn ada() -> Profile {
    Profile {
        name: Personal::new("Ada Lovelace"),
        email: Personal::new("Ada@Example.org"),
        phone: Some(Personal::new("+44 20 7946 0958")),
        billing_address: Some(Personal::new("12 St James Square, London SW1Y 4JH")),
        shipping_address: Some(Personal::new("7 Ockham Park Lane, Ockham GU23 6NQ")),
        card_last4: Some(Personal::new("4929")),
        coarse: Coarse {
            country: Some("GB".parse().unwrap()),
            region: Some("LND".parse().unwrap()),
            language: "en".parse().unwrap(),
            minor: false,
        },
    }
}

/// Customer `n` of many. Each has another name, address and telephone number.
pub fn person(n: u64) -> Profile {
    let given = ["Mary", "John", "Wei", "Aisha", "Pedro", "Olga", "Kofi", "Ingrid", "Raj"];
    let family = ["Miller", "Zhang", "Okafor", "Silva", "Novak", "Haddad", "Larsen", "Costa"];
    let streets = ["Main St", "Oak Ave", "Elm Rd", "Mill Ln", "High St"];
    let states = [("KY", "Louisville"), ("OH", "Columbus"), ("NY", "Buffalo"), ("TX", "Austin")];
    let at = |list: &[&'static str], n: u64| list[usize::try_from(n).unwrap() % list.len()];
    let (state, city) = states[usize::try_from(n).unwrap() % states.len()];
    let (given, family) = (at(&given, n), at(&family, n));
    let address = format!("{} {}, {city}, {state}", 100 + n, at(&streets, n));
    Profile {
        name: Personal::new(format!("{given} {family}")),
        email: Personal::new(format!("{given}.{family}.{n}@example.com").to_lowercase()),
        phone: Some(Personal::new(format!("+1 502 555 {n:04}"))),
        billing_address: Some(Personal::new(address.clone())),
        shipping_address: (!n.is_multiple_of(3)).then(|| Personal::new(address)),
        card_last4: n.is_multiple_of(2).then(|| Personal::new(format!("{:04}", n % 10_000))),
        coarse: Coarse {
            country: Some("US".parse().unwrap()),
            region: Some(state.parse().unwrap()),
            language: "en".parse().unwrap(),
            minor: false,
        },
    }
}

/// A row of the older shop: SHA-1 with an eight-letter salt.
pub fn legacy_row(line: u64, profile: Profile, password: &str) -> ImportRow {
    let salt = format!("{:08x}", line.wrapping_mul(2_654_435_761) % (1 << 32));
    let hash = Sha1::new().chain_update(&salt).chain_update(password).finalize();
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, &hash).as_ref());
    let scheme = LegacyScheme::SaltedSha1;
    let salt = Personal::new(salt);
    ImportRow {
        line,
        profile,
        credential: LegacyCredential { scheme, salt, digest: KeyBytes::new(bytes) },
    }
}
