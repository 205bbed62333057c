//! Customers: creating, reading, finding, listing, erasing.

use std::collections::BTreeMap;

use cofferdam_core::{
    Call, Country, CustomerNumber, Field, FieldSet, Language, Personal, ProblemType, Record, Region,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::problems::{ADDRESS_TAKEN, NO_SESSION};

/// The data that a customer gives the shop. Each text has at most 500 bytes.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The customer's full name.
    pub name: Personal,
    /// The e-mail address with which the customer signs in. No two customers share one.
    #[schemars(extend("examples" = ["ada@post.example"]))]
    pub email: Personal,
    /// The telephone number.
    #[schemars(extend("examples" = ["+44 20 7946 0958"]))]
    pub phone: Option<Personal>,
    /// The address for bills.
    #[schemars(extend("examples" = ["12 St James's Square, London SW1Y 4JH"]))]
    pub billing_address: Option<Personal>,
    /// The address for parcels.
    #[schemars(extend("examples" = ["7 Ockham Park Lane, Ockham GU23 6NQ"]))]
    pub shipping_address: Option<Personal>,
    /// The last four digits of the card on file.
    #[schemars(extend("examples" = ["4929"]))]
    pub card_last4: Option<Personal>,
    /// The attributes that are kept in clear.
    pub coarse: Coarse,
}

/// The coarse attributes, which are kept in clear: enough to count people by jurisdiction and to
/// choose a language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Coarse {
    /// The country of residence; `None` if it is unknown.
    pub country: Option<Country>,
    /// The state or province; `None` if there is none, or if it is unknown.
    pub region: Option<Region>,
    /// The language that the customer chose.
    pub language: Language,
    /// Whether the customer is a minor, as far as the shop knows.
    #[serde(default)]
    #[schemars(extend("examples" = [false]))]
    pub minor: bool,
}

/// Opens an account.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateCustomer {
    /// The data that the customer gives.
    pub profile: Profile,
    /// The password, 8 to 200 characters.
    #[schemars(extend("examples" = ["correct horse battery"]))]
    pub password: Personal,
}

impl Call for CreateCustomer {
    const PATH: &'static str = "/v1/customers/create";
    const PROBLEMS: &'static [ProblemType] = &[ADDRESS_TAKEN];
    type Answer = CustomerNumber;
}

/// Reads fields of customers; each is a release in the log of `keys`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadCustomers {
    /// The customers' numbers, 1 to 1,000, ascending, none twice.
    pub records: Vec<CustomerNumber>,
    /// The fields to read.
    pub fields: FieldSet,
    /// The token of the customer's session at this caller, whose own record is read. A caller whose grants
    /// ask that the customer be signed in reads nothing without it.
    #[serde(default)]
    #[schemars(extend("examples" = ["kq1bZ0v7X5gJm2Rr8sTt4uWw6yYz9aBc3dEf1gHi2jK"]))]
    pub session: Option<Personal>,
}

/// The fields of one customer that were read.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct CustomerFields {
    /// The customer's number.
    pub record: CustomerNumber,
    /// The requested fields that the customer has filled.
    pub fields: BTreeMap<Field, Personal>,
}

impl Call for ReadCustomers {
    const PATH: &'static str = "/v1/customers/read";
    const PROBLEMS: &'static [ProblemType] = &[NO_SESSION];
    /// Only the customers that exist, ascending.
    type Answer = Vec<CustomerFields>;
}

/// Finds a customer by e-mail address.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FindCustomer {
    /// The e-mail address. Letter case and surrounding blanks make no difference.
    #[schemars(extend("examples" = ["ada@post.example"]))]
    pub email: Personal,
}

impl Call for FindCustomer {
    const PATH: &'static str = "/v1/customers/find";
    type Answer = Option<CustomerNumber>;
}

/// Lists all customers by their coarse attributes, page by page. Decoys are among them, and nothing
/// in the list tells them apart. For the controller.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListCustomers {
    /// The record number from which the page starts.
    pub from: Record,
    /// The size of the page, 1 to 10,000.
    pub limit: u32,
}

/// A customer in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CoarseRow {
    /// The customer's record number.
    pub record: Record,
    /// The attributes that are kept in clear.
    pub coarse: Coarse,
    /// The fields that the customer has filled.
    pub filled: FieldSet,
}

impl Call for ListCustomers {
    const PATH: &'static str = "/v1/customers/list";
    const COMPACT: bool = true;
    /// Ascending; empty at the end.
    type Answer = Vec<CoarseRow>;
}

/// Erases a customer for ever. The row is deleted, and `keys` never releases the record's keys
/// again, so that the data in backups stays closed. This can't be undone.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EraseCustomer {
    /// The customer's number.
    pub record: CustomerNumber,
}

impl Call for EraseCustomer {
    const PATH: &'static str = "/v1/customers/erase";
    type Answer = ();
}
