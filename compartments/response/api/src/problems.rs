//! The problems that only `response` answers with. Each has a code of its own, because staff must
//! do something different about it.

use cofferdam_core::ProblemType;

/// The warning in the answer to an act whose journal is not anchored yet. The act is done.
pub const JOURNAL_NOT_ANCHORED: &str = "journal-not-anchored";

/// The caller is said to have a new key, and no key of it was revoked.
pub const KEY_IN_FORCE: ProblemType =
    ProblemType::new("key-in-force", 409, "The caller's old key is still in force");

/// The call needs an exposure, and the incident has none yet.
pub const NOT_SCOPED: ProblemType =
    ProblemType::new("incident-not-scoped", 409, "The incident has not been scoped");
/// The incident is closed, so nothing more can be ordered for it.
pub const INCIDENT_CLOSED: ProblemType =
    ProblemType::new("incident-closed", 409, "The incident is closed");
/// The caller is frozen for other incidents, and not for this one.
pub const HELD_ELSEWHERE: ProblemType =
    ProblemType::new("held-elsewhere", 409, "The caller is frozen for another incident");
/// Letters to customers were planned from this exposure, so hosts and window can't change.
pub const LETTER_PLANNED: ProblemType =
    ProblemType::new("letter-planned", 409, "A letter to customers is planned");
/// The brought table is missing or empty.
pub const TABLE_EMPTY: ProblemType =
    ProblemType::new("table-empty", 409, "No table of customers was brought");
/// A letter to people of the brought table is approved, so the table can't change now.
pub const TABLE_IN_USE: ProblemType =
    ProblemType::new("table-in-use", 409, "A letter to the brought table is approved");
/// The import of the table was not begun, or is finished, or its source was begun anew since.
pub const TABLE_IMPORT_OVER: ProblemType =
    ProblemType::new("table-import-over", 409, "The import of the table is not open");
/// The table does not have all the people of an import.
pub const TABLE_INCOMPLETE: ProblemType =
    ProblemType::new("table-incomplete", 409, "The table lacks people of the import");
/// Staff get their letter before customers, and they have not been told yet.
pub const STAFF_FIRST: ProblemType =
    ProblemType::new("staff-first", 409, "Staff have not been told yet");
/// The staff list is not the file that the letter was planned for.
pub const STAFF_LIST_CHANGED: ProblemType =
    ProblemType::new("staff-list-changed", 409, "The staff list has changed");
/// The letter's ledger does not hold everybody yet.
pub const LETTER_NOT_PLANNED: ProblemType =
    ProblemType::new("letter-not-planned", 409, "The letter is not planned to its end");
/// A text of the letter breaks a rule. The detail names the rules.
pub const LETTER_FAULTY: ProblemType =
    ProblemType::new("letter-faulty", 409, "The letter may not be sent as it is");
/// No version of the letter is approved.
pub const LETTER_NOT_APPROVED: ProblemType =
    ProblemType::new("letter-not-approved", 409, "No version of the letter is approved");
/// The approved version states facts that no longer hold. It takes a new draft and approval.
pub const LETTER_OUTDATED: ProblemType =
    ProblemType::new("letter-outdated", 409, "The letter says what is no longer so");
/// The letter was stopped. It resumes only with a new version and a new approval.
pub const LETTER_STOPPED: ProblemType =
    ProblemType::new("letter-stopped", 409, "The letter was stopped");
/// The call needs a letter that is not being sent, and this one is.
pub const LETTER_RUNNING: ProblemType =
    ProblemType::new("letter-running", 409, "The letter is being sent");
/// The call needs a letter that is being sent, and this one is not.
pub const LETTER_NOT_RUNNING: ProblemType =
    ProblemType::new("letter-not-running", 409, "The letter is not being sent");
/// Receivers would not accept the letters as the shop's. The detail names each failed check.
pub const GATE_CLOSED: ProblemType =
    ProblemType::new("gate-closed", 409, "Receivers would not take the letters for ours");
/// The order is not for the current draft.
pub const ORDER_OUTDATED: ProblemType =
    ProblemType::new("order-outdated", 409, "The order is not for the current draft");
/// A page of an import is not the next one.
pub const PAGE_OUT_OF_TURN: ProblemType =
    ProblemType::new("page-out-of-turn", 409, "The page is not the next one");
/// An order reached some compartments and not others. Giving it again does no harm.
pub const PARTLY_DONE: ProblemType =
    ProblemType::new("partly-done", 502, "Some compartments did not take the order");
