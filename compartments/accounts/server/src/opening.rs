//! Opening sealed texts: the one place where customer data is read.

use std::collections::BTreeMap;

use accounts_api::CustomerFields;
use cofferdam_core::{CallerName, Epoch, FieldSet, OpenError, Operation, Record, SealedAs};
use cofferdam_wire::Problem;
use keys_api::{KeyGroup, WarrantId};

use crate::app::App;
use crate::keys::{GroupKeys, Wanted};
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
    let found = app.store.sealed_customers(records).await?;
    let mut groups: BTreeMap<(Epoch, u16), Vec<SealedCustomer>> = BTreeMap::new();
    for customer in found {
        let fields = customer.filled().intersection(fields);
        groups.entry((customer.epoch, fields.bits())).or_default().push(customer);
    }
    let mut opened = Opened::default();
    let (bare, filled): (Vec<_>, Vec<_>) =
        groups.into_iter().partition(|((_, bits), _)| *bits == 0);
    let bare = bare.into_iter().flat_map(|(_, customers)| customers);
    let bare = bare.map(|c| CustomerFields { record: c.record, fields: BTreeMap::new() });
    opened.customers.extend(bare);
    if !filled.is_empty() {
        open_filled(app, caller, filled, warrant, &mut opened).await?;
    }
    opened.customers.sort_unstable_by_key(|c| c.record);
    opened.decoys.sort_unstable();
    Ok(opened)
}

/// Customers that fill the same fields under the same epoch.
type Group = ((Epoch, u16), Vec<SealedCustomer>);

/// One call for all groups: either every key is released and logged, or none.
async fn open_filled(
    app: &App,
    caller: &CallerName,
    groups: Vec<Group>,
    warrant: Option<WarrantId>,
    opened: &mut Opened,
) -> Result<(), Problem> {
    let wanted = groups.iter().map(|((epoch, bits), customers)| KeyGroup {
        fields: FieldSet::from_bits(*bits).unwrap_or_default(),
        epoch: Some(*epoch),
        records: customers.iter().map(|c| c.record).collect(),
    });
    let wanted =
        Wanted { caller, operation: Operation::Release, groups: wanted.collect(), warrant };
    let released = app.keys.release(wanted).await?;
    opened.decoys.extend(&released.decoys);
    let opening = cofferdam_wire::blocking(move || {
        let each = groups.iter().zip(&released.groups);
        let open = each.map(|(((_, bits), customers), keys)| {
            open_group(customers, FieldSet::from_bits(*bits).unwrap_or_default(), keys)
        });
        open.collect::<Result<Vec<_>, _>>()
    });
    let texts = opening.await?;
    opened.customers.extend(texts?.into_iter().flatten());
    Ok(())
}

/// Opens the texts of customers that fill the same fields under the same epoch.
fn open_group(
    customers: &[SealedCustomer],
    fields: FieldSet,
    released: &GroupKeys,
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
