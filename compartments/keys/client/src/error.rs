//! The errors of asking for keys and of using them.

use cofferdam_core::{Epoch, Field, OpenError, ProblemType, Record};
use cofferdam_store::StoreError;
use cofferdam_wire::{CallError, Problem};

/// A key that is not there, or that does not fit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// `keys` refused, or did not answer.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The answer of `keys` does not fit the question: something is missing, superfluous or of
    /// another epoch.
    #[error("keys answered for other items than it was asked for")]
    Mismatch,
    /// `keys` withheld the keys of a record that must have some.
    #[error("keys withheld the keys of record {0}")]
    Withheld(Record),
    /// The compartment used a key that it had not asked for.
    #[error("no key of {field} was asked for, for record {record}")]
    NotAsked {
        /// The record of the key.
        record: Record,
        /// The field of the key.
        field: Field,
    },
    /// A sealed text does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Bytes at rest do not open: they are damaged, or rest under another half or for another place.
    #[error("a verifier or an index does not open")]
    AtRest,
    /// `keys` gave a key of an epoch that is over, to seal with.
    #[error("keys gave a key of epoch {}, after a later one began", .0.0)]
    EarlierEpoch(Epoch),
    /// This instance does not have the halves that the database was sealed under.
    #[error("this instance has other halves of keys than its database; restart it with those")]
    OtherHalves,
    /// The halves of the database can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Bytes rest under a half that the configuration does not name.
    #[error("there is no half from epoch {}", .0.0)]
    NoHalf(Epoch),
}

impl VaultError {
    /// Whether `keys` refused with a problem of this type.
    #[must_use]
    pub fn is(&self, of: ProblemType) -> bool {
        matches!(self, Self::Call(error) if error.is(of))
    }
}

/// A refusal of `keys` is passed on. An incomplete answer is a failure of `keys`. Any other error
/// is the compartment's own.
impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Call(error) => error.into(),
            VaultError::OtherHalves => {
                tracing::error!("{error}");
                let detail = "this instance lacks a half of keys, and must be restarted";
                Self::new(ProblemType::ORDERS_UNKNOWN, detail).retry_after(1)
            }
            VaultError::Store(error) => error.into(),
            VaultError::Mismatch | VaultError::Withheld(_) | VaultError::EarlierEpoch(_) => {
                tracing::error!("{error}");
                Self::new(ProblemType::UPSTREAM, "another compartment's answer is incomplete")
            }
            VaultError::NotAsked { .. }
            | VaultError::Open(_)
            | VaultError::AtRest
            | VaultError::NoHalf(_) => Self::internal(&error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_passed_on_and_an_incomplete_answer_is_upstream() {
        let refusal = Problem::not_granted("not these fields");
        let error = VaultError::from(CallError::Problem(refusal.clone()));
        assert!(error.is(ProblemType::NOT_GRANTED) && !error.is(ProblemType::UPSTREAM));
        assert_eq!(Problem::from(error), refusal);
        let (record, field) = (Record(7), Field::Name);
        for (error, of) in [
            (VaultError::Mismatch, ProblemType::UPSTREAM),
            (VaultError::Withheld(record), ProblemType::UPSTREAM),
            (VaultError::NotAsked { record, field }, ProblemType::INTERNAL),
        ] {
            assert!(!error.is(of), "{error} is no answer of keys");
            assert!(Problem::from(error).is(of));
        }
    }
}
