//! The data that a customer gives the shop, field by field.

use accounts_api::Profile;
use cofferdam_core::{Field, FieldSet, Personal};

use super::address;

/// The fields that are kept sealed, in the order of their numbers. Each has the column of its name.
pub const SEALED: [Field; 6] = [
    Field::Name,
    Field::Email,
    Field::Phone,
    Field::BillingAddress,
    Field::ShippingAddress,
    Field::CardLast4,
];

/// The fields that every customer fills.
const NEEDED: [Field; 2] = [Field::Name, Field::Email];
/// The longest text of a field, in bytes.
const MAX_TEXT: usize = 500;

/// A set of fields that is empty, or that has fields which are not kept here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("name fields among {}", SEALED.map(Field::as_str).join(", "))]
pub struct BadFields;

/// A profile that is refused. The message names the field, never its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadProfile {
    /// A text is too long.
    #[error("{0} has more than 500 bytes")]
    TooLong(Field),
    /// A text holds line breaks or other control characters.
    #[error("{0} holds a control character")]
    Control(Field),
    /// A field that every customer fills is empty.
    #[error("{0} is empty")]
    Empty(Field),
    /// No letter can be sent to the address.
    #[error("email is no e-mail address")]
    Address,
    /// The last digits of the card are not four digits.
    #[error("card_last4 is not four digits")]
    CardLast4,
}

/// The filled texts of a profile with their fields; an empty text counts as not filled.
pub fn texts(profile: &Profile) -> impl Iterator<Item = (Field, &Personal)> {
    let text = |field| {
        let text = match field {
            Field::Name => Some(&profile.name),
            Field::Email => Some(&profile.email),
            Field::Phone => profile.phone.as_ref(),
            Field::BillingAddress => profile.billing_address.as_ref(),
            Field::ShippingAddress => profile.shipping_address.as_ref(),
            Field::CardLast4 => profile.card_last4.as_ref(),
            _ => None,
        };
        Some((field, text.filter(|text| !text.expose().trim().is_empty())?))
    };
    SEALED.into_iter().filter_map(text)
}

/// The fields that a profile fills.
#[must_use]
pub fn filled(profile: &Profile) -> FieldSet {
    texts(profile).map(|(field, _)| field).collect()
}

/// Checks that the fields may be asked for.
pub fn check_fields(fields: FieldSet) -> Result<(), BadFields> {
    let good = !fields.is_empty() && fields.is_subset(SEALED.into_iter().collect());
    if good { Ok(()) } else { Err(BadFields) }
}

/// Checks every text of a profile.
pub fn check(profile: &Profile) -> Result<(), BadProfile> {
    let filled = filled(profile);
    if let Some(field) = NEEDED.into_iter().find(|field| !filled.contains(*field)) {
        return Err(BadProfile::Empty(field));
    }
    for (field, text) in texts(profile) {
        let text = text.expose();
        if text.len() > MAX_TEXT {
            return Err(BadProfile::TooLong(field));
        }
        // An address may have several lines. A name with a line feed could forge a mail header.
        let lines = matches!(field, Field::BillingAddress | Field::ShippingAddress);
        if text.chars().any(|c| c.is_control() && !(lines && c == '\n')) {
            return Err(BadProfile::Control(field));
        }
        let four_digits = text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit());
        if field == Field::CardLast4 && !four_digits {
            return Err(BadProfile::CardLast4);
        }
    }
    if address::is_plausible(&profile.email) { Ok(()) } else { Err(BadProfile::Address) }
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
        let mut whole = ada();
        whole.phone = Some(Personal::new("1"));
        whole.shipping_address = Some(Personal::new("a".repeat(500)));
        assert_eq!(filled(&whole), SEALED.into_iter().collect());
        assert_eq!(check(&whole), Ok(()));
    }

    #[test]
    fn fields_that_are_not_kept_here_can_t_be_asked_for() {
        let check = |fields: &[Field]| check_fields(fields.iter().copied().collect());
        assert_eq!(check(&SEALED), Ok(()));
        assert_eq!(check(&[Field::Phone]), Ok(()));
        for bad in [&[][..], &[Field::Password], &[Field::Name, Field::CardNumber]] {
            assert_eq!(check(bad), Err(BadFields), "{bad:?}");
        }
        assert!(BadFields.to_string().ends_with("shipping_address, card_last4"));
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
        let control = |field| Err(BadProfile::Control(field));
        assert_eq!(with(|p| p.name = Personal::new("a\nb")), control(Field::Name));
        assert_eq!(
            with(|p| p.billing_address = Some(Personal::new("1\tA"))),
            control(Field::BillingAddress)
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
