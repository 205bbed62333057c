//! The lists of customers that a call may name.

/// The most customers of one call.
const MAX_RECORDS: usize = 1_000;

/// A list that a call may not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadBatch {
    /// The list is empty or too long.
    #[error("name 1 to {MAX_RECORDS} records")]
    Count,
    /// The records do not ascend, or one of them appears twice.
    #[error("records must be ascending, none twice")]
    Order,
}

/// Checks that there are 1 to 1,000 records or customer numbers, ascending, none twice.
pub fn check_records<N: Ord>(records: &[N]) -> Result<(), BadBatch> {
    if !(1..=MAX_RECORDS).contains(&records.len()) {
        return Err(BadBatch::Count);
    }
    if records.is_sorted_by(|a, b| a < b) { Ok(()) } else { Err(BadBatch::Order) }
}

#[cfg(test)]
mod tests {
    use cofferdam_core::Record;

    use super::*;

    #[test]
    fn a_list_is_short_and_ascends() {
        let range = |n| (0..n).map(Record).collect::<Vec<_>>();
        for (records, expected) in [
            (vec![], Err(BadBatch::Count)),
            (vec![Record(7)], Ok(())),
            (range(1_000), Ok(())),
            (range(1_001), Err(BadBatch::Count)),
            (vec![Record(2), Record(1)], Err(BadBatch::Order)),
            (vec![Record(1), Record(1)], Err(BadBatch::Order)),
        ] {
            assert_eq!(check_records(&records), expected, "{}", records.len());
        }
    }
}
