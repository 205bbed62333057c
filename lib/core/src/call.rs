//! What a call between compartments is: a path, a body, an answer. Every call is a `POST`, reads
//! too, so that what is asked for never stands in a URL, where it would be logged.

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ProblemType;

/// One kind of call. The request type implements it, so that a client and a server can't disagree
/// about path, body or answer.
pub trait Call: Serialize + DeserializeOwned + JsonSchema + Send + Sync {
    /// The path of the route. It says the call's name: `FreezeCaller` is `/v1/callers/freeze`.
    const PATH: &'static str;
    /// The problems beside the general ones that the call answers with.
    const PROBLEMS: &'static [ProblemType] = &[];
    /// Whether the body and the answer travel as postcard instead of JSON: for calls that move
    /// thousands of keys or ciphertexts. The server takes both for every call.
    const COMPACT: bool = false;
    /// What comes back.
    type Answer: Serialize + DeserializeOwned + JsonSchema + Send;
}
