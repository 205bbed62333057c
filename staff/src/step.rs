//! Steps of the response that did not happen, with advice.

use std::io;
use std::path::{Path, PathBuf};

use cofferdam_core::{Call, Domain};
use cofferdam_wire::{CallError, Client, Problem, ProblemType};
use response_api::IncidentId;

/// Why a step of the response did not happen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StepError {
    /// A compartment refused, or does not answer.
    #[error("{}{}", reason(source), advice.as_ref().map_or(String::new(), |a| format!("; {a}")))]
    Call {
        /// The refusal.
        source: CallError,
        /// Advice on the next step, if there is any.
        advice: Option<String>,
    },
    /// Too few people signed.
    #[error(
        "two people have to approve this, and {0} signed; name both: \
         --approver NAME=KEYFILE --approver NAME=KEYFILE"
    )]
    Approvers(usize),
    /// A signed order can't be written as JSON.
    #[error("the order can't be written as JSON: {0}")]
    Json(serde_json::Error),
    /// `keys` answered through `response` with something that this version does not know.
    #[error("what keys answered is not understood: {0}")]
    Answer(serde_json::Error),
    /// `keys` holds no master key for a domain.
    #[error("keys has no master key for {0}")]
    NoMasterKey(Domain),
    /// Epochs are numbered with 16 bits.
    #[error("there are no more epochs")]
    LastEpoch,
    /// A file can't be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

/// Makes one call. A refusal comes with advice.
pub async fn call<C: Call>(client: &Client, call: &C) -> Result<C::Answer, StepError> {
    client.call(call).await.map_err(|e| StepError::refused(e, None))
}

impl StepError {
    /// The error of a call. `unready` is the advice for an incident that is not as far as the step
    /// needs it.
    pub(crate) fn refused(source: CallError, unready: Option<String>) -> Self {
        let advice = match &source {
            CallError::Problem(problem) => advice(problem, unready),
            CallError::Unreachable { .. } => {
                Some("see that the estate runs: `cofferdam up --dir DIR`".to_owned())
            }
            _ => None,
        };
        Self::Call { source, advice }
    }

    /// Names the file of a system error.
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::File { path: path.to_owned(), source }
    }
}

/// Advice about a problem.
fn advice(problem: &Problem, unready: Option<String>) -> Option<String> {
    if problem.detail.contains("cofferdam incident") {
        return None;
    }
    if problem.is(ProblemType::CONFLICT) {
        return unready;
    }
    let known = ADVICE.iter().find(|(of, _)| problem.is(*of));
    known.map(|(_, advice)| (*advice).to_owned())
}

/// Advice about each problem that staff can do something about.
const ADVICE: [(ProblemType, &str); 4] = [
    (ProblemType::NOT_FOUND, "see `cofferdam incident list`"),
    (ProblemType::NOT_GRANTED, "name one of `staff` in response.toml with --as"),
    (ProblemType::WARRANT_REFUSED, "take two of the approvers in the policy, with their own keys"),
    (ProblemType::UPSTREAM, "see that all compartments run, and try again"),
];

/// Advice before a step that needs the exposure.
pub(crate) fn scope_first(incident: IncidentId) -> String {
    format!("run `cofferdam incident scope {incident}` first")
}

/// A problem's own sentence says more than its title.
fn reason(error: &CallError) -> String {
    match error {
        CallError::Problem(problem) if !problem.detail.is_empty() => problem.detail.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(kind: ProblemType, detail: &str) -> String {
        let source = CallError::Problem(Problem::new(kind, detail));
        StepError::refused(source, Some(scope_first(IncidentId(3)))).to_string()
    }

    #[test]
    fn an_error_says_what_to_do_next_and_says_it_once() {
        let unscoped = text(ProblemType::CONFLICT, "the incident has not been scoped");
        assert_eq!(
            unscoped,
            "the incident has not been scoped; run `cofferdam incident scope 3` first"
        );
        let told = "it is not scoped: run `cofferdam incident scope 3`";
        assert_eq!(text(ProblemType::CONFLICT, told), told);
        assert!(text(ProblemType::NOT_FOUND, "no incident 3").ends_with("incident list`"));
        assert!(text(ProblemType::NOT_GRANTED, "staff only").contains("--as"));
        assert_eq!(text(ProblemType::INTERNAL, "see the log"), "see the log");
    }

    #[test]
    fn silence_points_to_the_estate() {
        let source =
            CallError::Unreachable { peer: "https://localhost:1".into(), cause: "refused".into() };
        let error = StepError::refused(source, None).to_string();
        assert!(error.contains("does not answer") && error.contains("cofferdam up"), "{error}");
    }
}
