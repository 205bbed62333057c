//! Rows of a shop's own customer table and lines of its own logs: a shop whose accounts do not run
//! on Cofferdam brings both on the day.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{CallerName, Country, FieldSet, Language, Operation, Personal, Region, Timestamp};

/// One row of a brought table: a customer as the shop's own table describes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BroughtPerson {
    /// The shop's own number or code for the customer. `response` keeps it in clear, so it must not
    /// be an e-mail address.
    pub key: String,
    /// The country of residence, if known.
    pub country: Option<Country>,
    /// The state or province of residence, if known.
    pub region: Option<Region>,
    /// The language of the customer's letters.
    pub language: Language,
    /// Whether the customer is known to be a minor.
    pub minor: bool,
    /// The customer's name; empty if the table has none.
    pub name: Personal,
    /// The e-mail address; empty if the table has none.
    pub email: Personal,
    /// The postal address, for a letter on paper when no e-mail arrives.
    pub address: Option<Personal>,
    /// Every field that the shop's table holds about the customer, including those not brought
    /// here.
    pub holds: FieldSet,
}

/// One access to customers' data, as read from another system's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Access {
    /// The line of the log file, counted from 1.
    pub line: u64,
    /// The time of the access, by the clock of the system that wrote the log.
    pub at: Timestamp,
    /// The client: its address or name.
    pub caller: CallerName,
    /// The identity under which the client came: a database user, an API key or a server.
    pub via: CallerName,
    /// [`Operation::Release`] for data that went out, [`Operation::Seal`] for data that came in.
    pub operation: Operation,
    /// The fields that the access touched.
    pub fields: FieldSet,
    /// The customers whose data the access touched.
    pub whose: Whose,
}

/// The customers whose data an access touched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Whose {
    /// The customers with these keys. An empty list touches no known customer: the access may have
    /// created one.
    Keys(Vec<Personal>),
    /// The customers with these e-mail addresses.
    Emails(Vec<Personal>),
    /// Every customer, because the log line does not narrow the access to fewer.
    Everybody {
        /// The reason, in a few words without personal data.
        why: String,
    },
}

impl CallerName {
    /// Turns a name from another system into a caller's name. Each character that a caller's name
    /// can't hold becomes `-`, and an empty result becomes `unknown`. Two foreign names may turn
    /// into the same caller's name; they then count as one caller. An IP address has one name in all
    /// its spellings: `::ffff:10.0.0.5` is `10.0.0.5`.
    #[must_use]
    pub fn from_foreign(text: &str) -> Self {
        let text = text.trim();
        let address = text.parse().ok().map(|ip: IpAddr| ip.to_canonical().to_string());
        let text = address.as_deref().unwrap_or(text);
        let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        // A long name keeps its end, because the end of an ARN names the user.
        let tail: Vec<char> = text.chars().rev().take(63).map(plain).collect();
        let name: String = tail.into_iter().rev().collect();
        let name = name.trim_matches('-');
        #[expect(clippy::expect_used, reason = "`unknown` is a DNS label")]
        name.parse().or_else(|_| "unknown".parse()).expect("a caller's name")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn foreign_names_become_callers_names() {
        for (foreign, caller) in [
            ("10.0.0.5", "10-0-0-5"),
            ("::ffff:10.0.0.5", "10-0-0-5"),
            ("::FFFF:0a00:0005", "10-0-0-5"),
            ("2001:0DB8:0:0::1", "2001-db8--1"),
            ("[local]", "local"),
            ("app_ro", "app-ro"),
            ("", "unknown"),
            ("…", "unknown"),
            ("arn:aws:iam::1:user/Ann", "arn-aws-iam--1-user-ann"),
        ] {
            assert_eq!(CallerName::from_foreign(foreign).as_str(), caller);
        }
    }

    proptest! {
        #[test]
        fn any_text_becomes_a_name_that_stays_the_same(text in ".{0,200}") {
            let name = CallerName::from_foreign(&text);
            prop_assert_eq!(CallerName::from_foreign(name.as_str()), name);
        }
    }
}
