//! Steps of the response that were refused or failed, with advice.

use std::io;
use std::path::{Path, PathBuf};

use cofferdam_core::{Call, Domain, NO_SUCH_CALLER};
use cofferdam_wire::{CallError, Client, ProblemType};
use response_api as api;

/// A step of the response that did not happen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StepError {
    /// A compartment refused, or does not answer.
    #[error("{}{}", reason(source), advice.map_or(String::new(), |advice| format!("; {advice}")))]
    Call {
        /// The compartment's refusal, or the fault of the connection.
        source: CallError,
        /// Advice on the next step, if there is some.
        advice: Option<&'static str>,
    },
    /// Too few people signed.
    #[error("an order takes two approvers, and {0} signed")]
    Approvers(usize),
    /// The order can't be written as JSON.
    #[error("the order can't be written as JSON: {0}")]
    Json(serde_json::Error),
    /// An answer of `keys`, passed on by `response`, has an unknown form.
    #[error("the answer of keys is not understood: {0}")]
    Answer(serde_json::Error),
    /// `keys` holds no master key for a domain.
    #[error("this keys has no master key for {0}")]
    NoMasterKey(Domain),
    /// The domain has used all epochs, whose numbers have 16 bits.
    #[error("there are no more epochs")]
    LastEpoch,
    /// A file can't be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The path of the file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

/// Makes one call. A refusal comes with advice.
pub async fn call<C: Call>(client: &Client, call: &C) -> Result<C::Answer, StepError> {
    client.call(call).await.map_err(StepError::refused)
}

impl StepError {
    fn refused(source: CallError) -> Self {
        let advice = match &source {
            CallError::Problem(problem) => {
                let known = ADVICE.iter().find(|(of, _)| problem.is(*of));
                known.map(|(_, advice)| *advice)
            }
            CallError::Unreachable { .. } => {
                Some("see that the estate runs: cofferdam up --dir DIR")
            }
            _ => None,
        };
        Self::Call { source, advice }
    }

    /// Names the file that a system error is about.
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::File { path: path.to_owned(), source }
    }
}

/// The advice for each problem that staff can solve. The servers name no commands, only the code of
/// a problem.
const ADVICE: &[(ProblemType, &str)] = &[
    (ProblemType::NOT_FOUND, "see cofferdam incident list, or cofferdam letters list"),
    (ProblemType::NOT_GRANTED, "name one of `staff` in response.toml with --as"),
    (ProblemType::WARRANT_REFUSED, "take two of the approvers in the policy, with their own keys"),
    (ProblemType::UPSTREAM, "see that all compartments run, and try again"),
    (
        NO_SUCH_CALLER,
        "see cofferdam budget list; for a fallen host that keys lists no more, add --unlisted HOST",
    ),
    (api::HELD_ELSEWHERE, "thaw it for each incident that holds it"),
    (api::NOT_SCOPED, "compute its exposure first: cofferdam incident scope INCIDENT"),
    (api::KEY_IN_FORCE, "revoke the old key: cofferdam callers renew NAME, or callers revoke NAME"),
    (api::INCIDENT_CLOSED, "declare another incident: cofferdam incident declare"),
    (api::LETTER_PLANNED, "see cofferdam incident declare --help"),
    (api::TABLE_EMPTY, "bring one: cofferdam table add --from FILE --mapping FILE"),
    (
        api::TABLE_IN_USE,
        "wait for its end, or stop it: cofferdam letters stop LETTER --reason TEXT",
    ),
    (api::TABLE_IMPORT_OVER, "another import of the same source began: let one run to its end"),
    (api::TABLE_INCOMPLETE, "bring the table again, while no other import runs"),
    (
        api::STAFF_FIRST,
        "tell staff first: cofferdam letters plan --incident INCIDENT --audience staff; or say why \
         customers come first: --before-staff REASON",
    ),
    (
        api::STAFF_LIST_CHANGED,
        "restore the file `staff_list` of response.toml; tell new staff under another incident",
    ),
    (
        api::LETTER_NOT_PLANNED,
        "plan it to its end: cofferdam letters plan --incident INCIDENT --audience AUDIENCE",
    ),
    (api::LETTER_FAULTY, "mend the texts (`letters.texts` of response.toml) and draft it again"),
    (
        api::LETTER_NOT_APPROVED,
        "draft the order for two people: cofferdam order draft letter LETTER --out FILE",
    ),
    (
        api::LETTER_STOPPED,
        "draft the order for two people: cofferdam order draft letter LETTER --out FILE",
    ),
    (api::LETTER_RUNNING, "pause it first: cofferdam letters pause LETTER"),
    (api::LETTER_NOT_RUNNING, "see cofferdam letters show LETTER"),
    (api::GATE_CLOSED, "mend each of these, and start the letter again"),
    (api::LETTER_OUTDATED, "draft it again, and have it signed again"),
    (api::ORDER_OUTDATED, "draft it again, and have it signed again"),
    (api::PAGE_OUT_OF_TURN, "give the same command again: it goes on where it was"),
    (api::PARTLY_DONE, "see that all compartments run, and give the same order again"),
];

/// The message of a call's failure. The detail of a problem says more than its title.
fn reason(error: &CallError) -> String {
    match error {
        CallError::Problem(problem) if !problem.detail.is_empty() => problem.detail.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use cofferdam_core::Call as _;
    use cofferdam_wire::Problem;

    use super::*;

    fn text(of: ProblemType, detail: &str) -> String {
        StepError::refused(CallError::Problem(Problem::new(of, detail))).to_string()
    }

    #[test]
    fn an_error_says_what_to_do_next() {
        assert_eq!(
            text(api::NOT_SCOPED, "incident 3 has not been scoped"),
            "incident 3 has not been scoped; compute its exposure first: cofferdam incident scope \
             INCIDENT"
        );
        assert!(text(ProblemType::NOT_FOUND, "no incident 3").contains("incident list"));
        assert!(text(ProblemType::NOT_GRANTED, "staff only").contains("--as"));
        assert_eq!(text(ProblemType::INTERNAL, "see the log"), "see the log");
    }

    #[test]
    fn each_problem_of_a_call_has_advice() {
        let problems = [
            api::AmendIncident::PROBLEMS,
            api::ApplyOrder::PROBLEMS,
            api::DeclareIncident::PROBLEMS,
            api::DraftLetter::PROBLEMS,
            api::FinishTable::PROBLEMS,
            api::FreezeCaller::PROBLEMS,
            api::ImportAccessLog::PROBLEMS,
            api::ImportTable::PROBLEMS,
            api::PauseLetter::PROBLEMS,
            api::PlanLetter::PROBLEMS,
            api::ScopeIncident::PROBLEMS,
            api::SettleLetter::PROBLEMS,
            api::StartLetter::PROBLEMS,
            api::VoidCredentials::PROBLEMS,
        ];
        for problem in problems.into_iter().flatten() {
            assert!(ADVICE.iter().any(|(of, _)| of.code == problem.code), "{}", problem.code);
        }
    }

    #[test]
    fn silence_points_to_the_estate() {
        let source =
            CallError::Unreachable { peer: "https://localhost:1".into(), cause: "refused".into() };
        let error = StepError::refused(source).to_string();
        assert!(error.contains("does not answer") && error.contains("cofferdam up"), "{error}");
    }
}
