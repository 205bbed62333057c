//! Our own figure: the code that `response` runs.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::time::Instant;

use response_api::People;
use response_exposure::{Bitmaps, FallenHosts, Findings, LogKind, Source, Window, read_log};
use response_server::logs::FileLog;

use crate::Args;
use crate::events::{FALLEN, log_dir, window};

/// The number of runs for the warm figure.
const RUNS: usize = 5;

/// The figures of an exposure.
pub struct Measured {
    /// The median of the warm runs, in seconds.
    pub seconds: f64,
    /// The number of records read, field by field, and of those presented.
    pub counts: BTreeMap<String, u64>,
}

/// The fallen host.
pub fn fallen() -> FallenHosts {
    FallenHosts::new(People::Accounts, &[FALLEN.parse().unwrap()])
}

/// The window of the exposure.
pub fn of(args: &Args) -> Window {
    let (from, to) = window(args);
    Window::new(from, Some(to))
}

/// Opens the log that was written.
pub fn open_log(args: &Args) -> FileLog {
    FileLog::open(LogKind::Release, &log_dir(&args.dir)).unwrap()
}

fn findings(args: &Args, source: Source) -> Findings {
    read_log(&open_log(args), &fallen(), of(args), source).unwrap()
}

/// Computes the exposure once, and prints the memory that the process took.
pub fn once(args: &Args) {
    let started = Instant::now();
    let people = findings(args, Source::Index).levels.read.len();
    let seconds = started.elapsed().as_secs_f64();
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    println!(
        "scope in a process of its own: {seconds:.3} s, {} at most, {people} fields",
        peak.trim()
    );
}

/// Computes the exposure several times, and takes the median.
pub fn measure(args: &Args) -> Measured {
    let own = std::env::current_exe().unwrap();
    let mut child = Command::new(own);
    let days = |n: u32| n.to_string();
    child.arg("--dir").arg(&args.dir).args(["--only", "--days"]).arg(days(args.days));
    child.arg("--window").arg(days(args.window));
    assert!(child.status().unwrap().success());

    let mut seconds = Vec::with_capacity(RUNS);
    let mut last = Findings::default();
    for _ in 0..RUNS {
        let started = Instant::now();
        last = findings(args, Source::Index);
        seconds.push(started.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    let median = seconds[RUNS / 2];
    println!("scope: {} days of one caller, by the index  {median:>9.3} s", args.window);
    if args.from_log {
        let started = Instant::now();
        let again = findings(args, Source::IndexAndEntries);
        println!(
            "scope: and again from every entry           {:>9.3} s",
            started.elapsed().as_secs_f64()
        );
        assert_eq!(again, last, "both readings must agree");
    }
    Measured { seconds: median, counts: counts(&last) }
}

fn counts(found: &Findings) -> BTreeMap<String, u64> {
    let each = |level: &'static str, of: &Bitmaps| {
        of.iter()
            .map(|(field, records)| (format!("{level} {field}"), records.len()))
            .collect::<Vec<_>>()
    };
    let counts: BTreeMap<_, _> = each("read", &found.levels.read)
        .into_iter()
        .chain(each("presented", &found.levels.presented))
        .collect();
    for (what, people) in &counts {
        println!("       {what}: {people}");
    }
    counts
}
