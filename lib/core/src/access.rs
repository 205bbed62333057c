//! What a shop's own tables and logs say, where its accounts do not run on Cofferdam.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{CallerName, Country, FieldSet, Language, Operation, Personal, Region, Timestamp};

/// A customer on a roster: the shop's own table, as it was brought on the day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RosterPerson {
    /// The shop's own number or code for the customer. No address: it is kept in clear.
    pub key: String,
    /// Where the customer lives, if known.
    pub country: Option<Country>,
    /// The state or province.
    pub region: Option<Region>,
    /// The language to write in.
    pub language: Language,
    /// Whether known to be a minor.
    pub minor: bool,
    /// The name; empty where there is none.
    pub name: Personal,
    /// The e-mail address; empty where there is none.
    pub email: Personal,
    /// The postal address, for those whom no e-mail reaches.
    pub address: Option<Personal>,
    /// What the shop's table holds about the customer, whether it was brought or not.
    pub holds: FieldSet,
}

/// One access to customers' data, as another system's log tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Access {
    /// Where in the file, from 1.
    pub line: u64,
    /// When, by the clock of who wrote the log.
    pub at: Timestamp,
    /// From where: the client's address or name.
    pub caller: CallerName,
    /// As whom, or through what: the database's user, the key, the server.
    pub via: CallerName,
    /// [`Operation::Release`] for data that went out, [`Operation::Seal`] for data that came in.
    pub operation: Operation,
    /// Which fields.
    pub fields: FieldSet,
    /// Whose.
    pub whose: Whose,
}

/// Whose data an access touched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Whose {
    /// Of customers with these keys; of none where nobody can be told, as for one who is new.
    Keys(Vec<Personal>),
    /// Of customers with these e-mail addresses.
    Emails(Vec<Personal>),
    /// It can't be told: everybody whom it could have touched.
    Everybody {
        /// Why it can't, in a few words without personal data.
        why: String,
    },
}

impl CallerName {
    /// A foreign name as one of ours: what a name can't hold becomes `-`. Names that become the
    /// same are taken for the same. `unknown` where nothing is left.
    #[must_use]
    pub fn of_foreign(text: &str) -> Self {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        // An ARN tells most at its end.
        let tail: Vec<char> = text.trim().chars().rev().take(63).map(plain).collect();
        let name: String = tail.into_iter().rev().collect();
        let name = name.trim_matches('-');
        #[expect(
            clippy::expect_used,
            reason = "what is left is a DNS label, and so is the literal"
        )]
        name.parse().or_else(|_| "unknown".parse()).expect("a name")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn foreign_names_become_ours() {
        for (foreign, ours) in [
            ("10.0.0.5", "10-0-0-5"),
            ("[local]", "local"),
            ("app_ro", "app-ro"),
            ("", "unknown"),
            ("…", "unknown"),
            ("arn:aws:iam::1:user/Ann", "arn-aws-iam--1-user-ann"),
        ] {
            assert_eq!(CallerName::of_foreign(foreign).as_str(), ours);
        }
    }

    proptest! {
        #[test]
        fn any_text_has_a_name(text in ".{0,200}") {
            let name = CallerName::of_foreign(&text);
            prop_assert_eq!(CallerName::of_foreign(name.as_str()), name);
        }
    }
}
