//! `cofferdam letters returned read` over the samples of returned mail of `cofferdam-mail`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{self, assert_refused, cofferdam, run};

const PATH: &str = "b-7-41-0123456789abcdef0123@back.shop.example";
const ID: &str = "7.00112233445566778899aabbccddeeff@shop.example";

/// The samples that name their letter: by its return path, and by its Message-ID.
const NAMED: [(&str, Option<&str>, Option<&str>); 7] = [
    ("aborted-after.eml", Some(PATH), None),
    ("arf-message-id-only.eml", None, Some(ID)),
    ("arf-not-spam.eml", Some(PATH), None),
    ("arf-redacted-mail-from.eml", Some(PATH), Some(ID)),
    ("mdn-deleted-unread.eml", None, Some(ID)),
    ("mdn-read.eml", None, Some(ID)),
    ("mdn-rejected-quota.eml", None, Some(ID)),
];

#[test]
fn every_sample_is_read_as_its_table_says() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lib/mail/tests/returned/cases");
    let table = fs::read_to_string(samples.join("cases.tsv")).unwrap();
    let mut read = BTreeSet::from(["cases.tsv".to_owned()]);
    for line in table.lines().skip(1) {
        let cells: Vec<_> = line.split('\t').collect();
        let (file, or_null) =
            (cells[0], |cell: &str| if cell == "-" { Value::Null } else { cell.into() });
        let (_, path, id) = NAMED.into_iter().find(|of| of.0 == file).unwrap_or((file, None, None));
        let expected = json!({
            "kind": cells[1],
            "class": or_null(cells[2]),
            "status": or_null(cells[3]),
            "return_path": path,
            "message_id": id,
        });
        let sample = samples.join(file);
        let found =
            support::json(cofferdam(["letters", "returned", "read", sample.to_str().unwrap()]));
        assert_eq!(found, expected, "{file}");
        read.insert(file.to_owned());
    }
    let files = fs::read_dir(&samples).unwrap().map(|file| file.unwrap().file_name());
    let files: BTreeSet<_> = files.map(|name| name.into_string().unwrap()).collect();
    assert_eq!(read, files, "each sample stands in the table once");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let missing = run(["letters", "returned", "read", "/nowhere/mail.eml", "--json"]);
    assert_refused(&missing, "/nowhere/mail.eml");
}
