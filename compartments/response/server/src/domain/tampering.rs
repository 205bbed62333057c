//! What was done to a log that disagrees with its copy, by the first place where they differ.

/// So many entries from there on are looked at.
pub const WINDOW: u32 = 64;

/// The same entries of the copy and of the log.
#[derive(Debug, Clone, Copy)]
pub struct Pages<'a> {
    /// The number of the first of them.
    pub first: u64,
    /// The copy's.
    pub ours: &'a [Vec<u8>],
    /// The log's.
    pub theirs: &'a [Vec<u8>],
}

/// Where two pages differ, if they do.
#[must_use]
pub fn differ(pages: Pages<'_>) -> Option<usize> {
    let Pages { ours, theirs, .. } = pages;
    let same = ours.iter().zip(theirs).take_while(|(a, b)| a == b).count();
    (same < ours.len()).then_some(same)
}

/// What was done at the beginning of these pages, where they differ; they reach [`WINDOW`] entries
/// on, or to the end of the copy and of the log.
#[must_use]
pub fn name(pages: Pages<'_>, copied: u64) -> String {
    let Pages { first, ours, theirs } = pages;
    let (Some(lost), Some(stands)) = (ours.first(), theirs.first()) else {
        return format!(
            "it was cut off behind entry {first}, or an old copy of it was restored: {} entries \
             are gone",
            copied - first
        );
    };
    let later = |what: &[u8], of: &[Vec<u8>]| of.iter().skip(1).position(|entry| entry == what);
    match (later(stands, ours), later(lost, theirs)) {
        (Some(_), Some(_)) => format!("entries from {first} on were put in another order"),
        (Some(gone), None) => match gone {
            0 => format!("entry {first} was deleted"),
            more => format!("entries {first} to {} were deleted", first + more as u64),
        },
        (None, Some(more)) => format!("{} entries were put in before {first}", more + 1),
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
    fn each_way_is_named() {
        let ours = entries("abcdefgh");
        let said = |theirs: &str| {
            let theirs = entries(theirs);
            let at = differ(Pages { first: 0, ours: &ours, theirs: &theirs })?;
            let theirs = theirs.get(at..).unwrap_or_default();
            Some(name(Pages { first: at as u64, ours: &ours[at..], theirs }, 8))
        };
        assert_eq!(said("abcdefghij"), None);
        for (theirs, expected) in [
            ("abdefgh", "entry 2 was deleted"),
            ("abfgh", "entries 2 to 4 were deleted"),
            ("abdcefgh", "entries from 2 on were put in another order"),
            ("abXcdefgh", "1 entries were put in before 2"),
            ("abXdefgh", "entry 2 was changed"),
            (
                "abcde",
                "it was cut off behind entry 5, or an old copy of it was restored: 3 entries \
                       are gone",
            ),
        ] {
            assert_eq!(said(theirs).as_deref(), Some(expected), "{theirs}");
        }
    }
}
