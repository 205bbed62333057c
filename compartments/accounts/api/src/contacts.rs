//! Names and addresses, to write to customers under a warrant.

use cofferdam_core::{Call, Personal, Record};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Reads name and e-mail address of customers under a warrant. For the controller.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadContacts {
    /// The warrant's number, 32 hexadecimal digits.
    #[schemars(extend("examples" = ["430982b7477d2b35b1089781d38edf88"]))]
    pub warrant: String,
    /// The customers, 1 to 1,000, ascending, none twice.
    pub records: Vec<Record>,
}

/// The customers to write to.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Contacts {
    /// The contacts of those customers that exist, ascending.
    pub contacts: Vec<Contact>,
    /// The records that are decoys, ascending. Nobody writes to them.
    pub decoys: Vec<Record>,
}

/// Name and e-mail address of one customer.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Contact {
    /// The customer's record number.
    pub record: Record,
    /// The customer's full name.
    pub name: Personal,
    /// The customer's e-mail address.
    #[schemars(extend("examples" = ["ada@post.example"]))]
    pub email: Personal,
}

impl Call for ReadContacts {
    const PATH: &'static str = "/v1/contacts/read";
    const COMPACT: bool = true;
    type Answer = Contacts;
}

/// Reads name and postal address of customers under a warrant, for paper post. The address is the
/// billing address, or else the shipping address. For the controller.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadPostalContacts {
    /// The warrant's number, 32 hexadecimal digits.
    #[schemars(extend("examples" = ["430982b7477d2b35b1089781d38edf88"]))]
    pub warrant: String,
    /// The customers, 1 to 1,000, ascending, none twice.
    pub records: Vec<Record>,
}

/// Name and postal address of one customer.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PostalContact {
    /// The customer's record number.
    pub record: Record,
    /// The customer's full name.
    pub name: Personal,
    /// The customer's postal address.
    #[schemars(extend("examples" = ["12 St James's Square, London SW1Y 4JH"]))]
    pub address: Personal,
}

impl Call for ReadPostalContacts {
    const PATH: &'static str = "/v1/postal-contacts/read";
    const COMPACT: bool = true;
    /// Ascending, without decoys and without customers who have no address.
    type Answer = Vec<PostalContact>;
}
