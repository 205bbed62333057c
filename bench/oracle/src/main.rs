//! `bench-oracle`: whom do statements read, and what does the import of the log say? See
//! `docs/performance.md`.
//!
//! May touch: databases of its own on the PostgreSQL server that `COFFERDAM_TEST_POSTGRES` names, with
//! its log in `COFFERDAM_TEST_POSTGRES_LOGS`. It runs Debian's `sqlsmith`, which must be installed.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a measurement prints its figures, and fails if it can't be made"
)]

use std::process::{Command, ExitCode};

use bench_oracle::figures::Figures;
use bench_oracle::statements::{Draw, Statement, of_sqlsmith};
use bench_oracle::{MAPPING, measure, with_schema};
use clap::Parser;

/// Compares what statements read with what the import of the log says.
#[derive(Debug, Parser)]
struct Args {
    /// The number of statements as shops send them
    #[arg(long, default_value_t = 16_000)]
    statements: usize,
    /// The number of statements by sqlsmith
    #[arg(long, default_value_t = 4_000)]
    sqlsmith: usize,
    /// The same seed gives the same statements
    #[arg(long, default_value_t = 1)]
    seed: u32,
    /// The number of statements that are measured at the same time, each in its own database
    #[arg(long, default_value_t = 2)]
    jobs: usize,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let mut draw = Draw::new(u64::from(args.seed));
    let mut statements: Vec<_> = (0..args.statements).map(|_| draw.statement()).collect();
    statements.extend(by_sqlsmith(&args));
    let share = statements.len().div_ceil(args.jobs).max(1);
    let name = |job: usize| format!("cofferdam_oracle_{}_{job}", std::process::id());
    let mut figures = Figures::default();
    std::thread::scope(|scope| {
        let parts = statements.chunks(share).enumerate();
        let jobs: Vec<_> = parts
            .map(|(job, part)| scope.spawn(move || measure(&name(job), MAPPING, part)))
            .collect();
        jobs.into_iter().for_each(|job| figures.add(job.join().unwrap()));
    });
    println!("{figures}");
    if figures.under.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Statements over the shop's tables; system catalogues are left out.
fn by_sqlsmith(args: &Args) -> Vec<Statement> {
    if args.sqlsmith == 0 {
        return Vec::new();
    }
    let database = format!("cofferdam_oracle_{}_schema", std::process::id());
    let url = std::env::var("COFFERDAM_TEST_POSTGRES").unwrap();
    let server = url.rsplit_once('/').unwrap().0.to_owned();
    with_schema(&database, || {
        let run = Command::new("sqlsmith")
            .arg(format!("--target={server}/{database}"))
            .arg(format!("--seed={}", args.seed))
            .arg(format!("--max-queries={}", args.sqlsmith))
            .args(["--exclude-catalog", "--dry-run"])
            .output()
            .expect("sqlsmith, which apt-get installs");
        of_sqlsmith(&String::from_utf8_lossy(&run.stdout))
    })
}
