//! Warrants: leave for one caller to read some fields of a bounded number of records, given by
//! two people who each sign with a key of their own.

use std::fmt;

use cofferdam_core::{Call, CallerName, Domain, FieldSet, Rng, Timestamp, WarrantSubject};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::signed::{Order, Signed};

/// The number of a warrant: 16 random bytes, in hexadecimal as text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
#[schemars(extend("pattern" = "^[0-9a-fA-F]{32}$", "examples" = ["430982b7477d2b35b1089781d38edf88"]))]
pub struct WarrantId(#[schemars(with = "String")] pub [u8; 16]);

impl WarrantId {
    /// A fresh number.
    #[must_use]
    pub fn random(rng: &dyn Rng) -> Self {
        Self(rng.bytes())
    }
}

impl fmt::Display for WarrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for WarrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WarrantId({self})")
    }
}

impl std::str::FromStr for WarrantId {
    type Err = BadWarrantId;

    fn from_str(s: &str) -> Result<Self, BadWarrantId> {
        if s.len() != 32 || !s.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(BadWarrantId);
        }
        let number = u128::from_str_radix(s, 16).map_err(|_| BadWarrantId)?;
        Ok(Self(number.to_be_bytes()))
    }
}

impl Serialize for WarrantId {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() { s.collect_str(self) } else { self.0.serialize(s) }
    }
}

impl<'de> Deserialize<'de> for WarrantId {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        if d.is_human_readable() {
            let text = String::deserialize(d)?;
            text.parse().map_err(serde::de::Error::custom)
        } else {
            <[u8; 16]>::deserialize(d).map(Self)
        }
    }
}

/// What a warrant allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Warrant {
    /// Its number; the same number opens once.
    pub id: WarrantId,
    /// The number of the incident it belongs to.
    pub incident: u32,
    /// What it is for.
    pub subject: WarrantSubject,
    /// Who may draw on it.
    pub caller: CallerName,
    /// Where.
    pub domain: Domain,
    /// Which fields.
    pub fields: FieldSet,
    /// How many records in all.
    pub records: u32,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

impl Order for Warrant {
    const HEADING: &'static str = "warrant v2";
}

/// A string that is no warrant's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a warrant's number is 32 hexadecimal digits")]
pub struct BadWarrantId;

/// Opens a warrant.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenWarrant {
    /// The warrant with its two signatures.
    pub warrant: Signed<Warrant>,
}

impl Call for OpenWarrant {
    const PATH: &'static str = "/v1/warrants/open";
    type Answer = WarrantId;
}

/// Ends a warrant before its time.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseWarrant {
    /// Which.
    pub warrant: WarrantId,
}

impl Call for CloseWarrant {
    const PATH: &'static str = "/v1/warrants/close";
    type Answer = ();
}
