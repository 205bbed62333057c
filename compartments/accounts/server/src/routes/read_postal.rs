//! `POST /v1/contacts/postal`: name and postal address of customers, under a warrant.

use std::sync::Arc;

use accounts_api::{CustomerFields, PostalContact, ReadPostal};
use axum::extract::State;
use cofferdam_core::{Field, FieldSet};
use cofferdam_wire::{Answer, Body, Caller, Problem};

use super::read_contacts::open_under;
use crate::app::App;

const FIELDS: FieldSet =
    FieldSet::EMPTY.with(Field::Name).with(Field::BillingAddress).with(Field::ShippingAddress);

/// Reads postal addresses.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<ReadPostal>,
) -> Result<Answer<Vec<PostalContact>>, Problem> {
    let opened = open_under(&app, &caller, &call.warrant, &call.records, FIELDS).await?;
    let mut contacts: Vec<_> = opened.customers.into_iter().filter_map(postal).collect();
    contacts.sort_by_key(|contact| contact.record);
    Ok(Answer(contacts, encoding))
}

fn postal(mut customer: CustomerFields) -> Option<PostalContact> {
    let name = customer.fields.remove(&Field::Name)?;
    let billing = customer.fields.remove(&Field::BillingAddress);
    let address = billing.or_else(|| customer.fields.remove(&Field::ShippingAddress))?;
    Some(PostalContact { record: customer.record, name, address })
}
