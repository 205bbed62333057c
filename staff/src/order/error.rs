//! Errors of orders.

use std::io;
use std::path::PathBuf;

use keys_api::{BadPolicy, BadSignature};
use response_letter::VersionError;

use crate::StepError;

/// An order that can't be read, written, drafted or carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OrderError {
    /// The file can't be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The path of the order's file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file does not hold an order.
    #[error("{} is no order: {source}", path.display())]
    Form {
        /// The path of the file.
        path: PathBuf,
        /// The fault, with its place in the file.
        source: serde_json::Error,
    },
    /// The order must not be signed.
    #[error("{}: {source}", path.display())]
    Faulty {
        /// The order's file.
        path: PathBuf,
        /// The reason not to sign it.
        source: OrderFault,
    },
    /// The order can't be written as JSON.
    #[error("the order can't be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The set of customers can't be written or read.
    #[error("the set of customers: {0}")]
    Customers(io::Error),
    /// The next policy contradicts itself or names something unknown.
    #[error(transparent)]
    Policy(#[from] BadPolicy),
    /// The state of `keys`, from which the order starts, can't be read.
    #[error(transparent)]
    Step(#[from] StepError),
}

/// An order that nobody may sign.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OrderFault {
    /// A warrant for a letter comes without the letter's texts.
    #[error("the order approves a letter, and its texts are not in it")]
    NoTexts,
    /// The customers in the order are not those that its signed part names.
    #[error("the customers in the order are not those that the signatures are for")]
    OtherCustomers,
    /// The texts have another hash than the one that the warrant names.
    #[error("the texts in the order are not those that its warrant is for")]
    OtherTexts,
    /// A text of the version can't be written.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// A text says something that no letter may say.
    #[error("no letter may say this: {0}")]
    Text(String),
    /// A signature is not that of an approver, or not over this order.
    #[error("signature {place}: {source}; the approvers are {approvers}")]
    Signature {
        /// The place of the signature in the file, from 1.
        place: usize,
        /// The fault of the signature.
        source: BadSignature,
        /// The names of the approvers in the policy in force.
        approvers: String,
    },
    /// The policy in force names no such approver.
    #[error("{name:?} is no approver in the policy in force; the approvers are {approvers}")]
    NoApprover {
        /// The name that was given for the key.
        name: String,
        /// The names of the approvers.
        approvers: String,
    },
    /// The key is another person's, or nobody's.
    #[error("the key given for {name:?} is not {name:?}'s{}", owner.as_ref().map_or_else(
        String::new,
        |owner| format!(", but {owner:?}'s")
    ))]
    OtherKey {
        /// The name that was given for the key.
        name: String,
        /// The approver whose key it is, if it is an approver's.
        owner: Option<String>,
    },
    /// The key has signed the order before, under another name.
    #[error("the key given for {name:?} has signed this order as {other:?} before")]
    SameKey {
        /// The name that was given for the key.
        name: String,
        /// The name under which it signed.
        other: String,
    },
}
