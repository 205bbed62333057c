//! The fields kept about a customer or a card, and the operations on them.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A compartment's own key space: keys of one domain never open another's data.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Domain {
    /// Customers of `accounts`.
    Accounts,
    /// Cards of `payments`.
    Payments,
    /// People of a table that was brought to `response` for an incident.
    Response,
}

impl Domain {
    /// Every domain, in the order of declaration.
    pub const ALL: [Self; 3] = [Self::Accounts, Self::Payments, Self::Response];

    /// The name used in routes, logs and key derivation.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Payments => "payments",
            Self::Response => "response",
        }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An operation of a caller on a record, as grants, budgets and the release log name it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// `keys` gives out field keys so that the caller can read existing data.
    Release,
    /// `keys` gives out field keys so that the caller can seal data that it supplies.
    Seal,
    /// `keys` compares a password that somebody typed with the stored verifier, or verifies what a passkey
    /// signed.
    Harden,
    /// `keys` turns an e-mail address into its look-up index.
    Index,
    /// `keys` gives a compartment the field keys of two epochs, so that the compartment moves its
    /// records from one epoch to the other.
    Reseal,
    /// `keys` erases a record: it never gives out the record's keys again.
    Erase,
    /// A caller asked for data that is not there: it learnt that a field is unset, or that there is
    /// no such record. It takes the grant and the budget of the operation that was asked for, so
    /// no policy names it.
    Miss,
    /// `keys` gives out field keys so that the caller can show a customer who is signed in there the
    /// customer's own data. The call proves that the customer is there.
    ReleasePresent,
    /// `keys` makes the verifier of the first password of a new customer, or certifies a passkey of a
    /// customer who is signed in.
    Enrol,
    /// `keys` makes the verifier of another password on the word of a compartment: it says that a reset
    /// code came back.
    Attest,
}

impl Operation {
    /// Every operation that a policy can name, in the order of declaration.
    pub const ALL: [Self; 9] = [
        Self::Release,
        Self::Seal,
        Self::Harden,
        Self::Index,
        Self::Reseal,
        Self::Erase,
        Self::ReleasePresent,
        Self::Enrol,
        Self::Attest,
    ];

    /// Whether the operation gives out keys of named fields.
    #[must_use]
    pub const fn names_fields(self) -> bool {
        matches!(self, Self::Release | Self::Seal | Self::Reseal | Self::ReleasePresent)
    }

    /// The name used in routes, logs and configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Seal => "seal",
            Self::Harden => "harden",
            Self::Index => "index",
            Self::Reseal => "reseal",
            Self::Erase => "erase",
            Self::Miss => "miss",
            Self::ReleasePresent => "release_present",
            Self::Enrol => "enrol",
            Self::Attest => "attest",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! fields {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal, $domain:ident;)*) => {
        /// One kind of data about a customer or a card. The number of a field stands in logs and in
        /// sealed data, so a number is never reused for another field.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[repr(u8)]
        pub enum Field { $($(#[$doc])* #[serde(rename = $name)] $variant = $number,)* }

        impl Field {
            /// Every field, in the order of the numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name used in routes, configuration and reports.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The domain that holds the field.
            #[must_use]
            pub const fn domain(self) -> Domain {
                match self { $(Self::$variant => Domain::$domain,)* }
            }
        }
    };
}

fields! {
    /// The customer's full name.
    Name = 0, "name", Accounts;
    /// The customer's e-mail address.
    Email = 1, "email", Accounts;
    /// The customer's telephone number.
    Phone = 2, "phone", Accounts;
    /// The postal address for bills.
    BillingAddress = 3, "billing_address", Accounts;
    /// The postal address for parcels.
    ShippingAddress = 4, "shipping_address", Accounts;
    /// The last four digits of the card on file, as shown in the profile.
    CardLast4 = 5, "card_last4", Accounts;
    /// The password. It is never sealed and so never released: it can only be *presented*.
    Password = 6, "password", Accounts;
    /// A session, whose token stands in for the customer. It is never sealed and so never released.
    Session = 7, "session", Accounts;
    /// The full card number (PAN).
    CardNumber = 8, "card_number", Payments;
    /// The month and year of a card's expiry.
    CardExpiry = 9, "card_expiry", Payments;
    /// The last four digits of a card, as `payments` shows them.
    CardMasked = 10, "card_masked", Payments;
    /// The name of a person in a brought table. Signed policies and kept exposures hold the old
    /// names of these three fields, so the names stay.
    BroughtName = 11, "roster_name", Response;
    /// The e-mail address of a person in a brought table.
    BroughtEmail = 12, "roster_email", Response;
    /// The postal address of a person in a brought table.
    BroughtAddress = 13, "roster_address", Response;
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The given string names no field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown field {0:?}")]
pub struct UnknownField(pub String);

impl FromStr for Field {
    type Err = UnknownField;

    fn from_str(s: &str) -> Result<Self, UnknownField> {
        Self::ALL
            .iter()
            .copied()
            .find(|f| f.as_str() == s)
            .ok_or_else(|| UnknownField(s.to_owned()))
    }
}

/// A set of fields: a list of names in JSON and TOML, 16 bits in the log and in postcard.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
pub struct FieldSet(#[schemars(with = "Vec<Field>")] u16);

impl FieldSet {
    /// The set without any field.
    pub const EMPTY: Self = Self(0);

    /// The set with `field` added.
    #[must_use]
    pub const fn with(self, field: Field) -> Self {
        Self(self.0 | 1 << field as u8)
    }

    /// Whether `field` is in the set.
    #[must_use]
    pub const fn contains(self, field: Field) -> bool {
        self.0 & (1 << field as u8) != 0
    }

    /// Whether every field of `self` is in `other`.
    #[must_use]
    pub const fn is_subset(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// The fields that are in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The fields that are in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The fields that are in this set and not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether no field is in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The number of fields in the set.
    #[must_use]
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// The fields, in the order of the numbers.
    pub fn iter(self) -> impl Iterator<Item = Field> {
        Field::ALL.iter().copied().filter(move |f| self.contains(*f))
    }

    /// The 16 bits of the set, bit *n* for the field with number *n*.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// The set with these bits; `None` if a bit stands for no field.
    #[must_use]
    pub fn from_bits(bits: u16) -> Option<Self> {
        let known: Self = Field::ALL.iter().copied().collect();
        (bits & !known.0 == 0).then_some(Self(bits))
    }
}

impl FromIterator<Field> for FieldSet {
    fn from_iter<I: IntoIterator<Item = Field>>(fields: I) -> Self {
        fields.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl fmt::Debug for FieldSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl Serialize for FieldSet {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() { s.collect_seq(self.iter()) } else { self.0.serialize(s) }
    }
}

impl<'de> Deserialize<'de> for FieldSet {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        if d.is_human_readable() {
            return Ok(Vec::<Field>::deserialize(d)?.into_iter().collect());
        }
        let bits = u16::deserialize(d)?;
        Self::from_bits(bits).ok_or_else(|| serde::de::Error::custom("a bit stands for no field"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Field, FieldSet};

    #[test]
    fn a_set_reads_as_names_and_travels_as_bits() -> Result<(), Box<dyn std::error::Error>> {
        let set: FieldSet = [Field::Email, Field::Name].into_iter().collect();
        assert_eq!(serde_json::to_string(&set)?, r#"["name","email"]"#);
        assert_eq!(serde_json::from_str::<FieldSet>(r#"["email","name"]"#)?, set);
        let bytes = postcard::to_stdvec(&set)?;
        assert_eq!(postcard::from_bytes::<FieldSet>(&bytes)?, set);
        assert!(FieldSet::from_bits(1 << 15).is_none());
        Ok(())
    }

    #[test]
    fn a_field_has_one_name_everywhere() -> Result<(), Box<dyn std::error::Error>> {
        for field in Field::ALL {
            assert_eq!(serde_json::to_string(field)?, format!("\"{field}\""));
            assert_eq!(field.as_str().parse::<Field>()?, *field);
        }
        Ok(())
    }
}
