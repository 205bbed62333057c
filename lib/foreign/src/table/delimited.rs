//! Reads tables whose cells are delimited: CSV, and the like with tabs, semicolons or bars.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, BufRead, Cursor, Read as _};

use csv::{ByteRecord, ReaderBuilder};

use super::quotes::Quotes;
use super::row::BadRow;
use super::rows::Rows;
use super::{TableError, TableMapping, check_columns};

/// The delimiters that are tried, the usual one last.
const DELIMITERS: [u8; 4] = *b"|\t;,";
/// The longest header, in bytes.
const MAX_HEADER: u64 = 1 << 20;

/// Reads a table with a header row. The delimiter is the one with which the header has the most
/// columns of the mapping.
pub fn read<E>(mut table: impl BufRead, rows: &mut Rows<'_, E>) -> Result<(), TableError<E>> {
    let (mut header, mut stated) = (Vec::new(), None);
    while header.trim_ascii().is_empty() {
        header.clear();
        let read = table.by_ref().take(MAX_HEADER).read_until(b'\n', &mut header);
        if read.map_err(|e| TableError::unreadable(1, &e))? == 0 {
            break;
        }
        // Spreadsheets understand a line before the header that states the delimiter.
        if let Some([delimiter]) = header.trim_ascii_end().strip_prefix(b"sep=")
            && *delimiter != b'"'
        {
            stated = Some(*delimiter);
            header.clear();
        }
    }
    let fit = |delimiter: &u8| {
        let columns = columns_of(&header, *delimiter);
        let mapped = rows.mapping.columns();
        let found = mapped.iter().filter(|column| columns.iter().any(|of| of == *column)).count();
        (found, columns.len())
    };
    // Of several that fit equally, this is the last.
    let delimiter = stated.or_else(|| DELIMITERS.into_iter().max_by_key(fit)).unwrap_or(b',');
    rows.assumed.delimiters.insert(char::from(delimiter));
    read_with(delimiter, Cursor::new(header).chain(table), rows)
}

/// The names of the columns in a header.
fn columns_of(header: &[u8], delimiter: u8) -> Vec<String> {
    let mut reader = ReaderBuilder::new().delimiter(delimiter).from_reader(header);
    let names = reader.byte_headers().cloned().unwrap_or_default();
    names.iter().map(|name| bare(&String::from_utf8_lossy(name)).to_owned()).collect()
}

/// Reads a table with a header row and a known delimiter.
pub fn read_with<E>(
    delimiter: u8,
    table: impl io::Read,
    rows: &mut Rows<'_, E>,
) -> Result<(), TableError<E>> {
    let table = Quotes::new(table, delimiter);
    let mut reader = ReaderBuilder::new().flexible(true).delimiter(delimiter).from_reader(table);
    let header = reader.headers().map_err(|e| TableError::unreadable(1, &e))?.clone();
    let names: Vec<_> = header.iter().map(bare).collect();
    let places = places_of(&names, rows.mapping)?;
    let mut record = ByteRecord::new();
    for number in 1.. {
        let read = reader.read_byte_record(&mut record);
        if !read.map_err(|e| TableError::unreadable(number, &e))? {
            break;
        }
        let end = reader.position().byte();
        if reader.get_ref().is_open_at(end) {
            let what = "a quote is never closed, so everything behind it is one cell".to_owned();
            return Err(TableError::Unreadable { row: number, what });
        }
        let may_be_joined = reader.get_mut().fault_up_to(end);
        match fault_of(&record, &names, may_be_joined) {
            None => rows.take(number, &|column| {
                let cell = places.get(column).and_then(|at| cell(&record, *at));
                cell.map_or_else(String::new, |cell| String::from_utf8_lossy(&cell).into_owned())
            })?,
            // A quote may have joined rows, so each line of the row may be a person.
            Some(fault) => {
                for _ in 0..lines_in(&record) {
                    rows.reject(number, fault.clone())?;
                }
            }
        }
    }
    Ok(())
}

/// The place of each column that the mapping names.
fn places_of<'a, E>(
    names: &[&'a str],
    mapping: &TableMapping,
) -> Result<HashMap<&'a str, usize>, TableError<E>> {
    check_columns(mapping, |column| names.iter().filter(|name| **name == column).count())?;
    Ok(names.iter().enumerate().map(|(place, name)| (*name, place)).collect())
}

/// The byte order mark in UTF-8. Files that were joined have one at the beginning of a row.
const MARK: &[u8] = "\u{feff}".as_bytes();

/// A name in a header, without blanks and byte order marks around it.
fn bare(name: &str) -> &str {
    name.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
}

/// The cell at a place. Behind a byte order mark, the parser takes quotes for text.
fn cell(record: &ByteRecord, at: usize) -> Option<Cow<'_, [u8]>> {
    let cell = record.get(at)?;
    let Some(text) = cell.strip_prefix(MARK).filter(|_| at == 0) else { return Some(cell.into()) };
    let quoted = text.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    Some(quoted.unwrap_or(text).into())
}

/// The number of lines that a row takes.
fn lines_in(record: &ByteRecord) -> usize {
    let count = |byte| memchr::memchr_iter(byte, record.as_slice()).count();
    1 + count(b'\n').max(count(b'\r'))
}

/// The reason why a row can't be taken as a whole.
fn fault_of(record: &ByteRecord, names: &[&str], may_be_joined: bool) -> Option<BadRow> {
    let repeats = || {
        let cell = |at| cell(record, at).and_then(|cell| String::from_utf8(cell.into_owned()).ok());
        names.iter().enumerate().all(|(at, name)| cell(at).is_some_and(|cell| bare(&cell) == *name))
    };
    let what = if record.len() != names.len() {
        format!("the row has {} cells, but the header {}", record.len(), names.len())
    } else if may_be_joined {
        "a quote is not closed, or stands within a cell".to_owned()
    } else if record.iter().any(|cell| std::str::from_utf8(cell).is_err()) {
        "the row is not UTF-8".to_owned()
    } else if repeats() {
        "the row repeats the header".to_owned()
    } else {
        return None;
    };
    Some(BadRow::Shape(what))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::testing::{keys, mapping, rows_of};

    fn read_text(text: &str) -> Vec<Result<String, BadRow>> {
        keys(rows_of(|rows| read(text.as_bytes(), rows)).unwrap())
    }

    fn people(keys: &[&str]) -> Vec<Result<String, BadRow>> {
        keys.iter().map(|key| Ok((*key).to_owned())).collect()
    }

    #[test]
    fn the_delimiter_is_the_one_that_gives_the_columns_of_the_mapping() {
        for delimiter in [",", ";", "\t", "|"] {
            let text = "\nid,full_name,mail,land,lang,phone\n7,Ada,,,,\n8,Bo,,,,\n";
            assert_eq!(read_text(&text.replace(',', delimiter)), people(&["7", "8"]));
        }
        let other = "id;full_name;mail;land;lang;phone;remarks, of staff\n7;a,b;;;;;x|y\n";
        assert_eq!(read_text(other), people(&["7"]));
        let mut rows = rows_of(|rows| read(other.as_bytes(), rows)).unwrap();
        let ada = rows.remove(0).1.unwrap();
        assert_eq!(ada.name.expose(), "a,b");
        assert_eq!(read_text("id,full_name,mail,land,lang,phone\r7,Ada,,,,\r"), people(&["7"]));
        let stated = "sep=,\r\nid,full_name,mail,land,lang,phone\r\n7,a;b,,,,\r\n";
        assert_eq!(read_text(stated), people(&["7"]));
        assert_eq!(read_text(&stated.replace(',', "^")), people(&["7"]));
    }

    #[test]
    fn files_that_were_joined_give_their_people_and_no_header() {
        let mark = '\u{feff}';
        let one = format!("{mark}id,full_name,mail,land,lang,phone\n7,Ada,,,,\n");
        let quoted = format!(
            "{mark}\"id\",\"full_name\",\"mail\",\"land\",\"lang\",\"phone\"\n\"8\",\"B, o\",,,,\n"
        );
        let repeated = Err(BadRow::Shape("the row repeats the header".to_owned()));
        for (text, expected) in [
            (format!("{one}{quoted}"), vec![Ok("7"), repeated.clone(), Ok("8")]),
            (format!("{quoted}{one}"), vec![Ok("8"), repeated.clone(), Ok("7")]),
            (format!("{mark}{one}8,Bo,,,,\n"), vec![Ok("7"), Ok("8")]),
            (
                format!("{one}{mark}8,Bo,,,,\n{mark}\"9\",\"C\",,,,\n"),
                vec![Ok("7"), Ok("8"), Ok("9")],
            ),
        ] {
            let expected: Vec<_> = expected.into_iter().map(|key| key.map(str::to_owned)).collect();
            assert_eq!(read_text(&text), expected, "{text}");
        }
    }

    #[test]
    fn rows_that_a_quote_joined_are_listed_one_by_one() {
        let head = "id,full_name,mail,land,lang,phone\n";
        let faults = |rows: &str| {
            let rows = read_text(&format!("{head}{rows}"));
            (rows.iter().flatten().count(), rows.iter().filter(|row| row.is_err()).count())
        };
        assert_eq!(faults("1,\"a\nb\",,,,\n2,5\" b,,,,\n"), (2, 0), "a cell of two lines");
        assert_eq!(faults("1,\"a,,,,\n2,\"b,,,,\n3,c,,,,\n"), (1, 2));
        assert_eq!(faults("1,\"a\n2,\",,,,\n3,c,,,,\n"), (1, 2));
        assert_eq!(faults("1,\"a\" b,,,,\n2,c,,,,\n"), (1, 1));
        assert_eq!(faults("1,a\n2,c,,,,\n"), (1, 1), "a cell is missing");
    }

    #[test]
    fn a_quote_that_is_never_closed_is_an_error_that_names_the_row() {
        let text = "id,full_name,mail,land,lang,phone\n1,a,,,,\n2,\"b,,,,\n3,c,,,,\n";
        let lost = rows_of(|rows| read(text.as_bytes(), rows));
        assert!(matches!(lost, Err(TableError::Unreadable { row: 2, .. })), "{lost:?}");
    }

    #[test]
    fn a_column_that_is_missing_or_stands_twice_is_an_error() {
        let missing = rows_of(|rows| read(&b"id,full_name\n1,x\n"[..], rows));
        assert!(matches!(missing, Err(TableError::Missing(columns)) if columns.len() == 4));
        let twice = b"id,full_name,mail,land,lang,phone,id\n1,x,,,,,2\n";
        let twice = rows_of(|rows| read(&twice[..], rows));
        assert!(matches!(twice, Err(TableError::Twice(column)) if column == mapping().key));
    }
}
