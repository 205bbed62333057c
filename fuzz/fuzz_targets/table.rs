//! Customer tables of other systems, in every format: no input causes a panic, and each row is handed
//! on once.
#![no_main]

use std::io::Write;

use cofferdam_foreign::table::{TableFormat, TableMapping, read_file};
use libfuzzer_sys::fuzz_target;

const MAPPING: &str = r#"
key = "id"
name = "full_name"
email = "mail"
country = "land"
region = "state"
language = "lang"
default_language = "en"
"#;

/// The columns of the mapping, so that text gets past the header.
const HEADER: &[u8] = b"id,full_name,mail,land,state,lang\n";

fuzz_target!(|data: &[u8]| {
    let Some((kind, bytes)) = data.split_first() else { return };
    let mapping: TableMapping = toml::from_str(MAPPING).expect("the mapping above");
    let (format, header) = match kind % 4 {
        0 => (TableFormat::Csv, HEADER),
        1 => (TableFormat::Csv, &[][..]),
        2 => (TableFormat::JsonLines, &[][..]),
        _ => (TableFormat::Parquet, &[][..]),
    };
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(&[header, bytes].concat()).expect("a temporary file");
    let mut rows = 0;
    let read = read_file(&mapping, format, file, &mut |_, _| {
        rows += 1;
        Ok::<_, ()>(())
    });
    if let Ok(read) = read {
        assert_eq!(read.rows, rows);
    }
});
