//! The journal of an incident: a chain of entries, whose end the release log anchors.

use std::fmt;

use cofferdam_core::{Call, CallerName, JournalHead, Sha256, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::IncidentId;

/// Reads the journal of an incident, oldest entry first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadJournal {
    /// The incident; 0 for acts that belong to no incident.
    pub incident: IncidentId,
}

impl Call for ReadJournal {
    const PATH: &'static str = "/v1/journals/read";
    type Answer = Vec<JournalEntry>;
}

macro_rules! acts {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)*) => {
        /// An act of staff. Its name stands in journals, and their chain of hashes covers the name. So a name
        /// stays as it is and is never given to another act.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(from = "String", into = "String")]
        #[schemars(with = "String", extend("examples" = ["freeze"]))]
        pub enum JournalAct {
            $($(#[$doc])* $variant,)*
            /// An act with a name unknown to this version: another version wrote it.
            Other(String),
        }

        impl JournalAct {
            /// Every act that this version writes.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in the journal.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Other(name) => name,
                }
            }
        }

        impl From<String> for JournalAct {
            fn from(name: String) -> Self {
                match name.as_str() {
                    $($name => Self::$variant,)*
                    _ => Self::Other(name),
                }
            }
        }
    };
}

acts! {
    /// An incident was declared.
    Declare = "declare";
    /// An incident was amended.
    Amend = "amend";
    /// An incident was closed.
    Close = "close";
    /// The exposure was computed.
    Scope = "scope";
    /// A bitmap of the exposure was read.
    ReadExposure = "exposure.read";
    /// One person's exposure was read.
    ReadPerson = "person";
    /// The record behind a customer number was looked for.
    ResolveCustomerNumber = "customer-number.resolve";
    /// A caller was frozen.
    Freeze = "freeze";
    /// A caller was thawed.
    Thaw = "thaw";
    /// A caller's budget was lowered or restored.
    LowerBudget = "budget";
    /// Everybody's credentials were voided, and all sessions ended.
    VoidEverybody = "void";
    /// The credentials of some customers were voided, and their sessions ended.
    VoidSome = "void.some";
    /// A letter was planned.
    PlanLetter = "letters.plan";
    /// A version of a letter was drafted.
    DraftLetter = "letters.draft";
    /// A test letter went to a member of staff.
    TestLetter = "letters.test";
    /// A version of a letter was approved.
    ApproveLetter = "letters.approve";
    /// A letter was started.
    StartLetter = "letters.start";
    /// A letter, or a mail provider's part of it, was paused.
    PauseLetter = "letters.pause";
    /// A mail provider's part of a letter was resumed.
    ResumeProvider = "letters.resume";
    /// A letter was stopped.
    StopLetter = "letters.stop";
    /// Doubts were settled from a relay's log.
    SettleLetter = "letters.settle";
    /// The people from whose letters unknown mail came back were listed.
    ListReturned = "returned.list";
    /// A returned message was read.
    ReadReturned = "returned.read";
    /// Somebody decided whether a letter arrived, from what came back.
    DecideReturned = "returned.decide";
    /// The ledger was read.
    ReadLedger = "ledger.read";
    /// A person of the brought table was looked for.
    FindPerson = "person.find";
    /// A page of log entries about fallen hosts was read.
    ListEvidence = "evidence.read";
    /// The keys that verify the evidence were read.
    ReadGrounds = "grounds.read";
    /// The order for a list of postal addresses was drafted.
    DraftPaperPost = "letters.post.draft";
    /// A list of postal addresses was opened.
    OpenPaperPost = "letters.post.open";
    /// A page of postal addresses was read for paper post.
    ReadPaperPost = "letters.post.read";
    /// The notice was published.
    PublishNotice = "notice.publish";
    /// The report was made.
    MakeReport = "report";
    /// A bag of evidence was sealed.
    SealBag = "evidence.seal";
    /// The import of the brought table from a source began.
    BeginTable = "table.begin";
    /// A page of the brought table was imported.
    ImportTable = "roster.import";
    /// The import of the brought table was finished.
    FinishTable = "table.finish";
    /// The import of an access log began.
    BeginAccessLog = "access_log.begin";
    /// The import of an access log was finished.
    FinishAccessLog = "access_log.finish";
    /// An access log was removed.
    RemoveAccessLog = "access_log.remove";
    /// The key of a caller's certificate was revoked.
    RevokeKey = "key.revoke";
    /// A policy or an epoch order was carried to `keys`.
    ApplyOrder = "order.apply";
}

impl From<JournalAct> for String {
    fn from(act: JournalAct) -> Self {
        act.as_str().to_owned()
    }
}

impl fmt::Display for JournalAct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The stage of an act that reaches another compartment. Such an act stands in the journal twice,
/// so that a crash between the two shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActStage {
    /// The act is about to be done.
    Intended,
    /// The act was done.
    Done,
    /// The act was not done, or only partly.
    Failed,
}

/// An entry of the journal: the person, the time, the place, the act and the reason. The entries of
/// an incident are chained: each names the hash of the entry before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JournalEntry {
    /// The incident; 0 for acts that belong to no incident.
    pub incident: IncidentId,
    /// The entry's number in the incident, from 1.
    pub number: u32,
    /// The instant of the act.
    pub at: Timestamp,
    /// The name in the certificate of the person or program.
    pub by: CallerName,
    /// The address that the request came from.
    #[schemars(extend("examples" = ["192.0.2.7"]))]
    pub from: String,
    /// The act itself.
    pub action: JournalAct,
    /// One sentence about the act, without personal data.
    #[schemars(extend("examples" = ["web-ky-1: it opened a decoy"]))]
    pub detail: String,
    /// The SHA-256 of the previous entry's line, hexadecimal; 64 zeros for the first entry.
    pub previous: String,
    /// The stage of an act that reaches another compartment; none for other acts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<ActStage>,
}

impl JournalEntry {
    /// The hash that the first entry of a journal names.
    pub const GENESIS: &'static str =
        "0000000000000000000000000000000000000000000000000000000000000000";

    /// The line that is hashed: the entry's JSON without a line break, its fields in their order
    /// here.
    #[must_use]
    pub fn line(&self) -> String {
        // Strings, numbers and an instant: JSON holds them all.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The hash by which the next entry names this one: SHA-256 of its line, hexadecimal.
#[must_use]
pub fn journal_hash(entry: &JournalEntry) -> String {
    Sha256::of(entry.line().as_bytes()).to_string()
}

/// The number of the first entry that breaks the chain, if there is one.
#[must_use]
pub fn broken_journal(entries: &[JournalEntry]) -> Option<u32> {
    let mut previous = JournalEntry::GENESIS.to_owned();
    for (place, entry) in (1_u32..).zip(entries) {
        if entry.number != place || entry.previous != previous {
            return Some(place);
        }
        previous = journal_hash(entry);
    }
    None
}

/// A journal that was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BrokenJournal {
    /// An entry does not name the one before, or is not in its place.
    #[error("the chain is broken at entry {0}")]
    Chain(u32),
    /// The journal has fewer entries than the release log anchors.
    #[error("the release log anchors {anchored} entries, and there are {entries}")]
    Shorter {
        /// The number of anchored entries.
        anchored: u32,
        /// The number of entries in the journal.
        entries: u32,
    },
    /// An entry is not the one that the release log anchors: it, or an earlier one, was changed, and
    /// the chain was computed again.
    #[error("entry {0} is not the one that the release log anchors")]
    Rewritten(u32),
}

/// Checks one anchor of a journal. `found` is the entry at the anchor's length, if there is one, and
/// `entries` the number of entries in the journal.
pub fn check_anchor(
    anchor: JournalHead,
    found: Option<&JournalEntry>,
    entries: u32,
) -> Result<(), BrokenJournal> {
    match found {
        None => Err(BrokenJournal::Shorter { anchored: anchor.length, entries }),
        Some(entry) if journal_end(entry) != anchor => Err(BrokenJournal::Rewritten(anchor.length)),
        Some(_) => Ok(()),
    }
}

/// The end of a journal whose last entry is this one.
#[must_use]
pub fn journal_end(entry: &JournalEntry) -> JournalHead {
    JournalHead { length: entry.number, head: Sha256::of(entry.line().as_bytes()) }
}

/// Checks a journal against its chain and its anchors. Returns the number of entries up to the last
/// anchor. Nobody vouches for those behind it.
pub fn check_journal(
    entries: &[JournalEntry],
    anchors: &[JournalHead],
) -> Result<u32, BrokenJournal> {
    if let Some(place) = broken_journal(entries) {
        return Err(BrokenJournal::Chain(place));
    }
    let count = u32::try_from(entries.len()).unwrap_or(u32::MAX);
    for anchor in anchors {
        let place = (anchor.length as usize).checked_sub(1);
        check_anchor(*anchor, place.and_then(|place| entries.get(place)), count)?;
    }
    Ok(anchors.iter().map(|anchor| anchor.length).max().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain() -> Vec<JournalEntry> {
        let mut entries: Vec<JournalEntry> = Vec::new();
        for number in 1..=5 {
            let previous =
                entries.last().map_or_else(|| JournalEntry::GENESIS.to_owned(), journal_hash);
            entries.push(JournalEntry {
                incident: IncidentId(1),
                number,
                at: "2012-01-15T04:00:00Z".parse().unwrap(),
                by: "operator-1".parse().unwrap(),
                from: "192.0.2.7".to_owned(),
                action: JournalAct::Freeze,
                detail: format!("the reason {number}"),
                previous,
                stage: (number > 2).then_some(ActStage::Done),
            });
        }
        entries
    }

    #[test]
    fn what_is_changed_removed_or_moved_breaks_the_chain() {
        let entries = chain();
        assert_eq!(broken_journal(&entries), None);
        let mut changed = entries.clone();
        changed[2].detail.push('!');
        assert_eq!(broken_journal(&changed), Some(4));
        let mut relabelled = entries.clone();
        relabelled[3].stage = Some(ActStage::Intended);
        assert_eq!(broken_journal(&relabelled), Some(5));
        let mut removed = entries.clone();
        removed.remove(1);
        assert_eq!(broken_journal(&removed), Some(2));
        let mut moved = entries.clone();
        moved.swap(2, 3);
        assert_eq!(broken_journal(&moved), Some(3));
        assert_eq!(broken_journal(&entries[1..]), Some(1));
    }

    /// Computes the hashes of a journal again, as somebody does who changed an entry.
    fn rechain(entries: &mut [JournalEntry]) {
        let mut previous = JournalEntry::GENESIS.to_owned();
        for (number, entry) in (1..).zip(entries) {
            (entry.number, entry.previous) = (number, previous);
            previous = journal_hash(entry);
        }
    }

    #[test]
    fn a_journal_that_was_rewritten_with_its_chain_contradicts_its_anchors() {
        let entries = chain();
        let anchors = [journal_end(&entries[1]), journal_end(&entries[3])];
        assert_eq!(check_journal(&entries, &anchors), Ok(4));
        assert_eq!(check_journal(&entries, &[]), Ok(0), "nothing is anchored");
        assert_eq!(check_journal(&entries[..4], &anchors), Ok(4));
        let check = |change: &dyn Fn(&mut Vec<JournalEntry>)| {
            let mut changed = chain();
            change(&mut changed);
            rechain(&mut changed);
            check_journal(&changed, &anchors)
        };
        assert_eq!(check(&|all| all[0].detail.push('!')), Err(BrokenJournal::Rewritten(2)));
        assert_eq!(check(&|all| all[2].detail.push('!')), Err(BrokenJournal::Rewritten(4)));
        assert_eq!(check(&|all| all[4].detail.push('!')), Ok(4), "it is behind the last anchor");
        assert_eq!(check(&|all| all.swap(0, 1)), Err(BrokenJournal::Rewritten(2)));
        let shorter = BrokenJournal::Shorter { anchored: 4, entries: 3 };
        assert_eq!(check(&|all| all.truncate(3)), Err(shorter));
        let mut unchained = chain();
        unchained[2].detail.push('!');
        assert_eq!(check_journal(&unchained, &anchors), Err(BrokenJournal::Chain(4)));
    }

    /// Chains that were written before acts were an enum, and before stages, still hold.
    #[test]
    fn the_line_of_an_entry_never_changes() {
        let line = chain()[0].line();
        assert_eq!(
            line,
            r#"{"incident":1,"number":1,"at":"2012-01-15T04:00:00Z","by":"operator-1","from":"192.0.2.7","action":"freeze","detail":"the reason 1","previous":"0000000000000000000000000000000000000000000000000000000000000000"}"#
        );
        let unknown = line.replace("freeze", "moor the ship");
        let entry: JournalEntry = serde_json::from_str(&unknown).unwrap();
        assert_eq!(entry.action, JournalAct::Other("moor the ship".to_owned()));
        assert_eq!(entry.line(), unknown);
    }

    #[test]
    fn every_act_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> =
            JournalAct::ALL.iter().map(JournalAct::as_str).collect();
        assert_eq!(names.len(), JournalAct::ALL.len());
        for act in JournalAct::ALL {
            assert_eq!(JournalAct::from(act.as_str().to_owned()), *act);
        }
    }
}
