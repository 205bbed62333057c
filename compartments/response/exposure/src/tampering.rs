//! The way in which a log was tampered with, by the first place where it differs from its copy.

/// The number of entries that are compared from the first difference on.
pub const ENTRIES_COMPARED: u32 = 64;

/// The same stretch of entries in the copy and in the log.
#[derive(Debug, Clone, Copy)]
pub struct EntryPages<'a> {
    /// The number of the first entry.
    pub first: u64,
    /// The entries of our copy.
    pub ours: &'a [Vec<u8>],
    /// The entries of the log.
    pub theirs: &'a [Vec<u8>],
}

/// The place of the first entry that differs.
#[must_use]
pub fn first_difference(pages: EntryPages<'_>) -> Option<usize> {
    let EntryPages { ours, theirs, .. } = pages;
    let same = ours.iter().zip(theirs).take_while(|(a, b)| a == b).count();
    (same < ours.len()).then_some(same)
}

/// Names the tampering that shows at the first entry of two pages, which differs. The pages hold
/// [`ENTRIES_COMPARED`] entries, or fewer at the end of the copy or of the log; `copied` is the
/// size of the copy.
#[must_use]
pub fn name_tampering(pages: EntryPages<'_>, copied: u64) -> String {
    let EntryPages { first, ours, theirs } = pages;
    let (Some(lost), Some(found)) = (ours.first(), theirs.first()) else {
        return format!(
            "it was cut off behind entry {first}, or an old copy of it was restored: {} entries are \
             gone",
            copied - first
        );
    };
    let later = |entry: &[u8], page: &[Vec<u8>]| page.iter().skip(1).position(|at| at == entry);
    match (later(found, ours), later(lost, theirs)) {
        (Some(_), Some(_)) => format!("entries from {first} on were put in another order"),
        (Some(0), None) => format!("entry {first} was deleted"),
        (Some(more), None) => format!("entries {first} to {} were deleted", first + more as u64),
        (None, Some(more)) => format!("{} entries were inserted before {first}", more + 1),
        (None, None) => format!("entry {first} was changed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(names: &str) -> Vec<Vec<u8>> {
        names.bytes().map(|byte| vec![byte]).collect()
    }

    #[test]
    fn each_kind_of_tampering_is_named() {
        let ours = entries("abcdefgh");
        let said = |theirs: &str| {
            let theirs = entries(theirs);
            let at = first_difference(EntryPages { first: 0, ours: &ours, theirs: &theirs })?;
            let theirs = theirs.get(at..).unwrap_or_default();
            Some(name_tampering(EntryPages { first: at as u64, ours: &ours[at..], theirs }, 8))
        };
        assert_eq!(said("abcdefghij"), None);
        for (theirs, expected) in [
            ("abdefgh", "entry 2 was deleted"),
            ("abfgh", "entries 2 to 4 were deleted"),
            ("abdcefgh", "entries from 2 on were put in another order"),
            ("abXcdefgh", "1 entries were inserted before 2"),
            ("abXdefgh", "entry 2 was changed"),
            (
                "abcde",
                "it was cut off behind entry 5, or an old copy of it was restored: 3 entries are gone",
            ),
        ] {
            assert_eq!(said(theirs).as_deref(), Some(expected), "{theirs}");
        }
    }
}
