//! Problems that `keys` alone answers with.

use cofferdam_core::ProblemType;

/// The order lacks two good signatures, or it is too late for it. The approvers have to sign a new
/// one.
pub const ORDER_REFUSED: ProblemType =
    ProblemType::new("order-refused", 403, "The order is not signed as it must be");
/// The order is not for the next version of the policy. The policy has to be read again, and
/// changed from there.
pub const POLICY_OUTDATED: ProblemType =
    ProblemType::new("policy-outdated", 409, "The policy has another version by now");
/// The order is not for the epochs as they are. The epochs have to be read again.
pub const EPOCH_OUTDATED: ProblemType =
    ProblemType::new("epoch-outdated", 409, "The epochs are others by now");
/// Some of the numbers were claimed before. The next range has to be taken.
pub const DECOYS_CLAIMED: ProblemType =
    ProblemType::new("decoys-claimed", 409, "Some of these decoys were claimed before");
