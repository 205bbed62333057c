//! Paper post: letters on paper to people whom no e-mail reached.

use cofferdam_core::{Call, Personal, ProblemType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{INCIDENT_CLOSED, LetterId, WarrantTerms};

/// Drafts the order to read the postal addresses of people whom a letter did not reach: the letter
/// bounced, expired, or had no address to go to, or something came back that nobody has understood.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftPaperPost {
    /// The letter that did not reach them.
    pub letter: LetterId,
}

impl Call for DraftPaperPost {
    const PATH: &'static str = "/v1/paper-post/draft";
    const PROBLEMS: &'static [ProblemType] = &[INCIDENT_CLOSED];
    /// The terms of the warrant that two people sign.
    type Answer = WarrantTerms;
}

/// Reads a page of the postal addresses. Each page is journalled.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadPaperPost {
    /// The letter that did not reach these people.
    pub letter: LetterId,
    /// The warrant's number, as the answer to the applied order gave it.
    #[schemars(extend("examples" = ["000102030405060708090a0b0c0d0e0f"]))]
    pub warrant: String,
    /// The number of the first person wanted.
    pub from: u32,
}

/// A page of postal addresses.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PaperPostPage {
    /// The people, ascending.
    pub people: Vec<PaperPostPerson>,
    /// The number of people left out of this page: decoys, and people without a postal address.
    pub without: u32,
    /// The number with which the next page begins; `None` on the last page.
    pub next: Option<u32>,
}

/// A person to write to on paper.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PaperPostPerson {
    /// The person's record number.
    pub person: u32,
    /// Why no e-mail reached the person.
    pub why: NotReached,
    /// The language of the letter.
    pub language: String,
    /// The person's name.
    pub name: Personal,
    /// The person's postal address.
    pub address: Personal,
}

/// Why no e-mail reached a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotReached {
    /// There is no such mailbox.
    NoMailbox,
    /// The mailbox is full.
    Full,
    /// The receiver blocks us.
    Blocked,
    /// The receiver refuses the letter by policy.
    Policy,
    /// The relay or the receiver put the letter off until it expired.
    Expired,
    /// The person has no e-mail address.
    NoAddress,
    /// Perhaps: something came back that nothing understood, and nobody has decided about it.
    Perhaps,
    /// Another reason, or an unknown one.
    Other,
}

impl NotReached {
    /// The name in the list for paper post.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoMailbox => "no_mailbox",
            Self::Full => "full",
            Self::Blocked => "blocked",
            Self::Policy => "policy",
            Self::Expired => "expired",
            Self::NoAddress => "no_address",
            Self::Perhaps => "perhaps",
            Self::Other => "other",
        }
    }
}

impl Call for ReadPaperPost {
    const PATH: &'static str = "/v1/paper-post/read";
    const COMPACT: bool = true;
    type Answer = PaperPostPage;
}
