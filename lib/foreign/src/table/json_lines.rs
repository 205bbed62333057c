//! Reads tables in JSON Lines, one object a line.

use std::collections::HashSet;
use std::io::BufRead;

use serde_json::{Map, Value};

use super::row::BadRow;
use super::rows::Rows;
use super::text::TextFile;
use super::{TableError, check_columns};
use crate::{ReadError, lines};

/// Reads a file twice: a column that no line has is no column, and bringing it would erase what is
/// stored.
pub fn read<E>(file: &TextFile, rows: &mut Rows<'_, E>) -> Result<(), TableError<E>> {
    let open = || file.read().map_err(|e| TableError::unreadable(1, &e));
    let names = columns_in(open()?).map_err(|e| match e {
        ReadError::Taker(NotObjects) => TableError::Unreadable {
            row: 1,
            what: "the file is a JSON array; write one object a line, as `jq -c '.[]'` does".into(),
        },
        ReadError::Io { line, source } => TableError::unreadable(line, &source),
    })?;
    check_columns(rows.mapping, |column| usize::from(names.contains(column)))?;
    let read = lines(open()?, &mut |number, text| match text {
        Ok(text) => objects_in(text).try_for_each(|object| match object {
            Ok(object) => rows.take(number, &|column| text_of(object.get(column))),
            Err(_) => rows.reject(number, BadRow::Shape("the line is not a JSON object".into())),
        }),
        Err(why) => rows.reject(number, BadRow::Shape(why)),
    });
    read.map_err(|e| match e {
        ReadError::Io { line, source } => TableError::unreadable(line, &source),
        ReadError::Taker(e) => e,
    })
}

/// The file begins as a JSON array.
struct NotObjects;

/// The columns that any line has.
fn columns_in(table: impl BufRead) -> Result<HashSet<String>, ReadError<NotObjects>> {
    let (mut names, mut is_first) = (HashSet::new(), true);
    lines(table, &mut |_, text| {
        let Ok(text) = text else { return Ok(()) };
        if is_first && text.trim_start().starts_with('[') {
            return Err(NotObjects);
        }
        is_first &= text.trim().is_empty();
        names.extend(objects_in(text).flatten().flatten().map(|(name, _)| name));
        Ok(())
    })?;
    Ok(names)
}

/// The objects on a line: none on a blank one. A fault is the last of them.
fn objects_in(text: &str) -> impl Iterator<Item = serde_json::Result<Map<String, Value>>> {
    serde_json::Deserializer::from_str(text).into_iter()
}

fn text_of(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}
