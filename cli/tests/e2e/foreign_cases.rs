//! Small logs with the outcome that each must have, brought as a shop would bring them.

use std::fs;
use std::path::PathBuf;

use cofferdam_core::Field;
use response_api::Exposure;

use crate::support::{Place, Up, assert_refused, cofferdam, json, run, stdout};

/// A case: its files, the mapping, the fallen host, the people read, and the fields read.
type Case<'a> = (&'a [&'a str], &'a str, &'a str, u64, &'a [Field]);

const EVERYBODY: u64 = 20;
const DAY: [&str; 2] = ["2012-01-15T00:00:00Z", "2012-01-16T00:00:00Z"];

/// Copies a file of the cases into the estate's directory, where its rejects go too.
pub fn fixture(place: &Place, name: &str) -> String {
    let cases = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/foreign");
    let copy = place.dir.join(name);
    fs::copy(cases.join(name), &copy).unwrap();
    copy.to_str().unwrap().to_owned()
}

/// Brings the files of a case, scopes an incident, and removes the files again.
fn scope(place: &Place, case: &Case<'_>, [from, to]: [&str; 2]) -> Exposure {
    let (files, mapping, fallen, ..) = case;
    let mut add = place.cofferdam(["access-log", "add", "--joined", "--shipped"]);
    add.args(files.iter().map(|file| fixture(place, file)));
    add.args(["--mapping", &fixture(place, mapping), "--covers-from", from, "--covers-to", to]);
    let brought = json(add);
    let mut declare = place.cofferdam(["incident", "declare", "--people", "table"]);
    declare.args(["--title", "t", "--found", "f", "--fallen", fallen, "--from", from, "--to", to]);
    let number = json(declare)["incident"].to_string();
    let exposure = place.json(["incident", "scope", &number, "--from-log"]);
    for log in brought.as_array().unwrap() {
        let log = log["log"].as_str().unwrap();
        stdout(&place.run(["access-log", "remove", log, "--yes"]));
    }
    serde_json::from_value(exposure).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_case_has_its_outcome() {
    use Field::{Email, Name, Phone};
    let place = Place::new();
    let _up = Up::start(&place);
    let mut table = place.cofferdam(["table", "add", "--from", &fixture(&place, "roster.csv")]);
    table.args(["--mapping", &fixture(&place, "roster.toml")]);
    table.args(["--rejects", place.dir.join("rejects.csv").to_str().unwrap()]);
    assert_eq!(json(table)["created"], EVERYBODY);

    let web = |file, people, fields| -> Case<'_> { (file, "web.toml", "web-ky-1", people, fields) };
    for case in [
        web(&["23-dot-segment.log"], 1, &[Name, Email, Phone]),
        web(&["24-two-spaces.log"], 1, &[Name, Email, Phone]),
        web(&["25-fragment.log"], 1, &[Name, Email, Phone]),
        web(&["27-encoded-slash.log"], 1, &[Name, Email, Phone]),
        web(&["28-export-two-slashes.log"], EVERYBODY, &[Name, Email]),
        web(&["30-array-parameter.log"], EVERYBODY, &[Name]),
        web(&["31-leading-zeros.log"], EVERYBODY, &[Name, Email, Phone]),
        (
            &["35-cloudtrail-errorcode-empty.json"],
            "ct.toml",
            "arn-aws-iam--1-user-web-ky",
            1,
            &[Name, Email],
        ),
        (&["36-json-float-id.json"], "jl.toml", "web-ky", 1, &[Name]),
    ] {
        let exposure = scope(&place, &case, DAY);
        assert_eq!(exposure.people.read, case.3, "{case:?}: {:?}", exposure.doubts);
        let read = exposure.fields.iter().filter(|(_, counts)| counts.read > 0);
        let read: Vec<_> = read.map(|(field, _)| *field).collect();
        assert_eq!(read, case.4, "{case:?}");
    }

    // Half past two in the second of two hours of that name.
    let fold: Case<'_> = (&["21-dst-fold.csv"], "pg-berlin.toml", "web-ky", EVERYBODY, &[]);
    let exposure = scope(&place, &fold, ["2012-10-28T01:00:00Z", "2012-10-28T02:00:00Z"]);
    assert_eq!((exposure.people.read, exposure.assumed), (EVERYBODY, 0));

    // The requests for `/` fit no rule, so that everybody is read by them, and by no doubt.
    let files = ["34a.log", "34b-empty.log", "34c.log"];
    let exposure = scope(&place, &web(&files, EVERYBODY, &[]), DAY);
    assert_eq!((exposure.access_logs.len(), exposure.assumed), (2, 0), "{:?}", exposure.doubts);

    for (file, mapping, fault) in [
        ("37.json", "37-when-without-slash.toml", "begins with /"),
        ("38.log", "38-unknown-place.toml", "{id} is no placeholder"),
        ("32-vhost-in-front.log", "web.toml", "fits no line"),
    ] {
        let (file, mapping) = (fixture(&place, file), fixture(&place, mapping));
        let plan = run(["access-log", "plan", &file, "--mapping", &mapping]);
        assert_refused(&plan, fault);
        assert_refused(&place.run(["access-log", "add", &file, "--mapping", &mapping]), fault);
    }
    let (file, mapping) = (fixture(&place, "34a.log"), fixture(&place, "web.toml"));
    let plan = json(cofferdam(["access-log", "plan", &file, "--mapping", &mapping]));
    assert_eq!(plan[0]["unnamed"][0]["shape"], "GET /");
}

/// One that stands beside others is told: nobody may have used it.
#[test]
fn a_misspelt_table_is_an_error_unless_staff_say_that_it_is_none() {
    let place = Place::new();
    fs::create_dir_all(&place.dir).unwrap();
    let (file, mapping) = (fixture(&place, "06-copy-unmapped-column.csv"), place.file("pg.toml"));
    let right = fs::read_to_string(fixture(&place, "pg-two.toml")).unwrap();
    fs::write(&mapping, right.replace("public.customer", "public.custommer")).unwrap();
    let fault = "no line names a table of the mapping (public.custommer, public.address)";
    assert_refused(&run(["access-log", "plan", &file, "--mapping", &mapping]), fault);
    stdout(&run(["access-log", "plan", &file, "--mapping", &mapping, "--unnamed"]));
    fs::write(&mapping, right).unwrap();
    let told = run(["access-log", "plan", &file, "--mapping", &mapping]);
    let said = String::from_utf8_lossy(&told.stderr);
    assert!(
        said.contains("names the table public.address") && !said.contains(".customer"),
        "{said}"
    );
}
