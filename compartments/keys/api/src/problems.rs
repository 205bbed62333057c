//! The problems that only `keys` answers with.

use cofferdam_core::ProblemType;

/// The order lacks two good signatures, or its time is over. The approvers must sign a new one.
pub const ORDER_REFUSED: ProblemType =
    ProblemType::new("order-refused", 403, "The order is not signed as it must be");
/// The order to thaw a caller names a hold that there never was. The holds must be read again.
pub const NO_SUCH_HOLD: ProblemType =
    ProblemType::new("no-such-hold", 409, "The incident has no such hold on the caller");
/// The order to give a budget back names a lowering that there never was. The callers must be listed
/// again.
pub const NO_SUCH_LOWERING: ProblemType =
    ProblemType::new("no-such-lowering", 409, "The budget has no such lowering");
/// The order is not for the next version of the policy. The change must start again from the policy
/// in force.
pub const POLICY_OUTDATED: ProblemType =
    ProblemType::new("policy-outdated", 409, "The policy has another version by now");
/// The order does not fit the present epochs. The epochs must be read again.
pub const EPOCH_OUTDATED: ProblemType =
    ProblemType::new("epoch-outdated", 409, "The epochs are others by now");
/// The journal is shorter than its anchor, or has another entry there. Somebody changed or restored the
/// journal.
pub const JOURNAL_CONTRADICTS: ProblemType =
    ProblemType::new("journal-contradicts", 409, "The journal contradicts its anchor");
/// Some of the records were sealed before. Other numbers must be taken: these never get keys to seal them
/// again.
pub const RECORDS_SEALED: ProblemType =
    ProblemType::new("records-sealed", 409, "Some of these records were sealed before");
/// Some of the numbers were claimed before. The next range must be taken.
pub const DECOYS_CLAIMED: ProblemType =
    ProblemType::new("decoys-claimed", 409, "Some of these decoys were claimed before");
/// A grant asks that the customer be signed in at the caller, and the call does not prove it: there is no
/// ticket, or it is another group's, over, or void. The customer must sign in again.
pub const NOT_PRESENT: ProblemType =
    ProblemType::new("not-present", 403, "The customer is not signed in here");
