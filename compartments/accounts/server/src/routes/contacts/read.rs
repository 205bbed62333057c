//! `POST /v1/contacts/read`: name and e-mail address of customers, under a warrant.

use std::sync::Arc;

use accounts_api::{Contact, Contacts, ReadContacts};
use axum::extract::State;
use cofferdam_core::{Field, FieldSet};
use cofferdam_wire::{Answer, Body, Caller, Problem};

use crate::app::App;
use crate::reading::{OpenedCustomer, read_under_warrant};

const FIELDS: FieldSet = FieldSet::EMPTY.with(Field::Name).with(Field::Email);

/// Reads contacts under a warrant.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<ReadContacts>,
) -> Result<Answer<Contacts>, Problem> {
    let opened = read_under_warrant(&app, &caller, &call.warrant, &call.records, FIELDS).await?;
    let contacts = opened.customers.into_iter().filter_map(contact).collect();
    Ok(Answer(Contacts { contacts, decoys: opened.decoys }, encoding))
}

/// The contact of a customer. Name and address are never empty.
fn contact(mut customer: OpenedCustomer) -> Option<Contact> {
    let name = customer.fields.remove(&Field::Name)?;
    let email = customer.fields.remove(&Field::Email)?;
    Some(Contact { record: customer.record, name, email })
}
