//! Those whom a letter did not reach by e-mail: written to by post.

use cofferdam_core::{Call, Personal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{LetterId, WarrantTerms};

/// Asks what two people must sign before the addresses of those are read whom a letter did not
/// reach: bounced, expired, or without an address.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftPost {
    /// Which letter.
    pub letter: LetterId,
}

impl Call for DraftPost {
    const PATH: &'static str = "/v1/letters/post/draft";
    type Answer = WarrantTerms;
}

/// Hands in the warrant that two people signed, to read the addresses under.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenPost {
    /// Which letter.
    pub letter: LetterId,
    /// The signed warrant as JSON, exactly as `keys` takes it.
    pub warrant: serde_json::Value,
}

/// A warrant that is open.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct OpenedPost {
    /// Its number, for [`ReadPost`].
    pub warrant: String,
}

impl Call for OpenPost {
    const PATH: &'static str = "/v1/letters/post/open";
    type Answer = OpenedPost;
}

/// Reads a page of the addresses; each page is journalled.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadPost {
    /// Which letter.
    pub letter: LetterId,
    /// The warrant's number.
    pub warrant: String,
    /// The first person's number wanted.
    pub from: u32,
}

/// Some of the addresses.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PostPage {
    /// Ascending.
    pub people: Vec<PostPerson>,
    /// People on this page whom nobody can write to: a decoy, or no postal address either.
    pub without: u32,
    /// Where the next page begins; `None` at the end.
    pub next: Option<u32>,
}

/// Somebody to write to by post.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PostPerson {
    /// The customer's record number.
    pub person: u32,
    /// The language of the letter.
    pub language: String,
    /// The name.
    pub name: Personal,
    /// The postal address.
    pub address: Personal,
}

impl Call for ReadPost {
    const PATH: &'static str = "/v1/letters/post/read";
    const COMPACT: bool = true;
    type Answer = PostPage;
}
