//! The doubts of an exposure.

use cofferdam_core::{CallerName, Domain, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod sentences;

/// A doubt: something that the exposure could not know for sure.
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

/// The cause of a doubt.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum DoubtCause {
    /// The index and the entries of a log disagree. Both count.
    IndexDisagrees {
        /// The number of customers on whom they disagree.
        customers: u64,
    },
    /// The clock of `keys` went back within an hour. The whole hour counts as within the window.
    ClockWentBack {
        /// The beginning of the hour.
        hour: Timestamp,
        /// The seconds by which it went back.
        seconds: i64,
    },
    /// The clock of `keys` was moved. The window grows by an hour at each end.
    ClockMoved {
        /// The instant of the alarm.
        at: Timestamp,
    },
    /// A log was not watched at an end of the window. What was written there meanwhile counts as
    /// within it.
    NotWatched {
        /// The log's name.
        log: String,
        /// The last instant at which it was seen before.
        from: Timestamp,
        /// The first instant at which it was seen again.
        to: Timestamp,
    },
    /// The log was cut after a crash of `keys`. The part that was cut had not been answered.
    LogCut {
        /// The instant at which it was cut.
        at: Timestamp,
        /// The number of bytes that were cut.
        bytes: u64,
    },
    /// `response` could not follow a log.
    LogNotFollowed {
        /// The log's name.
        log: String,
        /// The last instant at which it was followed, as far as this process knows.
        since: Option<Timestamp>,
        /// Whether that instant is after the window's end.
        after_window: bool,
        /// The reason why it was not followed.
        reason: String,
    },
    /// The copy of a log has fewer entries than an earlier exposure of the incident rested on.
    LogShorter {
        /// The log's name.
        log: String,
        /// The number of entries that the earlier exposure rested on.
        had: u64,
        /// The number of entries now.
        has: u64,
    },
    /// A log disagrees with the copy of its witness: somebody changed it.
    LogDisagrees {
        /// The log's name.
        log: String,
        /// The difference, and the kind of tampering where it is known.
        reason: String,
    },
    /// Another compartment saw more entries of a log than its copy has, or others: somebody rewrote
    /// or emptied the log together with its copy.
    LogRewritten {
        /// The log's name.
        log: String,
        /// The compartment that saw it.
        witness: String,
        /// The numbers of entries, or the two hashes, that disagree.
        reason: String,
    },
    /// A journal of `response` is not the one that was anchored in a log: somebody changed it.
    JournalRewritten {
        /// The incident of the journal; 0 for acts that belong to none.
        incident: u32,
        /// The place where the journal and its anchor disagree.
        reason: String,
    },
    /// The end of a log has the signature of `keys` alone, and no cosignature.
    NotCosigned {
        /// The log's name.
        log: String,
        /// The first entry without a cosignature.
        from: u64,
        /// The number behind the last entry of the log.
        to: u64,
    },
    /// The list of customers is out of date.
    CustomersOutdated {
        /// The reason, as `accounts` or the connection gave it.
        reason: String,
    },
    /// The number of cards is not known.
    CardsUnknown {
        /// The reason, as `payments` or the connection gave it.
        reason: String,
    },
    /// The sessions that the fallen hosts saw are not known.
    SessionsUnknown {
        /// The reason, as `accounts` or the connection gave it.
        reason: String,
    },
    /// The letters that were handed to the fallen relay are not known.
    LettersUnknown {
        /// The reason, as the source of the letters gave it.
        reason: String,
    },
    /// The grants of the fallen hosts are not known, and count as grants for everything.
    GrantsUnknown {
        /// The reason, as `keys` or the connection gave it.
        reason: String,
    },
    /// `keys` fell together with a host that holds, or is given, a domain's ciphertext.
    KeysFellWith {
        /// The domain of which everything counts as read.
        domain: Domain,
    },
    /// A fallen host is unknown to `keys` and to every log. Its name may be misspelt.
    UnknownHost {
        /// The name of the fallen host.
        host: CallerName,
    },
    /// An import of the brought table was not finished, or the table was brought before rejects were
    /// counted.
    TableUnfinished,
    /// Rows of a source could not be taken into the brought table. Each may be a person.
    RowsNotTaken {
        /// The file or the table of a database.
        source: String,
        /// The number of rows.
        rows: u64,
    },
    /// A part of the window is covered by no access log that tells everything about a host.
    NotCovered {
        /// The fallen host; none in an exposure that was kept before coverage was per host.
        #[serde(default)]
        host: Option<CallerName>,
        /// The beginning of the part.
        from: Timestamp,
        /// The end of the part.
        to: Timestamp,
    },
    /// The import of an access log was begun and not finished.
    AccessLogUnfinished {
        /// The log's name.
        name: String,
        /// The log's SHA-256.
        log: String,
    },
    /// People were added to the brought table, or got another address, after an access log was
    /// brought. The log's names were looked up in the table as it was.
    TableChanged {
        /// The log's name.
        name: String,
        /// The log's SHA-256.
        log: String,
    },
    /// An access log was read by a catalogue, and does not show every definition between the two:
    /// names may have meant something else.
    DefinitionsUnknown {
        /// The access log's name.
        log: String,
        /// The instant at which the catalogue was taken.
        taken: Timestamp,
    },
    /// The lines of an access log don't show that the reads of every user in it are logged.
    ReadsNotShown {
        /// The access log's name.
        log: String,
    },
    /// The database of an access log is told not to log the reads of some roles.
    ReadsNotLogged {
        /// The access log's name.
        log: String,
        /// Login roles that may read in the database, and whose reads pgaudit is told to leave out.
        roles: Vec<String>,
    },
    /// An access log has lines that can't be read, or lines of it are missing.
    UnreadableLines {
        /// The log's name.
        log: String,
        /// The number of lines.
        lines: u64,
    },
    /// An access log names customers who are not in the brought table.
    NotInTable {
        /// The log's name.
        log: String,
        /// The number of names.
        names: u64,
    },
    /// Fallen hosts had accesses whose customers can't be told. Each counts as everybody's.
    Unresolved {
        /// The number of such accesses.
        accesses: u64,
    },
    /// Staff accepted an older database of a compartment. The customers or cards with these numbers
    /// can't be told.
    NumbersLost {
        /// The domain of the compartment.
        domain: Domain,
        /// The first lost number.
        from: u32,
        /// The number behind the last lost one.
        to: u32,
    },
    /// A fallen compartment looked addresses up and did not note whom it found. Everybody counts as
    /// looked up.
    LookedUpUnknown {
        /// The caller whom the compartment named.
        caller: CallerName,
        /// The number of addresses.
        addresses: u64,
    },
    /// The exposure was kept before causes had codes. Only the sentence tells the cause.
    #[default]
    Uncoded,
}

impl DoubtCause {
    /// Whether everything that the fallen hosts could have reached counts as read because of it.
    #[must_use]
    pub const fn counts_as_read(&self) -> bool {
        match self {
            Self::LogShorter { .. }
            | Self::LogDisagrees { .. }
            | Self::LogRewritten { .. }
            | Self::NotCosigned { .. }
            | Self::TableUnfinished
            | Self::NotCovered { .. }
            | Self::AccessLogUnfinished { .. }
            | Self::TableChanged { .. }
            | Self::DefinitionsUnknown { .. }
            | Self::ReadsNotLogged { .. }
            | Self::UnreadableLines { .. } => true,
            Self::LogNotFollowed { after_window, .. } => !*after_window,
            _ => false,
        }
    }

    /// Whether data may have been read, or entered at a fallen host, that the exposure does not
    /// show.
    #[must_use]
    pub const fn leaves_out(&self) -> bool {
        match self {
            Self::LogNotFollowed { after_window, .. } => !*after_window,
            Self::ClockMoved { .. }
            | Self::LogShorter { .. }
            | Self::LogDisagrees { .. }
            | Self::LogRewritten { .. }
            | Self::JournalRewritten { .. }
            | Self::NotCosigned { .. }
            | Self::CustomersOutdated { .. }
            | Self::SessionsUnknown { .. }
            | Self::LettersUnknown { .. }
            | Self::KeysFellWith { .. }
            | Self::UnknownHost { .. }
            | Self::TableUnfinished
            | Self::RowsNotTaken { .. }
            | Self::NotCovered { .. }
            | Self::AccessLogUnfinished { .. }
            | Self::TableChanged { .. }
            | Self::DefinitionsUnknown { .. }
            | Self::ReadsNotShown { .. }
            | Self::ReadsNotLogged { .. }
            | Self::UnreadableLines { .. }
            | Self::NotInTable { .. }
            | Self::NumbersLost { .. }
            | Self::Uncoded => true,
            Self::IndexDisagrees { .. }
            | Self::ClockWentBack { .. }
            | Self::NotWatched { .. }
            | Self::LookedUpUnknown { .. }
            | Self::LogCut { .. }
            | Self::CardsUnknown { .. }
            | Self::GrantsUnknown { .. }
            | Self::Unresolved { .. } => false,
        }
    }

    /// Whether some data counts as read or entered because of it, besides what
    /// [counts as read](Self::counts_as_read) with all that is in reach.
    #[must_use]
    pub const fn widens(&self) -> bool {
        matches!(
            self,
            Self::IndexDisagrees { .. }
                | Self::ClockWentBack { .. }
                | Self::ClockMoved { .. }
                | Self::NotWatched { .. }
                | Self::LookedUpUnknown { .. }
                | Self::KeysFellWith { .. }
                | Self::Unresolved { .. }
                | Self::Uncoded
        )
    }
}

#[cfg(test)]
mod tests;
