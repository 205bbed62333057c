//! What a customer tells the shop, field by field.

use accounts_api::Profile;
use cofferdam_core::{Field, FieldSet, Personal};

use super::address;

/// The fields that are kept sealed, in the order of their numbers and of their columns.
pub const SEALED: [Field; 6] = [
    Field::Name,
    Field::Email,
    Field::Phone,
    Field::BillingAddress,
    Field::ShippingAddress,
    Field::CardLast4,
];

/// The longest text of a field, in bytes.
const MAX_TEXT: usize = 500;

/// Why a profile is refused. It names the field, never its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadProfile {
    /// A text is longer than the column takes.
    #[error("{0} has more than 500 bytes")]
    TooLong(Field),
    /// A text holds line breaks or other control characters.
    #[error("{0} holds a control character")]
    Control(Field),
    /// A field that everyone has is empty.
    #[error("{0} is empty")]
    Empty(Field),
    /// No letter could be sent there.
    #[error("email is no e-mail address")]
    Address,
    /// Not four digits.
    #[error("card_last4 is not four digits")]
    CardLast4,
}

/// The texts of a profile in the order of [`SEALED`]; an empty text counts as not filled.
#[must_use]
pub fn texts(profile: &Profile) -> [Option<&Personal>; SEALED.len()] {
    let filled = |text: &&Personal| !text.expose().trim().is_empty();
    [
        Some(&profile.name).filter(filled),
        Some(&profile.email).filter(filled),
        profile.phone.as_ref().filter(filled),
        profile.billing_address.as_ref().filter(filled),
        profile.shipping_address.as_ref().filter(filled),
        profile.card_last4.as_ref().filter(filled),
    ]
}

/// Which fields a profile fills.
#[must_use]
pub fn filled(profile: &Profile) -> FieldSet {
    let texts = texts(profile);
    SEALED.iter().zip(texts).filter_map(|(field, text)| text.map(|_| *field)).collect()
}

/// Checks every text of a profile.
pub fn check(profile: &Profile) -> Result<(), BadProfile> {
    for (field, text) in SEALED.into_iter().zip(texts(profile)) {
        let Some(text) = text.map(Personal::expose) else {
            let needed = matches!(field, Field::Name | Field::Email);
            if needed {
                return Err(BadProfile::Empty(field));
            }
            continue;
        };
        if text.len() > MAX_TEXT {
            return Err(BadProfile::TooLong(field));
        }
        // An address may have lines; a name with one could forge a mail header.
        let lines = matches!(field, Field::BillingAddress | Field::ShippingAddress);
        if text.chars().any(|c| c.is_control() && !(lines && c == '\n')) {
            return Err(BadProfile::Control(field));
        }
    }
    if !address::is_plausible(&profile.email) {
        return Err(BadProfile::Address);
    }
    let digits =
        |s: &Personal| s.expose().len() == 4 && s.expose().bytes().all(|b| b.is_ascii_digit());
    match texts(profile)[5] {
        Some(last4) if !digits(last4) => Err(BadProfile::CardLast4),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use accounts_api::Coarse;

    use super::*;

    fn ada() -> Profile {
        Profile {
            name: Personal::new("Ada Lovelace"),
            email: Personal::new("ada@example.org"),
            phone: None,
            billing_address: Some(Personal::new("12 St James's Square\nLondon")),
            shipping_address: Some(Personal::new("")),
            card_last4: Some(Personal::new("4242")),
            coarse: Coarse {
                country: None,
                region: None,
                language: "en".parse().unwrap(),
                minor: false,
            },
        }
    }

    #[test]
    fn an_empty_text_is_not_filled() {
        let expected = [Field::Name, Field::Email, Field::BillingAddress, Field::CardLast4];
        assert_eq!(filled(&ada()), expected.into_iter().collect());
        assert_eq!(check(&ada()), Ok(()));
    }

    #[test]
    fn each_bad_text_is_refused_by_its_field() {
        let with = |change: fn(&mut Profile)| {
            let mut profile = ada();
            change(&mut profile);
            check(&profile)
        };
        assert_eq!(with(|p| p.name = Personal::new(" ")), Err(BadProfile::Empty(Field::Name)));
        assert_eq!(with(|p| p.email = Personal::new("ada")), Err(BadProfile::Address));
        assert_eq!(
            with(|p| p.name = Personal::new("a\r\nBcc: b")),
            Err(BadProfile::Control(Field::Name))
        );
        assert_eq!(
            with(|p| p.phone = Some(Personal::new("1".repeat(501)))),
            Err(BadProfile::TooLong(Field::Phone))
        );
        for bad in ["424", "42424", "42a2", "４２４２"] {
            let mut profile = ada();
            profile.card_last4 = Some(Personal::new(bad));
            assert_eq!(check(&profile), Err(BadProfile::CardLast4), "{bad}");
        }
    }
}
