//! What `/healthz` says: the troubles of a process that an operator should know of.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::StatusCode;

/// The troubles of a process, by the name of the part that has each. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<Mutex<BTreeMap<&'static str, Ailment>>>);

/// A trouble of one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ailment {
    /// The process works, but somebody should look at it.
    Warning(String),
    /// The process can't do its work until the trouble is over.
    Failing(String),
}

impl Health {
    /// Notes the trouble of a part; `None` if it has none. A change is logged.
    pub fn set(&self, part: &'static str, ailment: Option<Ailment>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.get(part) == ailment.as_ref() {
            return;
        }
        if let Some(ailment) = ailment {
            if !all.contains_key(part) {
                tracing::error!(part, ?ailment, "the process is not well");
            }
            all.insert(part, ailment);
        } else {
            all.remove(part);
            tracing::info!(part, "the trouble is over");
        }
    }

    /// The answer of `/healthz`: `ok`, or a line for each trouble. The status says whether the
    /// process can work.
    #[must_use]
    pub fn answer(&self) -> (StatusCode, String) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fails = |ailment: &Ailment| matches!(ailment, Ailment::Failing(_));
        let status =
            if all.values().any(fails) { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
        let line = |(part, ailment): (&&str, &Ailment)| match ailment {
            Ailment::Warning(what) | Ailment::Failing(what) => format!("{part}: {what}"),
        };
        let lines: Vec<_> = all.iter().map(line).collect();
        (status, if lines.is_empty() { "ok".to_owned() } else { lines.join("\n") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_names_each_trouble_until_it_is_over() {
        let health = Health::default();
        assert_eq!(health.answer(), (StatusCode::OK, "ok".to_owned()));
        health.set("disk", Some(Ailment::Warning("3 MiB are left".to_owned())));
        assert_eq!(health.answer(), (StatusCode::OK, "disk: 3 MiB are left".to_owned()));
        health.set("log", Some(Ailment::Failing("no space".to_owned())));
        let (status, text) = health.answer();
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(text, "disk: 3 MiB are left\nlog: no space");
        health.set("log", None);
        health.set("disk", None);
        assert_eq!(health.answer(), (StatusCode::OK, "ok".to_owned()));
    }
}
