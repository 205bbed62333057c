//! The claims to the public and their conditions: one table for letters, notice and report.
//!
//! Each sentence that states a fact about the incident or the response stands under a [`Claim`], in
//! a template under the claim's name. A claim holds if each of its [`Condition`]s holds. A sentence
//! without a claim must be true whatever happened: it is a date, advice, a promise, the shop's own
//! words, or says no more than what we know.

use std::collections::BTreeSet;
use std::fmt;

use cofferdam_core::Timestamp;
use response_api::{Audience, Exposure, Incident};
use serde::{Deserialize, Serialize};

use crate::conditions::{Condition, Current, conditions, voided_until};

/// A statement to the public that is not true of every incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Claim {
    /// One server fell, and not several.
    OneServer,
    /// A separate machine recorded every access, so that we can say exactly what was read.
    Recorded,
    /// The release log is whole, and shows what the hosts did not get.
    RecordWhole,
    /// The data that counts as read was read or entered at the server: none counts for a doubt.
    WasRead,
    /// The fallen hosts read no data besides the data that is named.
    NothingElseRead,
    /// Whoever was signed in whenever a fallen host read something of theirs is told so.
    WhileSignedIn,
    /// Passwords are kept only as keyed values, which a copy of the tables does not give away.
    PasswordsKeyed,
    /// The password was typed at the server.
    TypedThere,
    /// The record of the card server shows that the server got nothing of it.
    CardsUntouched,
    /// Card numbers were read, or may have been. This must be said when it holds.
    CardsRead,
    /// The server is shut off from all customer data.
    Contained,
    /// Every password that was set up to an instant is void, and the sessions of then are closed.
    Voided,
    /// The same, of the people whose data was read or entered there.
    ExposedVoided,
    /// The notice is published.
    NoticeStands,
    /// A letter to every customer is planned.
    CustomersWritten,
}

/// The conditions of each claim, all of which must hold.
const TABLE: [(Claim, &[Condition]); 15] = {
    use Condition as C;
    [
        (Claim::OneServer, &[C::OneHostFell]),
        (
            Claim::Recorded,
            &[
                C::OwnRecord,
                C::KeysStand,
                C::WitnessStands,
                C::LogAgrees,
                C::NothingLeftOut,
                C::NothingAssumed,
            ],
        ),
        (
            Claim::RecordWhole,
            &[C::OwnRecord, C::KeysStand, C::WitnessStands, C::LogAgrees, C::NothingLeftOut],
        ),
        (Claim::WasRead, &[C::NothingAssumed]),
        (
            Claim::NothingElseRead,
            &[
                C::OwnRecord,
                C::KeysStand,
                C::WitnessStands,
                C::LogAgrees,
                C::NothingLeftOut,
                C::NoCardRead,
            ],
        ),
        (
            Claim::WhileSignedIn,
            &[
                C::OwnRecord,
                C::KeysStand,
                C::WitnessStands,
                C::LogAgrees,
                C::NothingLeftOut,
                C::SomeSignedIn,
            ],
        ),
        (Claim::PasswordsKeyed, &[C::OwnRecord, C::KeysStand]),
        (Claim::TypedThere, &[C::OwnRecord, C::NothingAssumed, C::RelayStands]),
        (
            Claim::CardsUntouched,
            &[
                C::OwnRecord,
                C::KeysStand,
                C::WitnessStands,
                C::LogAgrees,
                C::NothingLeftOut,
                C::CardsCounted,
                C::CardsUntouched,
            ],
        ),
        (Claim::CardsRead, &[C::CardRead]),
        (Claim::Contained, &[C::KeysStand, C::LogAgrees, C::AllFrozen]),
        (Claim::Voided, &[C::OwnRecord, C::AllVoided]),
        (Claim::ExposedVoided, &[C::OwnRecord, C::ExposedVoided]),
        (Claim::NoticeStands, &[C::NoticePublished]),
        (Claim::CustomersWritten, &[C::CustomersPlanned]),
    ]
};

impl Claim {
    /// Every claim.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(claim, _)| *claim)
    }

    /// The conditions of the claim, all of which must hold.
    #[must_use]
    pub fn conditions(self) -> &'static [Condition] {
        TABLE.iter().find(|(claim, _)| *claim == self).map_or(&[], |(_, conditions)| conditions)
    }

    /// The name of the claim in templates.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OneServer => "one_server",
            Self::Recorded => "recorded",
            Self::RecordWhole => "record_whole",
            Self::WasRead => "was_read",
            Self::NothingElseRead => "nothing_else_read",
            Self::WhileSignedIn => "while_signed_in",
            Self::PasswordsKeyed => "passwords_keyed",
            Self::TypedThere => "typed_there",
            Self::CardsUntouched => "cards_untouched",
            Self::CardsRead => "cards_read",
            Self::Contained => "contained",
            Self::Voided => "voided",
            Self::ExposedVoided => "exposed_voided",
            Self::NoticeStands => "notice_stands",
            Self::CustomersWritten => "customers_written",
        }
    }

    /// Whether letters to an audience make the claim.
    #[must_use]
    pub const fn is_made_to(self, audience: Audience) -> bool {
        match (self, audience) {
            (
                Self::OneServer
                | Self::WasRead
                | Self::CardsUntouched
                | Self::CardsRead
                | Self::Contained
                | Self::Voided,
                _,
            ) => true,
            // Notice and report alone.
            (Self::RecordWhole | Self::CustomersWritten, _) | (_, Audience::Staff) => false,
            (_, Audience::Customers) => true,
        }
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OneServer => "one server fell",
            Self::Recorded => "a separate machine recorded every access",
            Self::RecordWhole => "the release log is whole",
            Self::WasRead => "the data that it names was read or entered at the server",
            Self::NothingElseRead => "nothing else was read",
            Self::WhileSignedIn => "some people's data was read only while they were signed in",
            Self::PasswordsKeyed => "passwords can't be worked out from a copy of the tables",
            Self::TypedThere => "the password was typed at the server",
            Self::CardsUntouched => "no card number was given to the server",
            Self::CardsRead => "card numbers were read, or may have been",
            Self::Contained => "the server is shut off from all customer data",
            Self::Voided => "all passwords of that time are void",
            Self::ExposedVoided => "the passwords of everybody exposed are void",
            Self::NoticeStands => "the notice is published",
            Self::CustomersWritten => "every customer is written to",
        })
    }
}

/// The claims that hold about an incident.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The claims that hold.
    pub hold: BTreeSet<Claim>,
    /// The instant up to which passwords are void, if a claim says that they are.
    pub voided_until: Option<Timestamp>,
}

impl Claims {
    /// Computes the claims from what is known and what holds now.
    #[must_use]
    pub fn new(incident: &Incident, exposure: &Exposure, current: &Current) -> Self {
        let met = conditions(incident, exposure, current);
        Self { hold: claims_of(&met), voided_until: voided_until(exposure, current) }
    }

    /// Whether a claim holds.
    #[must_use]
    pub fn has(&self, claim: Claim) -> bool {
        self.hold.contains(&claim)
    }

    /// The claims to an audience that were made and do not hold `now`, or that must be made and
    /// were not. `None` stands for the notice, which makes every claim.
    #[must_use]
    pub fn outdated(&self, now: &Self, audience: Option<Audience>) -> Vec<Claim> {
        let is_made = |claim: &Claim| audience.is_none_or(|audience| claim.is_made_to(audience));
        let is_outdated = |claim: &Claim| match claim {
            Claim::CardsRead => self.has(*claim) != now.has(*claim),
            _ => self.has(*claim) && !now.has(*claim),
        };
        Claim::all().filter(is_made).filter(is_outdated).collect()
    }
}

/// The claims whose conditions are all met.
fn claims_of(met: &BTreeSet<Condition>) -> BTreeSet<Claim> {
    let holds = |claim: &Claim| claim.conditions().iter().all(|of| met.contains(of));
    Claim::all().filter(holds).collect()
}

#[cfg(test)]
mod tests;
