//! What an exposure could not know for sure.

use std::fmt;

use cofferdam_core::{CallerName, Domain, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something that could not be known for sure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Doubt {
    /// The cause, for programs.
    #[serde(default)]
    pub cause: DoubtCause,
    /// The cause in a sentence, for people.
    pub what: String,
    /// Whether everything that the fallen hosts could have reached counts as read because of it.
    pub counts_as_read: bool,
}

impl From<DoubtCause> for Doubt {
    fn from(cause: DoubtCause) -> Self {
        Self { what: cause.to_string(), counts_as_read: cause.counts_as_read(), cause }
    }
}

/// Why something is not known for sure.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum DoubtCause {
    /// The index and the entries of a log disagree: what either says counts.
    IndexDisagrees {
        /// Customers on whom they disagree.
        customers: u64,
    },
    /// The clock of `keys` went back within an hour: the whole hour counts as within the window.
    ClockWentBack {
        /// When the hour begins.
        hour: Timestamp,
        /// How far it went back, in seconds.
        seconds: i64,
    },
    /// The clock of `keys` was moved: an hour at each end counts as within the window.
    ClockMoved {
        /// When the alarm rang.
        at: Timestamp,
    },
    /// The log was cut after a crash of `keys`. No answer had left for what was cut.
    LogCut {
        /// When it was cut.
        at: Timestamp,
        /// How many bytes were cut.
        bytes: u64,
    },
    /// A log could not be followed.
    LogNotFollowed {
        /// The log's name.
        log: String,
        /// Until when it was followed, as far as this process knows.
        since: Option<Timestamp>,
        /// Whether that is after the window's end.
        after_window: bool,
        /// Why it was not.
        reason: String,
    },
    /// Nobody but `keys` vouches for the end of a log.
    NotCosigned {
        /// The log's name.
        log: String,
        /// The first entry without a cosignature.
        from: u64,
        /// The entry behind the last.
        to: u64,
    },
    /// Who the customers are is not up to date.
    CustomersOutdated {
        /// Why.
        reason: String,
    },
    /// How many cards there are is not known.
    CardsUnknown {
        /// Why.
        reason: String,
    },
    /// Whose sessions were seen is not known.
    SessionsUnknown {
        /// Why.
        reason: String,
    },
    /// Which letters were handed over is not known.
    LettersUnknown {
        /// Why.
        reason: String,
    },
    /// What the fallen hosts may read is not known, and counts as everything.
    GrantsUnknown {
        /// Why.
        reason: String,
    },
    /// `keys` fell together with a host that holds, or is given, a domain's ciphertext.
    KeysFellWith {
        /// The domain of which everything counts as read.
        domain: Domain,
    },
    /// Neither `keys` nor a log knows a fallen host: its name may be misspelt.
    UnknownHost {
        /// The host.
        host: CallerName,
    },
    /// The brought table was not brought to its end.
    TableUnfinished,
    /// No access log covers a part of the window.
    NotCovered {
        /// From when.
        from: Timestamp,
        /// Until when.
        to: Timestamp,
    },
    /// Lines of an access log can't be read.
    UnreadableLines {
        /// The log's name.
        log: String,
        /// How many lines.
        lines: u64,
    },
    /// An access log names customers that are not in the brought table.
    NotInTable {
        /// The log's name.
        log: String,
        /// How many names.
        names: u64,
    },
    /// Accesses of fallen hosts can't be told to be anybody's: each counts as everybody's.
    Unresolved {
        /// How many accesses.
        accesses: u64,
    },
    /// The exposure was kept before causes had codes; the sentence alone tells the cause.
    #[default]
    Uncoded,
}

impl DoubtCause {
    /// Whether everything that the fallen hosts could have reached counts as read because of it.
    #[must_use]
    pub const fn counts_as_read(&self) -> bool {
        match self {
            Self::NotCosigned { .. } | Self::NotCovered { .. } | Self::UnreadableLines { .. } => {
                true
            }
            Self::LogNotFollowed { after_window, .. } => !*after_window,
            _ => false,
        }
    }
}

impl fmt::Display for DoubtCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const REACH: &str = "everything that the fallen hosts could reach counts as read";
        match self {
            Self::IndexDisagrees { customers } => write!(
                f,
                "the index and the entries of the log disagree, on {customers} customers among \
                 others: what either says counts"
            ),
            Self::ClockWentBack { hour, seconds } => write!(
                f,
                "the clock of keys went back by {seconds} s in the hour from {hour}: the whole hour \
                 counts as within the window"
            ),
            Self::ClockMoved { at } => write!(
                f,
                "the clock of keys was moved (alarm of {at}): an hour before and after the window \
                 counts as within it"
            ),
            Self::LogCut { at, bytes } => write!(
                f,
                "keys cut {bytes} bytes off the release log after a crash at {at}; no answer had \
                 left for them"
            ),
            Self::LogNotFollowed { log, since, after_window, reason } => {
                let since = since.map_or_else(|| "the start".to_owned(), |at| at.to_string());
                let effect = if *after_window { "that is after the window" } else { REACH };
                write!(f, "{log} could not be followed since {since}: {effect} ({reason})")
            }
            Self::NotCosigned { log, from, to } => write!(
                f,
                "entries {from} to {to} of {log} are not cosigned, so that keys alone vouches for \
                 them: {REACH}"
            ),
            Self::CustomersOutdated { reason } => {
                write!(f, "the list of customers is not up to date: {reason}")
            }
            Self::CardsUnknown { reason } => {
                write!(f, "the number of cards is not known: {reason}")
            }
            Self::SessionsUnknown { reason } => {
                write!(f, "the sessions that the fallen hosts saw are not known: {reason}")
            }
            Self::LettersUnknown { reason } => {
                write!(f, "the letters that the relay was given are not known: {reason}")
            }
            Self::GrantsUnknown { reason } => write!(
                f,
                "the grants of the fallen hosts are not known, and count as grants for everything: \
                 {reason}"
            ),
            Self::KeysFellWith { domain } => write!(
                f,
                "keys fell together with a host that holds, or is given, what is in {domain}: all of \
                 it counts as read, whatever the log says"
            ),
            Self::UnknownHost { host } => {
                write!(f, "no log and no policy knows {host}: the name may be misspelt")
            }
            Self::TableUnfinished => {
                f.write_str("the table of customers was not brought to its end")
            }
            Self::NotCovered { from, to } => {
                write!(f, "no access log covers the time from {from} to {to}: {REACH}")
            }
            Self::UnreadableLines { log, lines } => {
                write!(f, "{lines} lines of {log} can't be read: {REACH}")
            }
            Self::NotInTable { log, names } => write!(
                f,
                "{log} names {names} customers that are not in the brought table, or can't be told: \
                 they are in no count"
            ),
            Self::Unresolved { accesses } => write!(
                f,
                "{accesses} accesses of fallen hosts can't be told to be anybody's: each counts as \
                 everybody's, in the fields that it could have touched; they are listed"
            ),
            Self::Uncoded => f.write_str("the cause was kept as a sentence only"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doubt_without_a_code_is_still_read() {
        let old = r#"{"what": "the log was repaired", "counts_as_read": true}"#;
        let doubt: Doubt = serde_json::from_str(old).unwrap();
        assert_eq!(doubt.cause, DoubtCause::Uncoded);
        assert!(doubt.counts_as_read);
    }

    #[test]
    fn a_log_that_was_followed_past_the_window_hides_nothing() {
        let cause = |after_window| DoubtCause::LogNotFollowed {
            log: "keys.example/log".into(),
            since: None,
            after_window,
            reason: "refused".into(),
        };
        assert!(Doubt::from(cause(false)).counts_as_read);
        let covered = Doubt::from(cause(true));
        assert!(!covered.counts_as_read && covered.what.contains("after the window"));
    }

    #[test]
    fn the_code_stands_beside_the_sentence() {
        let doubt = Doubt::from(DoubtCause::UnknownHost { host: "web-ky-9".parse().unwrap() });
        let json = serde_json::to_value(&doubt).unwrap();
        assert_eq!(json["cause"]["code"], "unknown_host");
        assert_eq!(json["cause"]["host"], "web-ky-9");
        assert!(json["what"].as_str().unwrap().contains("web-ky-9"));
        assert_eq!(serde_json::from_value::<Doubt>(json).unwrap(), doubt);
    }
}
