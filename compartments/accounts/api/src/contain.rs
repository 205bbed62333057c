//! What `response` may order, and only it.

use cofferdam_core::{Call, CallerName, Personal, Record, Reseal, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Voids credentials set at or before an instant: one row, whatever the number of customers. A void
/// password opens nothing; a reset makes a new one.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderVoid {
    /// The incident.
    pub incident: u32,
    /// Credentials set at or before this are void; not in the future.
    pub set_before: Timestamp,
    /// Of whom.
    pub whose: Whose,
}

/// Whose credentials.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    /// Everybody's, which takes two people.
    Everybody {
        /// The order that they signed, in the form that `keys` takes, as JSON.
        order: String,
    },
    /// These customers', whose sessions end as well: no more than a tenth of all.
    Only {
        /// Who, as a Roaring bitmap in the portable serialisation.
        roaring: Vec<u8>,
    },
}

/// A void order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VoidOrder {
    /// Its number.
    pub order: u64,
    /// How many customers' credentials it voids.
    pub customers: u64,
    /// How long it took until it held, in seconds; counting comes after that.
    pub seconds: f64,
}

impl Call for OrderVoid {
    const PATH: &'static str = "/v1/contain/void";
    const COMPACT: bool = true;
    type Answer = VoidOrder;
}

/// Ends every session opened at or before an instant: one row.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeSessions {
    /// The incident.
    pub incident: u32,
    /// Sessions opened at or before this end; not in the future.
    pub opened_before: Timestamp,
}

impl Call for RevokeSessions {
    const PATH: &'static str = "/v1/contain/revoke";
    /// How many sessions were open and ended.
    type Answer = u64;
}

/// Refuses a caller everything from now on, or no longer.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FreezeCaller {
    /// Who.
    pub caller: CallerName,
    /// Frozen, or thawed.
    pub frozen: bool,
    /// Why, at most 500 characters.
    pub reason: String,
}

impl Call for FreezeCaller {
    const PATH: &'static str = "/v1/contain/freeze";
    type Answer = ();
}

/// Reads name and e-mail address of customers under a warrant, to write to them.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadContacts {
    /// The warrant's number, 32 hexadecimal digits.
    pub warrant: String,
    /// One to 1,000 customers, ascending, none twice.
    pub records: Vec<Record>,
}

/// Whom to write to.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Contacts {
    /// One a customer, ascending.
    pub contacts: Vec<Contact>,
    /// Records where nobody lives: never written to.
    pub decoys: Vec<Record>,
}

/// Name and address of one customer.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Contact {
    /// Who.
    pub record: Record,
    /// The name in full.
    pub name: Personal,
    /// The e-mail address.
    pub email: Personal,
}

impl Call for ReadContacts {
    const PATH: &'static str = "/v1/contacts/read";
    const COMPACT: bool = true;
    type Answer = Contacts;
}

/// Reads name and postal address of customers under a warrant, to write to those whom no e-mail
/// reaches: the billing address, or else the one that things are sent to.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadPostal {
    /// The warrant's number, 32 hexadecimal digits.
    pub warrant: String,
    /// One to 1,000 customers, ascending, none twice.
    pub records: Vec<Record>,
}

/// Name and postal address of one customer.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PostalContact {
    /// Who.
    pub record: Record,
    /// The name in full.
    pub name: Personal,
    /// The address.
    pub address: Personal,
}

impl Call for ReadPostal {
    const PATH: &'static str = "/v1/contacts/postal";
    const COMPACT: bool = true;
    /// Ascending; neither decoys nor who has no address.
    type Answer = Vec<PostalContact>;
}

/// Erases a customer for ever: the row goes, and `keys` never releases its keys again, so that
/// what backups hold of it stays closed. Can't be undone.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EraseCustomer {
    /// Who.
    pub record: Record,
}

impl Call for EraseCustomer {
    const PATH: &'static str = "/v1/customers/erase";
    type Answer = ();
}

/// How far the re-sealing of all customers under a new epoch is. For the controller.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadReseal {}

impl Call for ReadReseal {
    const PATH: &'static str = "/v1/reseal/read";
    type Answer = Reseal;
}

/// Tells that mail came to an address of a decoy's mail domain: those of our customers there are
/// few, and nobody writes to decoys but who has our list. The answer is always the same. For
/// callers that may look addresses up; the mail server's.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportMail {
    /// To whom the mail came.
    pub recipient: Personal,
}

impl Call for ReportMail {
    const PATH: &'static str = "/v1/decoys/mail";
    type Answer = ();
}
