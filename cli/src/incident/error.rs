//! Why a step did not happen, and what to do next.

use cofferdam_wire::{CallError, ProblemType};
use response_api::IncidentId;

/// Why a step of the response did not happen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StepError {
    /// `response` refused, or does not answer.
    #[error("{}{}", said(source), hint.as_ref().map_or(String::new(), |h| format!("; {h}")))]
    Call {
        /// What it said.
        source: CallError,
        /// What to do next, where that is known.
        hint: Option<String>,
    },
    /// Customers' letters need two people.
    #[error(
        "a letter needs the approval of two people, and {0} signed; name both: \
         --approver NAME=KEYFILE --approver NAME=KEYFILE"
    )]
    Approvers(usize),
    /// The signed warrant is not what can be sent.
    #[error("the warrant can't be written as JSON: {0}")]
    Warrant(#[from] serde_json::Error),
}

impl StepError {
    /// The error of a call, with what to do when the incident is not as far as the step asks for.
    pub(super) fn of(source: CallError, unready: impl Into<Option<String>>) -> Self {
        let hint = match &source {
            CallError::Problem(problem) if problem.detail.contains("cofferdam incident") => None,
            CallError::Problem(problem) if problem.is(ProblemType::CONFLICT) => unready.into(),
            CallError::Problem(problem) => hint(problem.code()).map(str::to_owned),
            CallError::Unreachable { .. } => {
                Some("see that the estate runs: `cofferdam up --dir DIR`".to_owned())
            }
            _ => None,
        };
        Self::Call { source, hint }
    }

    /// The same for a step that asks for nothing of the incident.
    pub fn plain(source: CallError) -> Self {
        Self::of(source, None)
    }
}

/// What to do about a problem with this code.
fn hint(code: &str) -> Option<&'static str> {
    [
        (ProblemType::NOT_FOUND, "see `cofferdam incident list`"),
        (ProblemType::NOT_GRANTED, "name one of `staff` in response.toml with --as"),
        (
            ProblemType::WARRANT_REFUSED,
            "take two of the approvers in the policy, with their own keys",
        ),
        (ProblemType::UPSTREAM, "see that all compartments run, and try again"),
    ]
    .into_iter()
    .find_map(|(of, hint)| (of.code == code).then_some(hint))
}

/// What to do before a step that goes by the exposure.
pub(super) fn scope_first(incident: IncidentId) -> String {
    format!("run `cofferdam incident scope {incident}` first")
}

/// A problem's own sentence says more than its title.
fn said(error: &CallError) -> String {
    match error {
        CallError::Problem(problem) if !problem.detail.is_empty() => problem.detail.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use cofferdam_wire::Problem;

    use super::*;

    fn text(kind: ProblemType, detail: &str) -> String {
        let source = CallError::Problem(Problem::new(kind, detail));
        StepError::of(source, scope_first(IncidentId(3))).to_string()
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
        let error = StepError::plain(source).to_string();
        assert!(error.contains("does not answer") && error.contains("cofferdam up"), "{error}");
    }
}
