//! Reading a text as a log, for tests.

use cofferdam_core::{Personal, Whose};

use crate::{Item, LogMapping, read_definitions, read_log};

/// The items of a log, without the times.
pub fn read(mapping: &str, log: &str) -> Vec<Item> {
    let mut mapping = LogMapping::parse(mapping).unwrap();
    read_definitions(&mut mapping, log.as_bytes()).unwrap();
    let mut items = Vec::new();
    let read = read_log(&mapping, log.as_bytes(), &mut |item| {
        if !matches!(
            item,
            Item::Seen(_) | Item::ShowsReads { .. } | Item::Unnamed { .. } | Item::Continues
        ) {
            items.push(item);
        }
        Ok::<_, ()>(())
    });
    assert!(read.is_ok());
    items
}

/// Whether a log shows that reads are logged.
pub fn shows_reads(mapping: &str, log: &str) -> bool {
    let mapping = LogMapping::parse(mapping).unwrap();
    let mut shown = false;
    let read = read_log(&mapping, log.as_bytes(), &mut |item| {
        shown |= matches!(item, Item::ShowsReads { .. });
        Ok::<_, ()>(())
    });
    assert!(read.is_ok());
    shown
}

/// Each item in a word: the names of an access, `everybody`, `harmless`, or `bad` with its line.
pub fn outcomes(items: &[Item]) -> Vec<String> {
    items.iter().map(outcome).collect()
}

fn outcome(item: &Item) -> String {
    let joined =
        |names: &[Personal]| names.iter().map(Personal::expose).collect::<Vec<_>>().join(",");
    match item {
        Item::Access(access) => match &access.whose {
            Whose::Keys(names) | Whose::Emails(names) => joined(names),
            Whose::Everybody { .. } => "everybody".to_owned(),
        },
        Item::Harmless { .. } => "harmless".to_owned(),
        Item::Bad { line, .. } => format!("bad {line}"),
        Item::Gap { line, .. } => format!("gap {line}"),
        Item::Seen(_) | Item::ShowsReads { .. } | Item::Unnamed { .. } | Item::Continues => {
            String::new()
        }
    }
}
