//! Reading customers: the only place where their sealed texts are opened.

use std::collections::{BTreeMap, HashSet};

use cofferdam_core::{CallerName, Field, FieldSet, Personal, Record};
use cofferdam_wire::{Problem, blocking};
use keys_api::{NOT_PRESENT, WarrantId};
use keys_client::{Allowed, Asked, FieldKeys, SealedRecord, VaultError};

use crate::app::{App, bad_request};
use crate::domain::batch::check_records;
use crate::session::no_session;
use crate::store::SealedCustomer;

/// The customers that were read.
#[derive(Debug, Default)]
pub struct Opened {
    /// The customers, ascending.
    pub customers: Vec<OpenedCustomer>,
    /// The records that were withheld under a warrant, ascending. They are decoys.
    pub decoys: Vec<Record>,
}

/// A customer with the fields that were asked for and are filled.
#[derive(Debug)]
pub struct OpenedCustomer {
    /// The customer's record.
    pub record: Record,
    /// The texts in clear.
    pub fields: BTreeMap<Field, Personal>,
}

/// Reads `fields` of those of `records` that exist. It asks for the keys of filled fields only, and
/// names what is unset and what does not exist, so that the release log tells exactly what could be
/// read, and what the caller learns without reading.
pub async fn read(
    app: &App,
    caller: &CallerName,
    records: &[Record],
    fields: FieldSet,
    allowed: Allowed,
) -> Result<Opened, Problem> {
    let found = app.store.sealed_customers(records).await?;
    let stored = |of: &SealedCustomer| {
        let filled = of.filled().intersection(fields);
        let sealed = SealedRecord { record: of.record, epoch: of.epoch, fields: filled };
        Asked::Stored(sealed, fields.without(filled))
    };
    let existing: HashSet<_> = found.iter().map(|of| of.record).collect();
    let missing = records.iter().filter(|record| !existing.contains(*record));
    let missing = missing.map(|record| Asked::Missing(*record, fields));
    let wanted: Vec<_> = found.iter().map(stored).chain(missing).collect();
    let keys = app.vault.keys_to_read(caller, wanted, allowed).await.map_err(refused)?;
    let decoys = keys.decoys().to_vec();
    let customers = blocking(move || {
        let not_withheld = found.iter().filter_map(|of| Some((of, keys.get(of.record)?)));
        not_withheld.map(|(of, keys)| open(of, fields, keys)).collect::<Result<Vec<_>, _>>()
    });
    Ok(Opened { customers: customers.await??, decoys })
}

/// The refusal of `keys`. To the caller, a customer who is not present is one without a session.
fn refused(error: VaultError) -> Problem {
    if error.is(NOT_PRESENT) { no_session() } else { error.into() }
}

/// Reads fields of customers for the controller, under a warrant.
pub async fn read_under_warrant(
    app: &App,
    caller: &CallerName,
    warrant: &str,
    records: &[Record],
    fields: FieldSet,
) -> Result<Opened, Problem> {
    app.check_controller(caller)?;
    check_records(records).map_err(|e| bad_request(&e))?;
    let warrant: WarrantId = warrant.parse().map_err(|e| bad_request(&e))?;
    read(app, caller, records, fields, Allowed::ByWarrant(warrant)).await
}

fn open(
    customer: &SealedCustomer,
    fields: FieldSet,
    keys: &FieldKeys,
) -> Result<OpenedCustomer, VaultError> {
    let wanted = customer.sealed.iter().filter(|(field, _)| fields.contains(**field));
    let texts = wanted.map(|(field, sealed)| Ok((*field, keys.open(*field, sealed)?)));
    let fields = texts.collect::<Result<BTreeMap<_, _>, VaultError>>()?;
    Ok(OpenedCustomer { record: customer.record, fields })
}
