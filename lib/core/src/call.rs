//! What a call between compartments is: a path, a body, an answer. Every call is a `POST`, reads
//! too, so that what is asked for never stands in a URL, where it would be logged.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// One kind of call. The request type implements it, so that a client and a server can't
/// disagree about path, body or answer.
pub trait Call: Serialize + DeserializeOwned + Send + Sync {
    /// The path of the route, e.g. `/v1/release`.
    const PATH: &'static str;
    /// Whether the body and the answer travel as postcard instead of JSON: for calls that move
    /// thousands of keys or ciphertexts. The server takes both for every call.
    const COMPACT: bool = false;
    /// What comes back.
    type Answer: Serialize + DeserializeOwned + Send;
}
