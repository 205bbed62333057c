//! Reads bounces that others have collected, and counts how many are recognised. `bench/returned/run`
//! fetches them and the list of what they are.
#![expect(clippy::unwrap_used, reason = "a failed step ends the measurement")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a bench speaks to a terminal")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use cofferdam_mail::{Returned, read_returned};

/// The fewest permanent failures that must be recognised, in percent.
const LEAST_PERMANENT: usize = 99;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (Some(list), Some(data)) = (args.next(), args.next()) else {
        eprintln!("usage: bench-returned LIST DATA (see bench/returned/run)");
        return ExitCode::FAILURE;
    };
    let mut counts: BTreeMap<(String, &str), usize> = BTreeMap::new();
    for line in fs::read_to_string(list).unwrap().lines() {
        let (expected, file) = line.split_once('\t').unwrap();
        let found = read_returned(&fs::read(Path::new(&data).join(file)).unwrap()).what;
        let verdict = verdict(expected, &found);
        if verdict != "recognised" {
            println!("{file}: {expected}, {verdict}: {}", found.kind());
        }
        *counts.entry((expected.to_owned(), verdict)).or_default() += 1;
    }
    for ((expected, verdict), count) in &counts {
        println!("{expected}: {count} {verdict}");
    }
    let of = |expected: &str, verdict| {
        counts.get(&(expected.to_owned(), verdict)).copied().unwrap_or_default()
    };
    let all = |expected: &str| -> usize {
        ["recognised", "kept for a person", "misread"]
            .map(|verdict| of(expected, verdict))
            .iter()
            .sum()
    };
    let permanent = of("permanent", "recognised") * 100 >= all("permanent") * LEAST_PERMANENT;
    let temporary = of("temporary", "recognised") == all("temporary");
    if permanent && temporary && all("temporary") > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The fate of a message. An automatic reply or a delivery would be forgotten, so a failure that
/// is taken for one is misread. Of a temporary failure, some notices say that the server tries on,
/// and others that it gave up.
fn verdict(expected: &str, found: &Returned) -> &'static str {
    match (expected, found) {
        (_, Returned::Other) => "kept for a person",
        ("other", _)
        | ("permanent" | "temporary", Returned::Bounced { .. })
        | ("temporary", Returned::Delayed { .. }) => "recognised",
        _ => "misread",
    }
}
