//! Customers: creating, reading, finding, counting.

use std::collections::BTreeMap;

use cofferdam_core::{Call, Country, Field, FieldSet, Language, Personal, Record, Region};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a customer tells the shop. Each text has at most 500 bytes.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The name in full.
    pub name: Personal,
    /// The e-mail address, which is also the name to sign in with; no two customers share one.
    pub email: Personal,
    /// The telephone number.
    pub phone: Option<Personal>,
    /// Where bills go.
    pub billing_address: Option<Personal>,
    /// Where parcels go.
    pub shipping_address: Option<Personal>,
    /// The last four digits of the card on file.
    pub card_last4: Option<Personal>,
    /// Coarse attributes, in clear.
    pub coarse: Coarse,
}

/// What is kept in clear: enough to count people by jurisdiction and to choose a language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Coarse {
    /// The country of residence; `None` when unknown.
    pub country: Option<Country>,
    /// The state or province.
    pub region: Option<Region>,
    /// The language that the customer chose.
    pub language: Language,
    /// Whether the customer is a minor, as far as the shop knows.
    #[serde(default)]
    pub minor: bool,
}

/// Opens an account.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateCustomer {
    /// Who.
    pub profile: Profile,
    /// The password, 8 to 200 characters.
    pub password: Personal,
}

impl Call for CreateCustomer {
    const PATH: &'static str = "/v1/customers/create";
    type Answer = Record;
}

/// Reads fields of customers; each is a release in the log of `keys`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadCustomers {
    /// One to 1,000 customers, ascending, none twice.
    pub records: Vec<Record>,
    /// Which fields.
    pub fields: FieldSet,
}

/// What was read of one customer.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct CustomerFields {
    /// Who.
    pub record: Record,
    /// The fields asked for that the customer has filled.
    pub fields: BTreeMap<Field, Personal>,
}

impl Call for ReadCustomers {
    const PATH: &'static str = "/v1/customers/read";
    /// Only the customers that exist, ascending.
    type Answer = Vec<CustomerFields>;
}

/// Finds a customer by e-mail address.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FindCustomer {
    /// The address; case and surrounding blanks don't matter.
    pub email: Personal,
}

impl Call for FindCustomer {
    const PATH: &'static str = "/v1/customers/find";
    type Answer = Option<Record>;
}

/// Reads the coarse attributes of all customers, page by page. Decoys are among them: here
/// nothing tells them apart.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListCoarse {
    /// The first record number wanted.
    pub from: Record,
    /// How many at most, up to 10,000.
    pub limit: u32,
}

/// One customer in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CoarseRow {
    /// Who.
    pub record: Record,
    /// Coarse attributes.
    pub coarse: Coarse,
    /// Which fields the customer has filled.
    pub filled: FieldSet,
}

impl Call for ListCoarse {
    const PATH: &'static str = "/v1/customers/coarse";
    const COMPACT: bool = true;
    /// Ascending; empty at the end.
    type Answer = Vec<CoarseRow>;
}
