//! Opening sealed texts: the one place where customer data is read.

use std::collections::BTreeMap;

use accounts_api::CustomerFields;
use cofferdam_core::{CallerName, Epoch, FieldSet, OpenError, Operation, Record, SealedAs};
use cofferdam_wire::Problem;
use keys_api::WarrantId;

use crate::app::App;
use crate::keys::{Released, Wanted};
use crate::store::SealedCustomer;

/// The most customers of one call.
const MAX_RECORDS: usize = 1_000;

/// What was read.
#[derive(Debug, Default)]
pub struct Opened {
    /// Ascending.
    pub customers: Vec<CustomerFields>,
    /// Withheld under a warrant: nobody lives there.
    pub decoys: Vec<Record>,
}

/// Whether a list of records may be asked for: one to 1,000, ascending, none twice.
pub fn check_records(records: &[Record]) -> Result<(), Problem> {
    if !(1..=MAX_RECORDS).contains(&records.len()) {
        return Err(Problem::bad_request(format!("name 1 to {MAX_RECORDS} records")));
    }
    if !records.is_sorted_by(|a, b| a < b) {
        return Err(Problem::bad_request("records must be ascending, none twice"));
    }
    Ok(())
}

/// Reads `fields` of those of `records` that exist. Keys are asked for exactly what is filled, so
/// that the release log names exactly what could be read.
pub async fn open(
    app: &App,
    caller: &CallerName,
    records: &[Record],
    fields: FieldSet,
    warrant: Option<WarrantId>,
) -> Result<Opened, Problem> {
    let found = app.store.sealed_customers(records).await.map_err(|e| Problem::internal(&e))?;
    let mut groups: BTreeMap<(Epoch, u16), Vec<SealedCustomer>> = BTreeMap::new();
    for customer in found {
        let fields = customer.filled().intersection(fields);
        groups.entry((customer.epoch, fields.bits())).or_default().push(customer);
    }
    let mut opened = Opened::default();
    for ((epoch, bits), customers) in groups {
        let fields = FieldSet::from_bits(bits).unwrap_or_default();
        if fields.is_empty() {
            let bare =
                |c: SealedCustomer| CustomerFields { record: c.record, fields: BTreeMap::new() };
            opened.customers.extend(customers.into_iter().map(bare));
            continue;
        }
        let records = customers.iter().map(|c| c.record).collect();
        let operation = Operation::Release;
        let epoch = Some(epoch);
        let keys =
            app.keys.release(Wanted { caller, operation, fields, epoch, records, warrant }).await?;
        opened.decoys.extend(&keys.decoys);
        let opening = tokio::task::spawn_blocking(move || open_group(&customers, fields, &keys));
        let group = opening.await.map_err(|e| Problem::internal(&e))?;
        opened.customers.extend(group.map_err(|e| Problem::internal(&e))?);
    }
    opened.customers.sort_unstable_by_key(|c| c.record);
    opened.decoys.sort_unstable();
    Ok(opened)
}

/// Opens the texts of customers that fill the same fields under the same epoch.
fn open_group(
    customers: &[SealedCustomer],
    fields: FieldSet,
    released: &Released,
) -> Result<Vec<CustomerFields>, OpenError> {
    let mut out = Vec::with_capacity(customers.len());
    for customer in customers {
        let (record, epoch) = (customer.record, released.epoch);
        let Some(keys) = released.keys.get(&record) else { continue };
        let mut texts = BTreeMap::new();
        for (field, key) in fields.iter().zip(keys) {
            let sealed = customer.sealed(field).unwrap_or_default();
            texts.insert(field, SealedAs { record, field, epoch }.open(key, sealed)?);
        }
        out.push(CustomerFields { record, fields: texts });
    }
    Ok(out)
}
