//! The lists that a call may name.

use cofferdam_core::Record;
use keys_api::MAX_BATCH;

/// A list that a call may not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadBatch {
    /// The list is empty or too long.
    #[error("a call names 1 to {MAX_BATCH} items, not {0}")]
    Count(usize),
    /// The records do not ascend, or one of them appears twice.
    #[error("records must be ascending, none twice")]
    Order,
    /// A record is [`Record::NOBODY`], which has no keys.
    #[error("record {} stands for nobody", Record::NOBODY)]
    Nobody,
}

/// Checks that there are 1 to [`MAX_BATCH`] items.
pub fn check_count(items: usize) -> Result<(), BadBatch> {
    if (1..=MAX_BATCH).contains(&items) { Ok(()) } else { Err(BadBatch::Count(items)) }
}

/// Checks that there are at most [`MAX_BATCH`] items.
pub fn check_at_most(items: usize) -> Result<(), BadBatch> {
    if items == 0 { Ok(()) } else { check_count(items) }
}

/// Checks that records ascend, none twice.
pub fn check_order(records: &[Record]) -> Result<(), BadBatch> {
    if records.is_sorted_by(|a, b| a < b) { Ok(()) } else { Err(BadBatch::Order) }
}

/// Checks that records ascend, none twice, and that each names somebody.
pub fn check_records(records: &[Record]) -> Result<(), BadBatch> {
    check_order(records)?;
    if records.last() == Some(&Record::NOBODY) {
        return Err(BadBatch::Nobody);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_has_1_to_10_000_items() {
        for (items, taken) in [(0, false), (1, true), (10_000, true), (10_001, false)] {
            assert_eq!(check_count(items).is_ok(), taken, "{items}");
            assert_eq!(check_at_most(items).is_ok(), taken || items == 0, "{items}");
        }
    }

    #[test]
    fn records_ascend_and_name_somebody() {
        let check = |records: &[u32]| {
            check_records(&records.iter().copied().map(Record).collect::<Vec<_>>())
        };
        assert_eq!(check(&[]), Ok(()));
        assert_eq!(check(&[0, 7, u32::MAX - 1]), Ok(()));
        assert_eq!(check(&[2, 1]), Err(BadBatch::Order));
        assert_eq!(check(&[1, 1]), Err(BadBatch::Order));
        assert_eq!(check(&[1, u32::MAX]), Err(BadBatch::Nobody));
    }
}
