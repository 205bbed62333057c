//! Why a letter bounced, by its status code.

use std::fmt;

use super::{codes, words};

/// The reason of a bounce.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BounceReason {
    /// There is no such mailbox, or no mail server for the address.
    NoMailbox,
    /// The mailbox is full.
    Full,
    /// The receiver blocks the sender: a block list, or a bad reputation.
    Blocked,
    /// The receiver refuses the letter by a policy.
    Policy,
    /// The mail server tried for long and gave up.
    Expired,
    /// Another reason, or an unknown one.
    Other,
}

impl BounceReason {
    /// The reason that an enhanced status code (RFC 3463) gives for a final failure. The words of
    /// the server decide only between a block and a policy, which share their codes.
    #[must_use]
    pub fn of(status: &str, words: &str) -> Self {
        let mut parts = status.splitn(3, '.').map(|part| part.parse::<u16>().unwrap_or(0));
        let (class, subject, detail) =
            (parts.next().unwrap_or(0), parts.next().unwrap_or(0), parts.next().unwrap_or(0));
        match (class, subject, detail) {
            (_, 2, 2) => Self::Full,
            // Microsoft's own numbers for banned senders.
            (_, 7, 500..=999) => Self::Blocked,
            (_, 7, _) if words::blocks(words) => Self::Blocked,
            (_, 7, _) => Self::Policy,
            (4, ..) | (5, 4, 7 | 300 | 316 | 317) => Self::Expired,
            // The codes 5.1.7 and 5.1.8 are about the sender.
            (5, 1, 0..=6 | 9 | 10) | (5, 2, 0 | 1) | (5, 4, 4 | 310) => Self::NoMailbox,
            _ => Self::Other,
        }
    }

    /// The reason in a server's reply or in a ledger's outcome, which begins with its codes.
    #[must_use]
    pub fn of_reply(reply: &str) -> Self {
        let status = codes::find(reply).map_or_else(|| "5.0.0".to_owned(), |code| code.status);
        Self::of(&words::refined(status, reply), reply)
    }

    /// The reason in words, for staff.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoMailbox => "no such mailbox",
            Self::Full => "mailbox full",
            Self::Blocked => "blocked",
            Self::Policy => "refused by policy",
            Self::Expired => "expired",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for BounceReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_says_why() {
        for (reply, why) in [
            ("550 5.1.1 no such user", BounceReason::NoMailbox),
            ("550 no such user", BounceReason::NoMailbox),
            ("550 5.1.10 RESOLVER.ADR.RecipientNotFound", BounceReason::NoMailbox),
            ("5.4.310 DNS domain does not exist", BounceReason::NoMailbox),
            ("552 5.2.2 over quota", BounceReason::Full),
            ("4.2.2 over quota", BounceReason::Full),
            ("554 5.7.1 blocked using zen.spamhaus.org", BounceReason::Blocked),
            ("550 5.7.606 Access denied, banned sending IP", BounceReason::Blocked),
            ("554 Service unavailable; client host blocked", BounceReason::Blocked),
            ("550 5.7.26 unauthenticated mail", BounceReason::Policy),
            ("550 5.7.1 message refused", BounceReason::Policy),
            ("4.4.7 retry timeout exceeded", BounceReason::Expired),
            ("5.4.300 Message expired", BounceReason::Expired),
            ("550 5.1.8 bad sender", BounceReason::Other),
            ("550 no", BounceReason::Other),
        ] {
            assert_eq!(BounceReason::of_reply(reply), why, "{reply}");
        }
    }
}
