//! `cofferdam import customers`: bad rows are listed, the rest is imported.

use std::fs;
use std::io::Write;

use accounts_api::FindCustomer;
use cofferdam_core::Personal;

use crate::support::{Place, Up, customers, run, said};

#[tokio::test]
async fn bad_rows_are_listed_by_line_and_reason_and_the_rest_is_imported() {
    let place = Place::new();
    let _up = Up::start(&place);
    let file = place.dir.join("mixed.csv");
    let mut csv = customers(0..3);
    writeln!(csv, "No Hash,no.hash@home.example,,,,,US,KY,en,false,salted_sha1,salt,zz").unwrap();
    writeln!(csv, "Twice,PERSON.1@home.example,,,,,US,KY,en,false,salted_sha1,salt,{:040x}", 9)
        .unwrap();
    writeln!(csv, "Short,short@home.example").unwrap();
    csv.extend(customers(3..5).split_inclusive(|b| *b == b'\n').skip(1).flatten());
    fs::write(&file, csv).unwrap();

    let path = file.to_str().unwrap();
    let output = run(["import", "customers", path, "--dir", place.path(), "--json"]);
    assert!(output.status.success(), "{}", said(&output));
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&summary["created"], &summary["rejected"]), (&5.into(), &3.into()));

    let rejects = fs::read_to_string(summary["rejects"].as_str().unwrap()).unwrap();
    for (line, word) in [(5, "password_hash"), (6, "e-mail"), (7, "cells")] {
        let reject = rejects.lines().find(|reject| reject.starts_with(&format!("{line},")));
        assert!(reject.is_some_and(|reject| reject.contains(word)), "{line}: {rejects}");
    }
    assert!(!rejects.contains('@'), "no personal data: {rejects}");

    let web = place.client("accounts", "web-ky-2");
    let find = |address: &str| FindCustomer { email: Personal::new(address) };
    assert!(web.call(&find("Person.4@home.example ")).await.unwrap().is_some());
    assert!(web.call(&find("short@home.example")).await.unwrap().is_none());
}
