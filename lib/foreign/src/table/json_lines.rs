//! Reads tables of JSON objects: one a line, or the elements of arrays.

use std::collections::HashSet;
use std::convert::Infallible;
use std::io::BufRead;

use serde_json::{Map, Value};

use super::row::BadRow;
use super::rows::Rows;
use super::text::TextFile;
use super::{TableError, TableMapping, check_columns};
use crate::{ReadError, json};

/// Whole numbers from here on are rounded in floating-point numbers.
const FIRST_INEXACT: f64 = 9_007_199_254_740_992.0;

/// Reads a file twice: a column that no object has is no column, and bringing it would erase what is
/// stored.
pub fn read<E>(file: &TextFile, rows: &mut Rows<'_, E>) -> Result<(), TableError<E>> {
    let open = || file.read().map_err(|e| TableError::unreadable(1, &e));
    let names = columns_in(open()?).map_err(|e| match e {
        ReadError::Io { line, source } => TableError::unreadable(line, &source),
        ReadError::Taker(never) => match never {},
    })?;
    check_columns(rows.mapping, |column| usize::from(names.contains(column)))?;
    let read = json::objects(open()?, &mut |line, object| match object {
        Ok(Value::Object(object)) => match nested(rows.mapping, &object) {
            Some(column) => rows.reject(line, BadRow::Form(column.to_owned(), "a single value")),
            None => rows.take(line, &|column| text_of(object.get(column))),
        },
        Ok(_) => rows.reject(line, BadRow::Shape("the line is not a JSON object".into())),
        Err(why) => rows.reject(line, BadRow::Shape(why)),
    });
    read.map_err(|e| match e {
        ReadError::Io { line, source } => TableError::unreadable(line, &source),
        ReadError::Taker(e) => e,
    })
}

/// The columns that any object has.
fn columns_in(table: impl BufRead) -> Result<HashSet<String>, ReadError<Infallible>> {
    let mut names = HashSet::new();
    json::objects(table, &mut |_, object| {
        if let Ok(Value::Object(object)) = object {
            names.extend(object.into_iter().map(|(name, _)| name));
        }
        Ok(())
    })?;
    Ok(names)
}

/// A column of the mapping whose text is read, and that holds a list or an object.
fn nested<'a>(mapping: &'a TableMapping, object: &Map<String, Value>) -> Option<&'a str> {
    let is_nested = |column: &&str| {
        object.get(*column).is_some_and(|value| plain(value).is_array() || plain(value).is_object())
    };
    mapping.read_columns().into_iter().find(is_nested)
}

/// The value within the object in which `MongoDB` writes some of them, such as `{"$oid": "…"}`.
fn plain(value: &Value) -> &Value {
    let only = value.as_object().filter(|object| object.len() == 1);
    let only = only.and_then(|object| object.iter().next());
    only.filter(|(name, _)| name.starts_with('$')).map_or(value, |(_, value)| value)
}

fn text_of(value: Option<&Value>) -> String {
    match value.map(plain) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => match number.as_f64().filter(|_| number.is_f64()) {
            // A key in this form is refused as rounded.
            Some(rounded) if rounded.abs() >= FIRST_INEXACT => format!("{rounded:.15e}"),
            _ => number.to_string(),
        },
        Some(other) => other.to_string(),
    }
}
