use cofferdam_core::{Domain, Epoch, FieldSet, Operation, Record};
use proptest::prelude::*;

use super::*;

fn released(records: Vec<u32>) -> Result<Entry, Box<dyn std::error::Error>> {
    Ok(Entry {
        at: "2012-01-15T04:00:00Z".parse()?,
        event: Event::Released {
            caller: "web-ky-1".parse()?,
            via: "accounts".parse()?,
            domain: Domain::Accounts,
            operation: Operation::Release,
            fields: FieldSet::from_bits(0b11).ok_or("bits")?,
            epoch: Epoch(0),
            records: RecordList::new(records.into_iter().map(Record).collect()),
            warrant: None,
        },
    })
}

proptest! {
    #[test]
    fn an_entry_reads_back(records: Vec<u32>) {
        let entry = released(records).map_err(|e| TestCaseError::fail(e.to_string()))?;
        prop_assert_eq!(Entry::decode(&entry.encode()), Ok(entry));
    }

    #[test]
    fn foreign_bytes_never_panic(bytes: Vec<u8>) {
        let _ = Entry::decode(&bytes);
    }
}

#[test]
fn the_largest_batch_fits_an_entry() -> Result<(), Box<dyn std::error::Error>> {
    let spread = u32::MAX / u32::try_from(crate::MAX_BATCH)?;
    let far = (0..u32::try_from(crate::MAX_BATCH)?).map(|place| place * spread).collect();
    assert!(released(far)?.encode().len() < MAX_ENTRY);
    Ok(())
}

#[test]
fn a_byte_too_many_is_an_error() -> Result<(), Box<dyn std::error::Error>> {
    let mut bytes = released(vec![1, 2])?.encode();
    bytes.push(0);
    assert!(Entry::decode(&bytes).is_err());
    Ok(())
}

#[test]
fn an_anchor_is_told_by_its_beginning() -> Result<(), Box<dyn std::error::Error>> {
    let (by, at) = ("response-1".parse()?, "2012-01-15T04:00:00Z".parse()?);
    let event = Event::JournalAnchored { by, journal: 1, length: 300, head: [7; 32] };
    assert!(Entry::begins_as_anchor(&Entry { at, event }.encode()));
    assert!(!Entry::begins_as_anchor(&Entry { at, event: Event::Started }.encode()));
    assert!(!Entry::begins_as_anchor(&released(vec![1])?.encode()));
    assert!(!Entry::begins_as_anchor(b""));
    Ok(())
}
