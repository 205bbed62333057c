//! The peer: `DuckDB` on the same events, as Parquet in the order of time.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Args;
use crate::events::{FALLEN, window, write_csv};
use crate::scope::Measured;

const SCRIPT: &str = include_str!("../duckdb_peer.py");

/// Makes the Parquet files that are missing, and asks the same question.
pub fn measure(args: &Args, python: &Path) -> Measured {
    let (script, parquet) = (args.dir.join("peer.py"), args.dir.join("parquet"));
    fs::write(&script, SCRIPT).unwrap();
    fs::create_dir_all(&parquet).unwrap();
    for day in 0..args.days {
        let to = parquet.join(format!("{day:03}.parquet"));
        if !to.exists() {
            let csv = args.dir.join("day.csv");
            write_csv(args, day, &csv);
            let made = Command::new(python).arg(&script).arg("make").arg(&csv).arg(&to).status();
            assert!(made.unwrap().success());
            fs::remove_file(csv).unwrap();
        }
    }
    let (from, to) = window(args);
    let (from, to) = (from.as_millisecond().to_string(), to.as_millisecond().to_string());
    let mut ask = Command::new(python);
    ask.arg(&script).arg("ask").arg(parquet.join("*.parquet")).args([FALLEN, &from, &to]);
    let said = ask.output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let said: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
    let counts: BTreeMap<String, u64> = serde_json::from_value(said["counts"].clone()).unwrap();
    Measured { seconds: said["seconds"].as_f64().unwrap(), counts }
}
