//! Warrants: with a warrant, two people allow one caller to read some fields of a bounded number of
//! records.

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
    /// Makes a new random number.
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

    fn from_str(text: &str) -> Result<Self, BadWarrantId> {
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(BadWarrantId);
        }
        let number = u128::from_str_radix(text, 16).map_err(|_| BadWarrantId)?;
        Ok(Self(number.to_be_bytes()))
    }
}

impl Serialize for WarrantId {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() { to.collect_str(self) } else { self.0.serialize(to) }
    }
}

impl<'de> Deserialize<'de> for WarrantId {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if from.is_human_readable() {
            let text = String::deserialize(from)?;
            text.parse().map_err(serde::de::Error::custom)
        } else {
            <[u8; 16]>::deserialize(from).map(Self)
        }
    }
}

/// The terms of a warrant, as two people sign them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Warrant {
    /// The number of the warrant. A number can be opened only once.
    pub id: WarrantId,
    /// The number of the incident.
    pub incident: u32,
    /// The letter or the paper post that it is for.
    pub subject: WarrantSubject,
    /// The only caller that may use it.
    #[schemars(extend("examples" = ["response-1"]))]
    pub caller: CallerName,
    /// The domain of the records.
    pub domain: Domain,
    /// The fields that may be read.
    pub fields: FieldSet,
    /// The number of records that may be read in all.
    pub records: u32,
    /// The instant from which it holds.
    pub from: Timestamp,
    /// The instant until which it holds.
    pub until: Timestamp,
}

impl Order for Warrant {
    const HEADING: &'static str = "warrant v2";
    const NAME: &'static str = "a warrant";
}

/// A text that is no warrant's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the number of a warrant is 32 hexadecimal digits")]
pub struct BadWarrantId;

/// Opens a warrant. For the controller.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenWarrant {
    /// The warrant with its two signatures.
    pub warrant: Signed<Warrant>,
}

impl Call for OpenWarrant {
    const PATH: &'static str = "/v1/warrants/open";
    const ONCE: bool = true;
    type Answer = WarrantId;
}

/// Closes a warrant before its time. For the controller.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseWarrant {
    /// The number of the warrant.
    pub warrant: WarrantId,
}

impl Call for CloseWarrant {
    const PATH: &'static str = "/v1/warrants/close";
    const ONCE: bool = true;
    type Answer = ();
}
