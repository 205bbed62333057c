//! The options of a drill.

use std::path::PathBuf;

/// The options of a drill, as the command line gives them.
#[derive(Debug, Clone)]
pub struct Options {
    /// The number of synthetic customers, unless the customers come from a file.
    pub customers: u32,
    /// The seed. The same seed makes the same customers, decoys, traffic and theft.
    pub seed: u64,
    /// A file of customers. A few synthetic ones are added, and only they sign in.
    pub file: Option<PathBuf>,
    /// The host that falls.
    pub fallen: Scenario,
    /// Whether app servers see customers only while these are signed in there. Otherwise, their budget alone
    /// bounds a theft.
    pub presence: bool,
    /// Whether the same theft is run against a conventional shop too.
    pub flat: bool,
    /// The relay of the letters, as `HOST:PORT`, instead of the estate's own mail sink.
    pub relay: Option<String>,
    /// The estate's directory, instead of a temporary one.
    pub dir: Option<PathBuf>,
    /// Whether the estate's directory is kept after the drill.
    pub keep: bool,
}

/// The host that falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// An app server. The thief has its certificate.
    App,
    /// `accounts`. The thief sees its traffic, and asks for keys in its name.
    Accounts,
    /// `payments`. The thief asks for the keys of cards in its name.
    Payments,
    /// `keys`. The thief copies its files.
    Keys,
    /// The database of `accounts`. The thief copies its files.
    Database,
    /// `response`, while letters are sent.
    Response,
    /// The mail relay, while letters are sent.
    Relay,
}

impl Scenario {
    /// All scenarios, in the order of the variants.
    pub const ALL: [Self; 7] = [
        Self::App,
        Self::Accounts,
        Self::Payments,
        Self::Keys,
        Self::Database,
        Self::Response,
        Self::Relay,
    ];
}
