//! The problems that only `accounts` answers with.

use cofferdam_core::ProblemType;

/// Another customer has the e-mail address. The customer can sign in, or give another address.
pub const ADDRESS_TAKEN: ProblemType =
    ProblemType::new("address-taken", 409, "Another customer has this e-mail address");
/// The sign-in failed: the address or the password is wrong, and the answer does not tell which.
pub const BAD_CREDENTIALS: ProblemType =
    ProblemType::new("bad-credentials", 401, "The address or the password is wrong");
/// The password is void. The customer must reset it.
pub const CREDENTIAL_VOIDED: ProblemType =
    ProblemType::new("credential-voided", 403, "The password is void; it takes a reset");
/// The session is not open at this caller, or no longer. The customer must sign in again.
pub const NO_SESSION: ProblemType =
    ProblemType::new("no-session", 401, "There is no such session here");
/// One person may not shut out so many customers. Two people can sign an order over everybody.
pub const VOID_TAKES_TWO: ProblemType =
    ProblemType::new("void-takes-two", 403, "So many customers are shut out by two people");
