//! Words that mean something together: a thing and what is said of it, in either order, within one
//! sentence and a few words. Mail systems put them together in more ways than a list of phrases has.
//! All are English: in other languages the code tells why, or nothing does.

use super::super::text::{places, sentences};

/// The most bytes between a thing and what is said of it.
const GAP: usize = 40;
/// The number of bytes around both that are searched for words that change their meaning.
const AROUND: usize = 25;

/// Things and what is said of them. A phrase stands at the edges of words; a `*` at its end stands
/// for any ending.
pub struct Pair {
    pub things: &'static [&'static str],
    pub states: &'static [&'static str],
    /// Words near both that make it mean something else.
    pub unless: &'static [&'static str],
}

impl Pair {
    /// Whether a sentence of `text`, which is joined and in lower case, has such a pair.
    pub fn stands_in(&self, text: &str) -> bool {
        sentences(text).any(|sentence| {
            let states = places(sentence, self.states);
            !states.is_empty()
                && places(sentence, self.things)
                    .into_iter()
                    .any(|thing| states.iter().any(|state| self.is_one(sentence, thing, *state)))
        })
    }

    fn is_one(&self, sentence: &str, thing: (usize, usize), state: (usize, usize)) -> bool {
        let (first, second) = if thing.0 < state.0 { (thing, state) } else { (state, thing) };
        if second.0 < first.1 || second.0 - first.1 > GAP {
            return false;
        }
        let begin = sentence.floor_char_boundary(first.0.saturating_sub(AROUND));
        let end = sentence.ceil_char_boundary((second.1 + AROUND).min(sentence.len()));
        places(&sentence[begin..end], self.unless).is_empty()
    }
}

/// The words of a mailbox.
const MAILBOX: &[&str] = &[
    "mailbox",
    "mail box",
    "mailfolder",
    "inbox",
    "box",
    "folder",
    "maildir",
    "account",
    "store",
    "storage",
    "disk",
    "spool",
    "quota",
    "space",
    "user",
    "recipient",
    "recipient's",
    "person",
    "addressee",
];

/// A mailbox is full.
pub const FULL: Pair = Pair {
    things: MAILBOX,
    states: &[
        "full",
        "exceed*",
        "exhaust*",
        "overflow*",
        "filled up",
        "limit",
        "capacity",
        "insufficient",
        "too little room",
        "used all",
        "no disk space",
        "overfull",
        "used up",
        "above",
        "no room",
        "no more room",
        "no more space",
        "no more mail",
        "no free space",
        "no space",
        "out of space",
        "out of storage",
        "out of room",
        "not enough space",
        "not enough room",
        "over its",
        "over his",
        "over her",
        "over their",
        "over the limit",
        "over the allowed",
        "reached its",
        "reached his",
        "reached the",
        "limit reached",
        "too many messages",
        "too much mail",
        "can't hold",
        "cannot hold",
        "hold any more",
        "holds no more",
        "takes no more",
        "take no more",
    ],
    unless: &[
        "message size",
        "rate",
        "per hour",
        "per minute",
        "per day",
        "hop count",
        "hops",
        "connections",
        "too many recipients",
        "recipients per",
        "recipient limit",
        "sending",
        "connection",
        "privilege*",
        "permission*",
        "sender",
        "in full",
        "full name",
        "full headers",
    ],
};

/// A person or address at a mail server.
const PERSON: &[&str] = &[
    "user",
    "username",
    "userid",
    "recipient",
    "recipient's",
    "mailbox",
    "address",
    "addressee",
    "account",
    "person",
    "customer",
    "subscriber",
    "member",
    "name",
    "alias",
    "login",
    "rcpt",
    "e-mail",
    "email",
];

/// There is no such mailbox.
pub const NO_MAILBOX: Pair = Pair {
    things: PERSON,
    states: &[
        "unknown",
        "not known",
        "not found",
        "cannot be found",
        "can't be found",
        "could not be found",
        "couldn't be found",
        "wasn't found",
        "was not found",
        "cannot find",
        "can't find",
        "could not find",
        "couldn't find",
        "unable to find",
        "unable to locate",
        "does not exist",
        "doesn't exist",
        "do not exist",
        "did not exist",
        "not exist",
        "non-existent",
        "nonexistent",
        "non existent",
        "no such",
        "no local",
        "invalid",
        "not valid",
        "not a valid",
        "not a known",
        "not a registered",
        "not a local",
        "was never",
        "cannot be located",
        "can't be located",
        "could not be located",
        "couldn't be located",
        "undefined",
        "unassigned",
        "unrecogni*",
        "wrong",
        "misspel*",
        "mistyped",
        "incorrect",
        "not registered",
        "not recogni*",
        "not listed",
        "not assigned",
        "not in use",
        "not in our",
        "not one of",
        "isn't one of",
        "not here",
        "not local",
        "does not live",
        "doesn't live",
        "has left",
        "have left",
        "was deleted",
        "was removed",
        "been deleted",
        "been removed",
        "does not have",
        "doesn't have",
        "has no account",
        "no longer in our",
        "gone",
        "we don't know",
        "we do not know",
    ],
    unless: &[
        "sender",
        "sender's",
        "ip address",
        "client",
        "your ip",
        "your host",
        "your domain",
        "reverse",
        "from address",
        "unknown error",
        "unknown reason",
        "password",
    ],
};

/// A mailbox is closed.
pub const DISABLED: Pair = Pair {
    things: &["mailbox", "account", "user", "recipient", "address", "inbox"],
    states: &[
        "disabled",
        "suspended",
        "closed",
        "inactive",
        "deactivated",
        "not active",
        "discontinued",
        "locked",
        "frozen",
        "terminated",
        "not accept*",
        "no longer accept*",
        "does not accept*",
        "doesn't accept*",
        "not receiving",
        "no longer receives",
    ],
    unless: &["sender", "your account", "your address", "from you", "relay", "connect", "server"],
};

/// The host of the address does not exist.
pub const NO_HOST: Pair = Pair {
    things: &["domain", "host", "hostname", "mail server", "mail host", "mx", "mail exchanger"],
    states: &[
        "is unknown",
        "not found",
        "cannot be found",
        "can't be found",
        "could not be found",
        "couldn't be found",
        "wasn't found",
        "did not find",
        "does not exist",
        "doesn't exist",
        "non-existent",
        "nonexistent",
        "no such",
        "no mx",
        "has no mail",
        "no mail server",
        "is invalid",
        "not resolve",
        "unresolvable",
        "lookup failed",
        "lookup error",
        "bad",
    ],
    unless: &[
        "said",
        "says",
        "sender",
        "your domain",
        "your host",
        "user",
        "recipient",
        "mailbox",
        "address",
        "account",
        "addressee",
        "person",
        "reverse",
    ],
};
