//! The sentence for each cause of a doubt.

use std::fmt;

use super::DoubtCause;

impl fmt::Display for DoubtCause {
    #[expect(clippy::too_many_lines, reason = "a table: one sentence for each cause")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const REACH: &str = "everything that the fallen hosts could reach counts as read";
        match self {
            Self::IndexDisagrees { customers } => write!(
                f,
                "the index and the entries of the log disagree, on {customers} customers among \
                 others: both count"
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
            Self::NotWatched { log, from, to } => write!(
                f,
                "{log} was not watched from {from} to {to}, at an end of the window: what was \
                 written there meanwhile counts as within it"
            ),
            Self::LogCut { at, bytes } => write!(
                f,
                "keys cut {bytes} bytes off the release log after a crash at {at}; the calls \
                 in these bytes had not been answered"
            ),
            Self::LogNotFollowed { log, since, after_window, reason } => {
                let since = since.map_or_else(|| "the start".to_owned(), |at| at.to_string());
                let effect = if *after_window { "that is after the window" } else { REACH };
                write!(f, "{log} could not be followed since {since}: {effect} ({reason})")
            }
            Self::LogShorter { log, had, has } => write!(
                f,
                "an earlier exposure rested on {had} entries of {log}, and its copy has {has} now: \
                 {REACH}"
            ),
            Self::LogDisagrees { log, reason } => {
                write!(f, "{log} was changed: {REACH} ({reason})")
            }
            Self::LogRewritten { log, witness, reason } => write!(
                f,
                "{log} was rewritten or emptied together with its copy: {witness} saw another state \
                 of it: {REACH} ({reason})"
            ),
            Self::JournalRewritten { incident, reason } => write!(
                f,
                "the journal of incident {incident} was changed on response, whose word is in doubt \
                 since: {reason}"
            ),
            Self::NotCosigned { log, from, to } => write!(
                f,
                "entries {from} to {to} of {log} are not cosigned, so only keys vouches for them: \
                 {REACH}"
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
                "keys fell together with a host that holds the ciphertext of {domain}, or is given \
                 it: all of {domain} counts as read, whatever the log says"
            ),
            Self::UnknownHost { host } => {
                write!(f, "no log and no policy knows {host}: the name may be misspelt")
            }
            Self::TableUnfinished => write!(
                f,
                "an import of the customer table was not finished, or was made before rejects were \
                 counted; bring the table again: until then, {REACH}, and people may be missing"
            ),
            Self::RowsNotTaken { source, rows } => write!(
                f,
                "{rows} rows could not be taken from {source}: each may be a person, and no count \
                 includes them"
            ),
            Self::NotCovered { host: None, from, to } => {
                write!(f, "no access log covers the time from {from} to {to}: {REACH}")
            }
            Self::NotCovered { host: Some(host), from, to } => {
                write!(f, "no access log proves what {host} read from {from} to {to}: {REACH}")
            }
            Self::AccessLogUnfinished { name, log } => write!(
                f,
                "the import of the access log {name} (SHA-256 {log}) was not finished: {REACH}"
            ),
            Self::TableChanged { name, log } => write!(
                f,
                "people were added to the table, or got another address, after the access log {name} \
                 (SHA-256 {log}) was brought, and it was not brought again: {REACH}"
            ),
            Self::DefinitionsUnknown { log, taken } => write!(
                f,
                "{log} was read by the catalogue of {taken}, and does not show every definition of \
                 tables, views and functions between it and the catalogue: {REACH}"
            ),
            Self::ReadsNotShown { log } => write!(
                f,
                "{log} does not show that the reads of everybody who appears in it are logged: if the \
                 server was told to log changes alone, it gave out more than is counted here"
            ),
            Self::ReadsNotLogged { log, roles } => write!(
                f,
                "the server of {log} was told not to log the reads of {}: {REACH}",
                roles.join(", ")
            ),
            Self::UnreadableLines { log, lines } => {
                write!(f, "{lines} lines of {log} are missing or can't be read: {REACH}")
            }
            Self::NotInTable { log, names } => write!(
                f,
                "{log} names {names} customers who are not in the brought table, in the form of its \
                 names: people who are not listed, and no count includes them"
            ),
            Self::Unresolved { accesses } => write!(
                f,
                "the customers of {accesses} accesses by fallen hosts can't be told: each access \
                 counts as everybody's, in the fields that it could have touched; the accesses are \
                 listed"
            ),
            Self::NumbersLost { domain, from, to } => write!(
                f,
                "{} record numbers of {domain}, from {from} on, were given out and then lost, because \
                 an older database was accepted: whose they were can't be told",
                to - from
            ),
            Self::LookedUpUnknown { caller, addresses } => write!(
                f,
                "a fallen compartment looked up {addresses} addresses in the name of {caller} and \
                 did not note whom it found: every address counts as presented"
            ),
            Self::Uncoded => f.write_str("the cause was kept as a sentence only"),
        }
    }
}
