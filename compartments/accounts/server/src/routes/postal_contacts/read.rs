//! `POST /v1/postal-contacts/read`: name and postal address of customers, under a warrant.

use std::sync::Arc;

use accounts_api::{PostalContact, ReadPostalContacts};
use axum::extract::State;
use cofferdam_core::{Field, FieldSet};
use cofferdam_wire::{Answer, Body, Caller, Problem};

use crate::app::App;
use crate::reading::{OpenedCustomer, read_under_warrant};

const FIELDS: FieldSet =
    FieldSet::EMPTY.with(Field::Name).with(Field::BillingAddress).with(Field::ShippingAddress);

/// Reads postal contacts under a warrant.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<ReadPostalContacts>,
) -> Result<Answer<Vec<PostalContact>>, Problem> {
    let opened = read_under_warrant(&app, &caller, &call.warrant, &call.records, FIELDS).await?;
    let contacts = opened.customers.into_iter().filter_map(postal_contact);
    Ok(Answer(contacts.collect(), encoding))
}

/// The postal contact of a customer. The billing address comes before the shipping address.
fn postal_contact(mut customer: OpenedCustomer) -> Option<PostalContact> {
    let name = customer.fields.remove(&Field::Name)?;
    let billing = customer.fields.remove(&Field::BillingAddress);
    let address = billing.or_else(|| customer.fields.remove(&Field::ShippingAddress))?;
    Some(PostalContact { record: customer.record, name, address })
}
