//! Whether the end of a journal follows its anchor.

use keys_api::JournalHead;

/// The standing of a journal's end that follows the anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchoring {
    /// It is the anchored end.
    Known,
    /// The journal is longer than its anchor, or has none.
    Longer,
}

/// A journal that contradicts its anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    /// The journal has fewer entries than were anchored.
    #[error("it has {has} entries, and {had} were anchored")]
    Shorter {
        /// The number of anchored entries.
        had: u32,
        /// The number of entries now.
        has: u32,
    },
    /// The journal has another entry at its anchor.
    #[error("entry {0} is not the one that was anchored")]
    OtherHead(u32),
}

/// Judges the end of a journal by its anchor.
pub fn judge(anchor: Option<JournalHead>, end: JournalHead) -> Result<Anchoring, Contradiction> {
    let Some(anchor) = anchor else { return Ok(Anchoring::Longer) };
    let (had, has) = (anchor.length, end.length);
    match has.cmp(&had) {
        std::cmp::Ordering::Less => Err(Contradiction::Shorter { had, has }),
        std::cmp::Ordering::Greater => Ok(Anchoring::Longer),
        std::cmp::Ordering::Equal if anchor.head == end.head => Ok(Anchoring::Known),
        std::cmp::Ordering::Equal => Err(Contradiction::OtherHead(has)),
    }
}

#[cfg(test)]
mod tests {
    use cofferdam_core::Sha256;

    use super::*;

    #[test]
    fn a_journal_only_grows_behind_its_anchor() {
        let head = |length, head| JournalHead { length, head: Sha256([head; 32]) };
        let anchor = Some(head(3, 1));
        for (anchor, end, judged) in [
            (None, head(1, 1), Ok(Anchoring::Longer)),
            (anchor, head(4, 2), Ok(Anchoring::Longer)),
            (anchor, head(3, 1), Ok(Anchoring::Known)),
            (anchor, head(3, 2), Err(Contradiction::OtherHead(3))),
            (anchor, head(2, 1), Err(Contradiction::Shorter { had: 3, has: 2 })),
        ] {
            assert_eq!(judge(anchor, end), judged, "{anchor:?} {end:?}");
        }
    }
}
