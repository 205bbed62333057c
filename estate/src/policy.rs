//! The first policy of a new estate: the grants and budgets of each example caller.

use cofferdam_core::{Domain, Field, FieldSet, Operation};
use keys_api::{ApproverKey, Budget, CallerPolicy, Grant, Policy};

use crate::plan::{ORDINARY, caller, identity};
use crate::{Compartment, Plan};

/// The budget for bringing in every customer and card.
const LOADING: Budget = Budget { minute: 2_000_000, hour: 50_000_000, day: 50_000_000, burst: 0 };
/// The budget for moving every record to a new epoch. Each record is charged twice, for the old key
/// and for the new one.
const RESEALING: Budget =
    Budget { minute: 6_000_000, hour: 100_000_000, day: 200_000_000, burst: 0 };

/// The budget of a shop's server for passwords that are set with reset codes. A void order raises it.
const RESETS: Budget = Budget { minute: 60, hour: 600, day: 3_000, burst: 0 };
/// The budget of the server that prints the labels of a day's parcels, in batches.
const SHIPPING: Budget = Budget { minute: 600, hour: 3_000, day: 10_000, burst: 0 };
/// The budget of the people who help customers: nobody opens many customers a minute.
const SUPPORT: Budget = Budget { minute: 20, hour: 200, day: 1_000, burst: 0 };

/// The group of the servers at which customers sign in: a session is good at each of them.
const WEB: &str = "web";

/// The fields that app servers show. They show neither billing addresses nor cards.
const SHOWN: [Field; 5] =
    [Field::Name, Field::Email, Field::Phone, Field::ShippingAddress, Field::CardLast4];

/// Makes the first policy.
pub fn first(plan: &Plan, approvers: Vec<ApproverKey>) -> Policy {
    let callers = vec![
        app_server("web-ky-1", plan),
        app_server("web-ky-2", plan),
        checkout_server("checkout-1"),
        payment_forwarder("processor-1"),
        importer("import-1"),
        back_office("shipping-1", &[Field::Name, Field::Phone, Field::ShippingAddress], SHIPPING),
        back_office("support-1", &[Field::Name, Field::Email, Field::Phone], SUPPORT),
        mail_trap("mail-trap-1"),
        resealing(Compartment::Accounts),
        resealing(Compartment::Payments),
        brought_table(Compartment::Response),
    ];
    Policy { version: 1, approvers, callers }
}

/// A server at which customers sign in. It sees the data of those who are there.
fn app_server(name: &str, plan: &Plan) -> CallerPolicy {
    let release = if plan.presence { Operation::ReleasePresent } else { Operation::Release };
    CallerPolicy {
        name: caller(name),
        group: Some(caller(WEB)),
        grants: vec![
            customers(release, &SHOWN),
            customers(Operation::Seal, &profile()),
            customers(Operation::Harden, &[]),
            customers(Operation::Enrol, &[]),
            customers(Operation::Attest, &[]),
            customers(Operation::Index, &[]),
        ],
        budgets: [
            (release, plan.web_release),
            (Operation::Seal, ORDINARY),
            (Operation::Harden, ORDINARY),
            (Operation::Enrol, ORDINARY),
            (Operation::Attest, RESETS),
            (Operation::Index, ORDINARY),
        ]
        .into(),
    }
}

/// A server behind which people of the shop work. It opens customers who are not there, so its grants and
/// its budget are narrow.
fn back_office(name: &str, fields: &[Field], release: Budget) -> CallerPolicy {
    CallerPolicy {
        name: caller(name),
        group: None,
        grants: vec![customers(Operation::Release, fields), customers(Operation::Index, &[])],
        budgets: [Operation::Release, Operation::Index].map(|of| (of, release)).into(),
    }
}

/// A caller that stores cards. It sees only the last digits of a stored card.
fn checkout_server(name: &str) -> CallerPolicy {
    let whole = [Field::CardNumber, Field::CardExpiry, Field::CardMasked];
    CallerPolicy {
        name: caller(name),
        group: Some(caller(WEB)),
        grants: vec![
            cards(Operation::Seal, &whole),
            cards(Operation::Release, &[Field::CardMasked, Field::CardExpiry]),
        ],
        budgets: [(Operation::Release, ORDINARY), (Operation::Seal, LOADING)].into(),
    }
}

/// A caller that forwards payments to the processor. No other caller gets a full card.
fn payment_forwarder(name: &str) -> CallerPolicy {
    CallerPolicy {
        name: caller(name),
        group: None,
        grants: vec![cards(Operation::Release, &[Field::CardNumber, Field::CardExpiry])],
        budgets: [(Operation::Release, ORDINARY)].into(),
    }
}

/// A caller that brings customers in.
fn importer(name: &str) -> CallerPolicy {
    CallerPolicy {
        name: caller(name),
        group: None,
        grants: vec![
            customers(Operation::Seal, &profile()),
            customers(Operation::Enrol, &[]),
            customers(Operation::Index, &[]),
        ],
        budgets: [Operation::Seal, Operation::Enrol, Operation::Index]
            .map(|operation| (operation, LOADING))
            .into(),
    }
}

/// A caller that reports the mail for decoys. It looks addresses up and reads no customer.
fn mail_trap(name: &str) -> CallerPolicy {
    CallerPolicy {
        name: caller(name),
        group: None,
        grants: vec![customers(Operation::Index, &[])],
        budgets: [(Operation::Index, ORDINARY)].into(),
    }
}

/// A compartment that moves its own records to a new epoch while an order of two people allows it.
fn resealing(compartment: Compartment) -> CallerPolicy {
    CallerPolicy {
        name: identity(compartment),
        group: None,
        grants: Vec::new(),
        budgets: [(Operation::Reseal, RESEALING)].into(),
    }
}

/// The compartment that seals the contacts of a brought table. It reads them only under warrants.
fn brought_table(compartment: Compartment) -> CallerPolicy {
    let contacts = [Field::BroughtName, Field::BroughtEmail, Field::BroughtAddress];
    CallerPolicy {
        name: identity(compartment),
        group: None,
        grants: vec![Grant {
            domain: Domain::Response,
            operation: Operation::Seal,
            fields: contacts.into_iter().collect(),
        }],
        budgets: [(Operation::Seal, LOADING)].into(),
    }
}

/// The fields that app servers and importers store.
fn profile() -> Vec<Field> {
    SHOWN.into_iter().chain([Field::BillingAddress]).collect()
}

fn customers(operation: Operation, fields: &[Field]) -> Grant {
    let fields: FieldSet = fields.iter().copied().collect();
    Grant { domain: Domain::Accounts, operation, fields }
}

fn cards(operation: Operation, fields: &[Field]) -> Grant {
    let fields: FieldSet = fields.iter().copied().collect();
    Grant { domain: Domain::Payments, operation, fields }
}
