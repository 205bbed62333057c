//! The problems that only `accounts` answers with.

use cofferdam_core::ProblemType;

/// Another customer has the e-mail address. The customer can sign in, or give another address.
pub const ADDRESS_TAKEN: ProblemType =
    ProblemType::new("address-taken", 409, "Another customer has this e-mail address");
/// The sign-in failed: the address or the password is wrong, or the password is void. The answer
/// does not tell which, because a right password that is void may still open accounts elsewhere.
/// The letter with a reset code tells the customer that the password is void. A passkey that is unknown or
/// void, or that did not sign the challenge, gets the same answer.
pub const BAD_CREDENTIALS: ProblemType = ProblemType::new(
    "bad-credentials",
    401,
    "The address or the password is wrong, or it takes a new password",
);
/// The session is not open at this caller or its group, or no longer. The customer must sign in again.
pub const NO_SESSION: ProblemType =
    ProblemType::new("no-session", 401, "There is no such session here");
/// A customer has the passkey already. The browser can make another one.
pub const PASSKEY_TAKEN: ProblemType =
    ProblemType::new("passkey-taken", 409, "A customer has this passkey already");
/// Fewer than two people may not shut out so many customers, or end so many sessions, within 24
/// hours. Two people can sign an order over everybody.
pub const VOID_TAKES_TWO: ProblemType =
    ProblemType::new("void-takes-two", 403, "So many customers are shut out by two people");
