//! `POST /v1/contacts/read`: name and e-mail address of customers, under a warrant.

use std::sync::Arc;

use accounts_api::{Contact, Contacts, CustomerFields, ReadContacts};
use axum::extract::State;
use cofferdam_core::{CallerName, Field, FieldSet, Record};
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{BadWarrantId, WarrantId};

use crate::app::App;
use crate::opening::{self, Opened};

const FIELDS: FieldSet = FieldSet::EMPTY.with(Field::Name).with(Field::Email);

/// Reads contacts.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<ReadContacts>,
) -> Result<Answer<Contacts>, Problem> {
    let opened = open_under(&app, &caller, &call.warrant, &call.records, FIELDS).await?;
    let contacts = opened.customers.into_iter().filter_map(contact).collect();
    Ok(Answer(Contacts { contacts, decoys: opened.decoys }, encoding))
}

/// Opens fields of customers for the controller, under a warrant.
pub async fn open_under(
    app: &App,
    caller: &CallerName,
    warrant: &str,
    records: &[Record],
    fields: FieldSet,
) -> Result<Opened, Problem> {
    app.check_controller(caller)?;
    opening::check_records(records)?;
    let warrant: WarrantId =
        warrant.parse().map_err(|e: BadWarrantId| Problem::bad_request(e.to_string()))?;
    opening::open(app, caller, records, fields, Some(warrant)).await
}

/// Everybody has a name and an address: the columns are never empty.
fn contact(mut customer: CustomerFields) -> Option<Contact> {
    let name = customer.fields.remove(&Field::Name)?;
    let email = customer.fields.remove(&Field::Email)?;
    Some(Contact { record: customer.record, name, email })
}
