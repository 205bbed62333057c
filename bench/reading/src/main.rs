//! `bench-reading`: measures how fast access logs are read, and in how much memory. The log is made
//! while it is read, so that no disk is measured.
//!
//! May touch: nothing. It stops by itself. Called by: people who measure (see `docs/performance.md`).
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a measurement prints its figures, and fails if it can't be made"
)]

use std::io::{BufReader, Read};
use std::time::Instant;

use clap::{Parser, ValueEnum};
use cofferdam_foreign::{Item, LogMapping, read_log};

/// The number of different lines, which then repeat.
const DIFFERENT: usize = 10_000;

const WEB: &str = include_str!("../../../tests/fixtures/foreign/web-rules.toml");
const PGAUDIT: &str = include_str!("../../../tests/fixtures/foreign/pg.toml");

/// Measures how fast access logs are read.
#[derive(Debug, Parser)]
struct Args {
    /// The format of the log
    #[arg(long, value_enum)]
    format: Format,
    /// The number of its lines
    #[arg(long, default_value_t = 1_000_000)]
    lines: usize,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Web,
    Pgaudit,
}

fn main() {
    let Args { format, lines } = Args::parse();
    let (mapping, line): (&str, fn(usize) -> String) = match format {
        Format::Web => (WEB, web_line),
        Format::Pgaudit => (PGAUDIT, pgaudit_line),
    };
    let mapping = LogMapping::parse(mapping).unwrap();
    let different: Vec<_> = (0..DIFFERENT).map(|n| line(n).into_bytes()).collect();
    let log = Repeated { different: &different, left: lines, at: (0, 0) };
    let (began, mut accesses, mut bad) = (Instant::now(), 0_u64, 0_u64);
    read_log(&mapping, BufReader::with_capacity(1 << 20, log), &mut |item| {
        match item {
            Item::Access(_) => accesses += 1,
            Item::Bad { .. } => bad += 1,
            _ => {}
        }
        Ok::<_, ()>(())
    })
    .unwrap();
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{format:?}: {lines} lines in {seconds:.1} s, {:.0} a second; {accesses} accesses, {bad} bad; \
         peak memory {} MB",
        lines as f64 / seconds,
        peak_memory_kb() / 1024
    );
}

/// A log whose lines repeat.
struct Repeated<'a> {
    different: &'a [Vec<u8>],
    left: usize,
    /// The line and the place in it from which reading goes on.
    at: (usize, usize),
}

impl Read for Repeated<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() && self.left > 0 {
            let line = &self.different[self.at.0][self.at.1..];
            let part = line.len().min(buffer.len() - filled);
            buffer[filled..filled + part].copy_from_slice(&line[..part]);
            filled += part;
            self.at.1 += part;
            if part == line.len() {
                self.at = ((self.at.0 + 1) % self.different.len(), 0);
                self.left -= 1;
            }
        }
        Ok(filled)
    }
}

fn web_line(n: usize) -> String {
    let target = match n % 5 {
        0 => format!("/customers/{n}/profile"),
        1 => format!("/static/a{n}.css?v=3"),
        2 => format!("/account?id={n}"),
        3 => "/".to_owned(),
        _ => format!("/basket/{n}"),
    };
    format!(
        "203.0.113.{} - - [15/Jan/2012:04:00:01 +0000] \"GET {target} HTTP/1.1\" 200 512 \
         \"https://shop.example/\" \"Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko\"\n",
        n % 250
    )
}

fn pgaudit_line(n: usize) -> String {
    let (statement, parameters) = match n % 4 {
        0 => (
            "SELECT c.id, c.full_name, c.email FROM customer c WHERE c.id = $1 LIMIT $2".to_owned(),
            format!("\"{n},1\""),
        ),
        1 => (
            format!("SELECT email, phone FROM customer WHERE id IN ({n}, {})", n + 1),
            "<none>".to_owned(),
        ),
        2 => (
            format!("SELECT count(*) FROM customer WHERE full_name ILIKE '%name {n}%'"),
            "<none>".to_owned(),
        ),
        _ => (
            "UPDATE customer SET phone = $1 WHERE id = $2 RETURNING id".to_owned(),
            format!("\"040 {n},{n}\""),
        ),
    };
    let message = format!(
        "AUDIT: SESSION,{n},1,READ,SELECT,TABLE,public.customer,\"{statement}\",{parameters}"
    );
    format!(
        "2012-01-15 04:00:01.123 UTC,\"app\",\"shop\",99,\"10.0.0.5:4711\",6746.63,{n},\"SELECT\",\
         2012-01-15 00:00:00 UTC,3/2,0,LOG,00000,\"{}\",,,,,,,,,\"web\",\"client backend\",,0\n",
        message.replace('"', "\"\"")
    )
}

/// The peak of the resident memory, in kB.
fn peak_memory_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.unwrap().trim().trim_end_matches(" kB").parse().unwrap()
}
