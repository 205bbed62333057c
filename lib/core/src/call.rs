//! A call between compartments: a path, a body and an answer. Every call is a `POST`, even one that
//! only reads, because parameters in a URL would end up in access logs.

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ProblemType;

/// One kind of call. The request type implements this trait, so that client and server can't
/// disagree about the path, the body or the answer.
pub trait Call: Serialize + DeserializeOwned + JsonSchema + Send + Sync {
    /// The path of the route. It is the call's name: `FreezeCaller` is `/v1/callers/freeze`.
    const PATH: &'static str;
    /// The problems that the call may answer with beside [`ProblemType::GENERAL`].
    const PROBLEMS: &'static [ProblemType] = &[];
    /// Whether the client sends postcard instead of JSON, for calls that move thousands of keys or
    /// ciphertexts. A server accepts both encodings for every call and answers in the request's.
    const COMPACT: bool = false;
    /// Whether the call must not be made again at another instance when its answer got lost, because the
    /// second one would be refused or do harm.
    const ONCE: bool = false;
    /// The body of a successful answer.
    type Answer: Serialize + DeserializeOwned + JsonSchema + Send;
}
