//! `cofferdam import customers`: bad rows are listed, and the others are imported.

use std::fs;
use std::io::Write;

use accounts_api::FindCustomer;
use cofferdam_core::Personal;
use estate::Compartment::Accounts;

use crate::support::{Place, Up, customers};

#[tokio::test]
async fn bad_rows_are_listed_by_line_and_reason_and_the_others_are_imported() {
    let place = Place::new();
    let _up = Up::start(&place);
    let mut csv = customers(0..3);
    writeln!(csv, "No Hash,no.hash@home.example,,,,,US,KY,en,false,salted_sha1,salt,zz").unwrap();
    writeln!(csv, "Twice,PERSON.1@home.example,,,,,US,KY,en,false,salted_sha1,salt,{:040x}", 9)
        .unwrap();
    writeln!(csv, "Short,short@home.example").unwrap();
    csv.extend(customers(3..5).split_inclusive(|b| *b == b'\n').skip(1).flatten());
    let summary = place.import_rows(&csv);
    assert_eq!((&summary["created"], &summary["rejected"]), (&5.into(), &3.into()));

    let rejects = fs::read_to_string(summary["rejects"].as_str().unwrap()).unwrap();
    for (line, word) in [(5, "password_hash"), (6, "e-mail"), (7, "cells")] {
        let reject = rejects.lines().find(|reject| reject.starts_with(&format!("{line},")));
        assert!(reject.is_some_and(|reject| reject.contains(word)), "{line}: {rejects}");
    }
    assert!(!rejects.contains('@'), "the list holds personal data: {rejects}");

    let web = place.client(Accounts, "web-ky-2");
    let find = |address: &str| FindCustomer { email: Personal::new(address) };
    assert!(web.call(&find("Person.4@home.example ")).await.unwrap().is_some());
    assert!(web.call(&find("short@home.example")).await.unwrap().is_none());
}
