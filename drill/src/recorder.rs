//! Writes down a drill while it runs: steps with their times, checks, and figures.

use std::time::Instant;

use crate::report::{Check, DrillReport, Step};

/// Sees the progress of a drill.
pub trait Observer: Send + Sync {
    /// Sees a line about a step, or about a check that does not hold.
    fn note(&self, line: &str);
    /// Sees the progress of a long step: `done` of `total`, which is 0 if it is not known.
    fn progress(&self, step: &'static str, done: u64, total: u64);
}

/// The report of a drill, as it is written.
pub struct Recorder<'a> {
    /// The figures so far.
    pub report: DrillReport,
    observer: &'a dyn Observer,
    started: Instant,
    current: Option<(&'static str, Instant)>,
}

impl<'a> Recorder<'a> {
    /// Starts the clock of the drill.
    pub fn start(seed: u64, observer: &'a dyn Observer) -> Self {
        let report = DrillReport { seed, ..DrillReport::default() };
        Self { report, observer, started: Instant::now(), current: None }
    }

    /// Begins a step.
    pub fn begin(&mut self, name: &'static str) {
        let seconds = self.started.elapsed().as_secs_f64();
        self.observer.note(&format!("[{seconds:6.1} s] {name}"));
        self.current = Some((name, Instant::now()));
    }

    /// Ends the step with its outcome in one line. Returns the step's seconds.
    pub fn end(&mut self, what: impl Into<String>) -> f64 {
        let what = what.into();
        let Some((name, began)) = self.current.take() else { return 0.0 };
        let seconds = began.elapsed().as_secs_f64();
        self.observer.note(&format!("           {what}"));
        let at = (began - self.started).as_secs_f64();
        self.report.steps.push(Step { name, what, at, seconds });
        seconds
    }

    /// Writes a check down. A check that does not hold is noted at once.
    pub fn check(&mut self, name: &str, ok: bool, detail: impl Into<String>) {
        let check = Check { name: name.to_owned(), ok, detail: detail.into() };
        if !ok {
            self.observer.note(&format!("  does not hold: {name}: {}", check.detail));
        }
        self.report.checks.push(check);
    }

    /// Passes on the progress of a long step.
    pub fn progress(&self, step: &'static str) -> impl FnMut(u64, u64) + Send + use<'a> {
        let observer = self.observer;
        move |done, total| observer.progress(step, done, total)
    }

    /// Ends the drill: sets its duration, and whether every check held.
    pub fn finish(&mut self) {
        let checks = &self.report.checks;
        self.report.ok = !checks.is_empty() && checks.iter().all(|check| check.ok);
        self.report.seconds = self.started.elapsed().as_secs_f64();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An observer that ignores everything.
    struct Nobody;

    impl Observer for Nobody {
        fn note(&self, _: &str) {}
        fn progress(&self, _: &'static str, _: u64, _: u64) {}
    }

    #[test]
    fn a_drill_holds_when_it_has_checks_and_all_of_them_do() {
        let finish = |outcomes: &[bool]| {
            let mut recorder = Recorder::start(7, &Nobody);
            for ok in outcomes {
                recorder.check("a check", *ok, "");
            }
            recorder.finish();
            recorder.report.ok
        };
        assert!(finish(&[true, true]));
        assert!(!finish(&[true, false]));
        assert!(!finish(&[]), "a drill without checks shows nothing");
    }
}
