//! Orders in words.

use cofferdam_core::FieldSet;
use keys_api::{EpochChange, EpochOrder, Policy, Warrant};

use crate::printable;

/// A policy in full, as TOML.
pub fn policy(policy: &Policy) -> Vec<String> {
    let head = format!("Policy, version {}:", policy.version);
    let text = toml::to_string(policy).unwrap_or_default();
    let lines = text.lines().map(|line| printable(&format!("  {line}")));
    std::iter::once(head).chain(lines).collect()
}

/// A warrant in a line.
pub fn warrant(order: &Warrant) -> String {
    let Warrant { purpose, until, caller, records, .. } = order;
    let fields = names(order.fields);
    printable(&format!(
        "Approve {purpose}: until {until}, {caller} may read {fields} of {records} records"
    ))
}

/// A change of an epoch in a line.
pub fn epoch(order: &EpochOrder) -> String {
    let EpochOrder { domain, change, until, break_glass } = order;
    let alone = break_glass
        .as_ref()
        .map_or_else(String::new, |reason| format!("; ONE signature must do, since: {reason}"));
    printable(&match change {
        EpochChange::Start { epoch, reseal_until } => format!(
            "A new master key for {domain}, epoch {}; until {reseal_until} its records may be \
             re-sealed; to be carried out by {until}{alone}",
            epoch.0
        ),
        EpochChange::Retire { epoch } => format!(
            "Destroy the master key of {domain}, epoch {}: what is still sealed under it stays \
             closed for ever; to be carried out by {until}",
            epoch.0
        ),
    })
}

/// The people who get one text of a letter: their language, their place, and what they lost.
#[must_use]
pub fn recipients(language: &str, jurisdiction: &str, lost: FieldSet) -> String {
    let place = format!("{language} {jurisdiction}");
    format!("{}, lost {}", place.trim(), names(lost))
}

fn names(fields: FieldSet) -> String {
    let names: Vec<_> = fields.iter().map(|field| field.to_string()).collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}
