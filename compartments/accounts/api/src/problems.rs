//! Problems that `accounts` alone answers with.

use cofferdam_core::ProblemType;

/// Signing in failed: the address or the password is wrong, and the answer does not say which.
pub const BAD_CREDENTIALS: ProblemType =
    ProblemType::new("bad-credentials", 401, "The address or the password is wrong");
/// The session is not, or no longer, open at this caller.
pub const NO_SESSION: ProblemType =
    ProblemType::new("no-session", 401, "There is no such session here");
/// The password is void. The customer has to reset it.
pub const CREDENTIAL_VOIDED: ProblemType =
    ProblemType::new("credential-voided", 403, "The password is void; it takes a reset");
