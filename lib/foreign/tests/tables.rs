//! Tables as other programs write them. Whatever a file holds, its rows are people and rejects.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed step is a failed test")]

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cofferdam_core::{BroughtPerson, Field};
use cofferdam_foreign::table::{
    Assumed, BadRow, Encoding, KeyForm, PlaceForm, TableError, TableFormat, TableMapping,
    TableRead, read_csv, read_file,
};
use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use proptest::prelude::*;

const MAPPING: &str = include_str!("../../../tests/fixtures/foreign/table-columns.toml");
const HEADER: [&str; 6] = ["id", "full_name", "mail", "land", "lang", "phone"];

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/foreign")
}

type Rows = Vec<Result<BroughtPerson, BadRow>>;

fn read(mapping: &str, format: TableFormat, file: File) -> Result<(Rows, TableRead), String> {
    let mapping: TableMapping = toml::from_str(mapping).unwrap();
    let mut rows = Rows::new();
    let read = read_file(&mapping, format, file, &mut |_, row| {
        rows.push(row);
        Ok::<_, ()>(())
    });
    let read = read.map_err(|e: TableError<()>| match e {
        TableError::Taker(()) => panic!("nothing fails here"),
        TableError::Unreadable { row, what } => format!("row {row}: {what}"),
        other => format!("{other:?}"),
    })?;
    Ok((rows, read))
}

fn read_path(mapping: &str, path: &Path) -> (Rows, TableRead) {
    let format = TableFormat::of(path).unwrap();
    let read = read(mapping, format, File::open(path).unwrap());
    read.unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn read_bytes(format: TableFormat, bytes: &[u8]) -> Result<(Rows, TableRead), String> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    read(MAPPING, format, file)
}

/// Keys, names, addresses, countries, languages, and whether there is a telephone.
fn shown(rows: &Rows) -> Vec<String> {
    let people = rows.iter().map(|row| row.as_ref().unwrap());
    let show = |person: &BroughtPerson| {
        let country = person.country.as_ref().map_or("-", |country| country.as_str());
        let phone = person.holds.contains(Field::Phone);
        let (name, email) = (person.name.expose(), person.email.expose());
        format!("{} {name} {email} {country} {} {phone}", person.key, person.language)
    };
    people.map(show).collect()
}

const PEOPLE: [&str; 4] = [
    "7 Ada Byron ada@post.example GB en false",
    "8 Zoë Müller  DE de true",
    "9 山田 太郎 yamada@post.example JP en false",
    "10   - en true",
];

#[test]
fn parquet_is_read_as_every_program_writes_it() {
    let mut files = 0;
    for entry in std::fs::read_dir(fixtures().join("tables")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "parquet") {
            continue;
        }
        let (rows, read) = read_path(MAPPING, &path);
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.starts_with("duckdb-uuid") {
            let keys: Vec<_> = rows.iter().map(|row| row.as_ref().unwrap().key.as_str()).collect();
            assert_eq!(keys[0], "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
            assert_eq!(keys[3], "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a14");
        } else {
            assert_eq!(shown(&rows), PEOPLE, "{name}");
        }
        assert_eq!((read.rows, read.assumed.encodings.len()), (4, 0), "{name}");
        files += 1;
    }
    assert_eq!(files, 25);
}

/// Writes keys as a Parquet file with one column of text for each of the mapping.
fn parquet_file(keys: &[String]) -> File {
    let columns = HEADER.map(|name| format!("optional binary {name} (UTF8);")).join(" ");
    let schema = parse_message_type(&format!("message t {{ {columns} }}")).unwrap();
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let file = tempfile::tempfile().unwrap();
    let copy = file.try_clone().unwrap();
    let mut writer =
        SerializedFileWriter::new(copy, Arc::new(schema), Arc::new(properties)).unwrap();
    let mut group = writer.next_row_group().unwrap();
    for place in 0..HEADER.len() {
        let values: Vec<ByteArray> = keys.iter().map(|key| key.as_str().into()).collect();
        let (values, level) = if place == 0 { (values, 1) } else { (Vec::new(), 0) };
        let mut column = group.next_column().unwrap().unwrap();
        let levels = vec![level; keys.len()];
        column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None).unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
    file
}

#[test]
fn a_parquet_file_that_was_cut_off_is_an_error() {
    let mut cut = fixtures().join("tables/pyarrow-zstd.parquet");
    let whole = std::fs::read(&cut).unwrap();
    cut.pop();
    assert!(read_bytes(TableFormat::Parquet, &whole[..whole.len() - 9]).is_err(), "cut off");
}

#[test]
fn each_encoding_and_delimiter_gives_the_same_people_and_is_said() {
    let text = "id;full_name;mail;land;lang;phone\n\
                7;Ada Byron;ada@post.example;GB;en_GB;\\N\n\
                8;Zoë Müller;\\N;Deutschland;de;12\n";
    let mark = format!("\u{feff}{text}");
    let wide = |bytes: fn(u16) -> [u8; 2]| mark.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    let narrow = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    for (bytes, encoding) in [
        (text.as_bytes().to_vec(), Encoding::Utf8),
        (mark.as_bytes().to_vec(), Encoding::Utf8),
        (wide(u16::to_le_bytes), Encoding::Utf16Le),
        (wide(u16::to_be_bytes), Encoding::Utf16Be),
        (narrow, Encoding::Windows1252),
    ] {
        let (rows, read) = read_bytes(TableFormat::Csv, &bytes).unwrap();
        assert_eq!(shown(&rows), PEOPLE[..2], "{encoding:?}");
        let expected = Assumed {
            encodings: [encoding].into(),
            delimiters: [';'].into(),
            null_markers: 2,
            keys: [(KeyForm::WholeNumber, 2)].into(),
            default_language: 0,
            countries: [(PlaceForm::Alpha2, 1), (PlaceForm::Name, 1)].into(),
            regions: [].into(),
        };
        assert_eq!(read, TableRead { rows: 2, assumed: expected });
    }
    for delimiter in [",", "\t", "|"] {
        let bytes = text.replace(';', delimiter);
        let (rows, read) = read_bytes(TableFormat::Csv, bytes.as_bytes()).unwrap();
        assert_eq!(shown(&rows), PEOPLE[..2]);
        assert_eq!(read.assumed.delimiters, delimiter.chars().collect());
    }
}

#[test]
fn handed_tables_have_their_outcome() {
    let roster = std::fs::read_to_string(fixtures().join("roster.toml")).unwrap();
    let people = |mapping: &str, name: &str| {
        let (rows, _) = read_path(mapping, &fixtures().join(name));
        rows.into_iter().map(Result::unwrap).collect::<Vec<_>>()
    };
    assert_eq!(people(&roster, "42-long-holds.csv").len(), 2);
    assert_eq!(people(&roster, "43-float-key.csv")[0].key, "101");
    let [ada] = <[_; 1]>::try_from(people(&roster, "45-mysql-null.csv")).unwrap();
    assert_eq!(ada.holds.iter().collect::<Vec<_>>(), [Field::Name]);
    let parquet = std::fs::read_to_string(fixtures().join("parquet.toml")).unwrap();
    let keys: Vec<_> =
        people(&parquet, "47-uuid-key.parquet").into_iter().map(|person| person.key).collect();
    assert_eq!(keys, [11, 12].map(|end| format!("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a{end}")));
}

#[test]
fn json_is_read_line_by_line_and_as_an_array() {
    let json = |text: &str| read_bytes(TableFormat::JsonLines, text.as_bytes());
    let sparse = "{\"id\":7,\"full_name\":\"Ada\",\"mail\":null,\"land\":\"gb\",\"lang\":\"en\"}\n\n\
                  {\"id\":8,\"phone\":12,\"extra\":[1]}\nno object\n";
    let (rows, read) = json(sparse).unwrap();
    assert_eq!((read.rows, rows.iter().flatten().count()), (3, 2), "a blank line is no row");
    let (rows, _) = json(&sparse.replace("\n\n", "")).unwrap();
    assert_eq!(rows.iter().flatten().count(), 2, "two on one line");
    let missing = json("{\"id\":7,\"mail\":\"\",\"land\":\"\",\"lang\":\"\",\"phone\":1}\n");
    assert_eq!(missing.unwrap_err(), "Missing([\"full_name\"])");
    let objects = sparse.replace("\n\n", ",\n").replace("no object\n", "");
    for array in [format!("[{objects}]"), format!("[\n  {}]", objects.replace(",\"", ",\n    \""))]
    {
        let (rows, read) = json(&array).unwrap();
        assert_eq!((read.rows, rows.iter().flatten().count()), (2, 2), "{array}");
    }
    let within = json(&format!("{{\"data\":[{}]}}", objects.replace('\n', ""))).unwrap_err();
    assert!(within.starts_with("Missing([\"id\""), "{within}");
    assert!(json("[[7,\"Ada\"],[8,\"Bo\"]]").unwrap_err().starts_with("Missing"));
    let twice = format!("{sparse}{{\"id\":1,\"id\":9}}\n");
    let (rows, read) = json(&twice).unwrap();
    assert_eq!((read.rows, rows.iter().flatten().count()), (4, 2), "whose row is it?");
}

#[test]
fn a_key_in_json_keeps_its_value_or_is_refused() {
    let key = |key: &str| {
        let row = format!(
            "{{\"id\":{key},\"full_name\":\"\",\"mail\":\"\",\"land\":\"\",\"lang\":\"\",\"phone\":[1]}}"
        );
        let (mut rows, _) = read_bytes(TableFormat::JsonLines, row.as_bytes()).unwrap();
        rows.remove(0).map(|person| person.key)
    };
    for (json, text) in [
        ("7.0", "7"),
        ("1e3", "1000"),
        ("\" 7 \"", "7"),
        ("{\"$oid\":\"5f43\"}", "5f43"),
        ("{\"$numberLong\":\"7\"}", "7"),
        ("18446744073709551615", "18446744073709551615"),
    ] {
        assert_eq!(key(json), Ok(text.to_owned()), "{json}");
    }
    for rounded in ["12345678901234567890123", "1e20", "-1e20"] {
        assert_eq!(key(rounded), Err(BadRow::RoundedKey("id".into())), "{rounded}");
    }
    for nested in ["[7]", "{\"a\":7}"] {
        assert_eq!(key(nested), Err(BadRow::Form("id".into(), "a single value")), "{nested}");
    }
    assert_eq!(key("null"), Err(BadRow::NoKey("id".into())));
}

/// Of a column under `[holds]`, only whether it is filled matters.
#[test]
fn groups_in_parquet_are_no_text() {
    let read_with_group = |group: &str| {
        let column = |name: &str| {
            if name == group {
                format!("optional group {name} {{ optional binary a (UTF8); }}")
            } else {
                format!("optional binary {name} (UTF8);")
            }
        };
        let schema = format!("message t {{ {} }}", HEADER.map(column).join(" "));
        let schema = Arc::new(parse_message_type(&schema).unwrap());
        let file = tempfile::tempfile().unwrap();
        let copy = file.try_clone().unwrap();
        SerializedFileWriter::new(copy, schema, Arc::default()).unwrap().close().unwrap();
        read(MAPPING, TableFormat::Parquet, file)
    };
    assert_eq!(read_with_group("id").unwrap_err(), "Nested(\"id\")");
    assert_eq!(read_with_group("full_name").unwrap_err(), "Nested(\"full_name\")");
    assert_eq!(read_with_group("phone").unwrap().1.rows, 0);
}

/// A cell as somebody might type it, of the characters on which readers stumble.
fn cell() -> impl Strategy<Value = String> {
    "[a0-9é日\"',;|\t\n\\\\@ .]{0,6}"
}

fn quoted(cell: &str) -> String {
    format!("\"{}\"", cell.replace('"', "\"\""))
}

proptest! {
    /// Well-formed tables lose nobody, whatever stands in their cells.
    #[test]
    fn each_row_is_a_person_or_a_reject(
        table in proptest::collection::vec(proptest::array::uniform6(cell()), 0..6),
        delimiter in proptest::sample::select(vec![',', ';', '\t', '|']),
    ) {
        let expected = table.len() as u64;
        let lines = table.iter().map(|row| row.each_ref().map(|cell| quoted(cell)));
        let join = |cells: &[String; 6]| cells.join(&delimiter.to_string());
        let csv: String = std::iter::once(HEADER.map(str::to_owned))
            .chain(lines)
            .map(|cells| join(&cells) + "\n")
            .collect();
        let (rows, counted) = read_bytes(TableFormat::Csv, csv.as_bytes()).unwrap();
        prop_assert_eq!(counted.rows, rows.len() as u64);
        // A row that looks joined is listed once a line.
        prop_assert!(counted.rows >= expected);
        prop_assert!(rows.iter().flatten().count() as u64 <= expected);

        let json = |row: &[String; 6]| {
            let cells = HEADER.iter().zip(row);
            serde_json::to_string(&cells.collect::<std::collections::BTreeMap<_, _>>()).unwrap()
        };
        let lines: Vec<_> = table.iter().map(json).collect();
        if !lines.is_empty() {
            let (rows, counted) =
                read_bytes(TableFormat::JsonLines, lines.join("\n").as_bytes()).unwrap();
            prop_assert_eq!((counted.rows, rows.len() as u64), (expected, expected));
        }

        let keys: Vec<_> = table.iter().map(|[key, ..]| key.clone()).collect();
        let file = parquet_file(&keys);
        let (rows, counted) = read(MAPPING, TableFormat::Parquet, file).unwrap();
        prop_assert_eq!((counted.rows, rows.len() as u64), (expected, expected));
    }

    /// Quotes that are opened, closed and forgotten at random: a row that is read as a person is
    /// one line of the file. Every other line is listed, or the import ends with an error.
    #[test]
    fn no_quote_hides_a_row(
        cells in proptest::collection::vec(
            proptest::array::uniform6("[a0-9]{0,2}|\"[a0-9]{0,2}\"|\"[a0-9]{0,2}|\"\""), 1..8),
    ) {
        let lines: Vec<_> = cells.iter().map(|row| row.join(",") + "\n").collect();
        let csv = HEADER.join(",") + "\n" + &lines.concat();
        if let Ok((rows, read)) = read_bytes(TableFormat::Csv, csv.as_bytes()) {
            prop_assert_eq!(read.rows, rows.len() as u64);
            prop_assert!(read.rows >= lines.len() as u64, "{:?} of {}", rows, csv);
        }
    }

    /// Any bytes at all are read without a panic, in every format.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for format in [TableFormat::Csv, TableFormat::JsonLines, TableFormat::Parquet] {
            let _ = read_bytes(format, &bytes);
        }
        let header = HEADER.join(",").into_bytes();
        let rows = [&header[..], b"\n", &bytes].concat();
        if let Ok((rows, read)) = read_bytes(TableFormat::Csv, &rows) {
            prop_assert_eq!(read.rows, rows.len() as u64);
        }
    }
}

#[test]
fn a_database_writes_commas_and_utf_8() {
    let mapping: TableMapping = toml::from_str("key = \"a;b\"\ndefault_language = \"en\"").unwrap();
    let mut keys = Vec::new();
    let read = read_csv(&mapping, &b"a;b\n1\n"[..], &mut |_, row| {
        keys.push(row.unwrap().key);
        Ok::<_, ()>(())
    });
    assert_eq!((keys, read.unwrap().rows), (vec!["1".to_owned()], 1));
}
