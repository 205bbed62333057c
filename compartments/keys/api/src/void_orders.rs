//! Orders that void the credentials of all customers, or of a set of them.

use aws_lc_rs::digest::{Context, SHA256};
use cofferdam_core::{Call, ProblemType, Record, Sha256, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::problems::ORDER_REFUSED;
use crate::signed::{Order, Signed};

/// An order that voids the credentials of all customers, or of a set of them, and ends their sessions.
/// It names the instant, so that handing it in again voids nothing more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VoidOrder {
    /// The number of the incident.
    pub incident: u32,
    /// The instant up to which set credentials are void.
    pub set_before: Timestamp,
    /// The last instant at which the order may be carried out.
    pub until: Timestamp,
    /// The reason why one signature must suffice, 10 to 500 characters. It is part of the signed
    /// bytes, the log keeps it, and an alarm rings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["nobody else can be reached, and accounts are being emptied"]))]
    pub break_glass: Option<String>,
    /// The customers whose credentials become void; all customers if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customers: Option<CustomerSet>,
}

/// A set of customers, as an order names it without listing them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerSet {
    /// SHA-256 over the record numbers, ascending, each once, as four bytes with the highest first.
    pub sha256: Sha256,
    /// The number of customers.
    pub count: u32,
}

impl CustomerSet {
    /// The set of `records`, which ascend and name none twice.
    #[must_use]
    pub fn of(records: impl IntoIterator<Item = Record>) -> Self {
        let (mut context, mut count) = (Context::new(&SHA256), 0);
        for record in records {
            context.update(&record.0.to_be_bytes());
            count += 1;
        }
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(context.finish().as_ref());
        Self { sha256: Sha256(sha256), count }
    }
}

impl Order for VoidOrder {
    const HEADING: &'static str = "void v1";
    const NAME: &'static str = "a void order";

    fn break_glass(&self) -> Option<&str> {
        self.break_glass.as_deref()
    }

    fn until(&self) -> Option<Timestamp> {
        Some(self.until)
    }
}

/// Checks a void order and writes it to the log. For the front that carries the order out, which
/// knows no approvers itself. A fallen controller alone can't shut out all customers.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveVoidOrder {
    /// The order, signed by two approvers, or by one who breaks the glass.
    pub order: Signed<VoidOrder>,
}

impl Call for ApproveVoidOrder {
    const PATH: &'static str = "/v1/void-orders/approve";
    const PROBLEMS: &'static [ProblemType] = &[ORDER_REFUSED];
    type Answer = ();
}

/// Names the customers of an order over some: of a set that people signed, or of one person's order within
/// the limit that `accounts` holds to. `keys` refuses the void passwords itself from then on. For the
/// front that carries the order out.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoteVoidOrder {
    /// The number of the incident.
    pub incident: u32,
    /// Credentials that were set up to this instant are void.
    pub set_before: Timestamp,
    /// Sessions that were opened up to this instant are over.
    pub opened_before: Timestamp,
    /// The customers, as a Roaring bitmap in the portable serialisation.
    pub roaring: Vec<u8>,
}

impl Call for NoteVoidOrder {
    const PATH: &'static str = "/v1/void-orders/note";
    const COMPACT: bool = true;
    type Answer = ();
}
