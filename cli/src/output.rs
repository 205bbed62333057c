//! Printing: results on standard output, progress and errors on standard error.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

/// Prints one line of a result.
pub fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    // A reader that goes away, as `| head` does, is no failure.
    let _ = writeln!(out, "{text}");
}

/// Prints the lines of a result.
pub fn lines(all: &[String]) {
    for text in all {
        line(text);
    }
}

/// Prints one line on standard error, which is no part of the result.
pub fn note(text: &str) {
    let mut out = std::io::stderr().lock();
    let _ = writeln!(out, "{text}");
}

/// Prints the command that comes next.
pub fn next(command: &str) {
    note(&format!("next: {command}"));
}

/// Prints a question, and stays on its line.
pub fn ask(question: &str) {
    let mut err = std::io::stderr().lock();
    let _ = write!(err, "{question}").and_then(|()| err.flush());
}

/// Prints a result as JSON.
pub fn json<T: Serialize>(value: &T) -> Result<(), serde_json::Error> {
    line(&serde_json::to_string_pretty(value)?);
    Ok(())
}

/// Prints the reason of a failure, and returns the exit code.
pub fn fail(message: &str) -> ExitCode {
    note(&format!("cofferdam: {message}"));
    ExitCode::FAILURE
}

/// Shows the progress of a long step: a bar on a terminal, otherwise a plain line every five
/// seconds.
pub struct Progress {
    what: &'static str,
    bar: Option<ProgressBar>,
    next_line: Instant,
}

const LINE_EVERY: Duration = Duration::from_secs(5);

impl Progress {
    /// Makes a progress display that shows nothing before the first `set`.
    pub fn new(what: &'static str) -> Self {
        Self { what, bar: None, next_line: Instant::now() + LINE_EVERY }
    }

    /// Shows that `done` of `total` are done. A `total` of 0 means that it is not known.
    pub fn set(&mut self, done: u64, total: u64) {
        if std::io::stderr().is_terminal() {
            let bar = self.bar.get_or_insert_with(|| ProgressBar::new(total).with_style(style()));
            bar.set_message(self.what);
            bar.set_length(total);
            bar.set_position(done);
        } else if Instant::now() >= self.next_line {
            note(&format!("{}: {done} of {total}", self.what));
            self.next_line = Instant::now() + LINE_EVERY;
        }
    }
}

impl Drop for Progress {
    /// Removes the bar from the terminal.
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template(
        "{msg:24} {wide_bar} {human_pos}/{human_len} {per_sec:>12} {eta:>5}",
    )
    .unwrap_or_else(|_| ProgressStyle::default_bar())
}
