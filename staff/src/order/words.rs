//! Descriptions of orders for the people who sign them.

use cofferdam_core::{FieldSet, WarrantSubject};
use keys_api::{CustomerSet, EpochChange, EpochOrder, Policy, VoidOrder, Warrant};

use super::difference::difference;
use crate::printable;

/// Describes a policy as TOML: the lines that differ from the policy `before`, or all lines if that is
/// `None`.
pub fn policy(policy: &Policy, before: Option<&Policy>) -> Vec<String> {
    let text = |of: &Policy| toml::to_string(of).unwrap_or_default();
    let (head, lines) = match before {
        Some(before) => (
            format!("Policy, version {}, beside version {}:", policy.version, before.version),
            difference(&text(before), &text(policy)),
        ),
        None => (
            format!("Policy, version {}:", policy.version),
            text(policy).lines().map(str::to_owned).collect(),
        ),
    };
    let lines = lines.iter().map(|line| printable(&format!("  {line}")));
    std::iter::once(head).chain(lines).collect()
}

/// Describes a warrant in one line.
pub fn warrant(order: &Warrant) -> String {
    let Warrant { subject, until, caller, records, incident, .. } = order;
    let fields = names(order.fields);
    let subject = match subject {
        WarrantSubject::Letter { letter, version } => {
            format!("letter {letter} of incident {incident}, version {version}")
        }
        WarrantSubject::PaperPost { letter } => format!(
            "postal addresses of people whom letter {letter} of incident {incident} did not reach"
        ),
    };
    printable(&format!(
        "Approve {subject}: until {until}, {caller} may read {fields} of {records} records"
    ))
}

/// Describes a void order in one line.
pub fn void(order: &VoidOrder) -> String {
    let VoidOrder { incident, set_before, until, break_glass, customers } = order;
    let (whose, sessions) = match customers {
        None => ("every customer".to_owned(), "every session".to_owned()),
        Some(CustomerSet { sha256, count }) => (
            format!("{count} customers (SHA-256 of the set {sha256})"),
            "their sessions".to_owned(),
        ),
    };
    printable(&format!(
        "Void the credentials of {whose} that were set up to {set_before}, and end {sessions}, for \
         incident {incident}; to be carried out by {until}{}",
        one_signature(break_glass.as_ref())
    ))
}

/// Describes a change of an epoch in one line.
pub fn epoch(order: &EpochOrder) -> String {
    let EpochOrder { domain, change, until, break_glass } = order;
    let alone = one_signature(break_glass.as_ref());
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

/// Describes the people who get one text of a letter: language, place, and what they are told.
#[must_use]
pub fn recipients(
    (language, jurisdiction): (&str, &str),
    lost: FieldSet,
    while_signed_in: bool,
) -> String {
    let place = format!("{language} {jurisdiction}");
    let signed_in = if while_signed_in { ", read only while signed in" } else { "" };
    format!("{}, lost {}{signed_in}", place.trim(), names(lost))
}

fn one_signature(break_glass: Option<&String>) -> String {
    let alone = |reason| format!("; ONE signature is enough, because: {reason}");
    break_glass.map_or_else(String::new, alone)
}

fn names(fields: FieldSet) -> String {
    let names: Vec<_> = fields.iter().map(|field| field.to_string()).collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}
