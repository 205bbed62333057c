//! What commands print: results on standard output, progress and errors on standard error.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

/// Prints one line of result.
pub fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    // A reader that went away (`| head`) is no reason to fail.
    let _ = writeln!(out, "{text}");
}

/// Prints one line of progress, apart from the result.
pub fn note(text: &str) {
    let mut out = std::io::stderr().lock();
    let _ = writeln!(out, "{text}");
}

/// Prints a result as JSON.
pub fn json<T: Serialize>(value: &T) -> Result<(), serde_json::Error> {
    line(&serde_json::to_string_pretty(value)?);
    Ok(())
}

/// Prints why a command failed; the exit code to end with.
pub fn fail(message: &str) -> ExitCode {
    note(&format!("cofferdam: {message}"));
    ExitCode::FAILURE
}

/// Shows how far a long work is: a bar on a terminal, a plain line every five seconds otherwise.
pub struct Progress {
    what: &'static str,
    total: u64,
    bar: Option<ProgressBar>,
    next_line: Instant,
}

const LINE_EVERY: Duration = Duration::from_secs(5);

impl Progress {
    /// Starts at 0 of `total` (0 when unknown).
    pub fn new(what: &'static str, total: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template(
                "{msg:24} {wide_bar} {human_pos}/{human_len} {per_sec:>12} {eta:>5}",
            )
            .unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(total).with_style(style).with_message(what)
        });
        Self { what, total, bar, next_line: Instant::now() + LINE_EVERY }
    }

    /// Says that `done` are done.
    pub fn set(&mut self, done: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
        } else if Instant::now() >= self.next_line {
            note(&format!("{}: {done} of {}", self.what, self.total));
            self.next_line = Instant::now() + LINE_EVERY;
        }
    }

    /// Takes the bar away.
    pub fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
