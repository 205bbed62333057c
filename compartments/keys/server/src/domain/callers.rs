//! The status of each caller in the list of callers.

use std::collections::{BTreeMap, BTreeSet};

use cofferdam_core::{Domain, Operation};
use keys_api::{CallerPolicy, CallerStatus};

use super::access::Access;

/// Makes the status of one caller. `records` has the number of records in each domain; `last_hour`
/// has the number that an operation took in the last hour.
pub fn status(
    access: &Access,
    caller: &CallerPolicy,
    frozen: bool,
    records: &BTreeMap<Domain, u64>,
    last_hour: impl Fn(Operation) -> u64,
) -> CallerStatus {
    let readable = caller.grants.iter().filter(|grant| grant.operation == Operation::Release);
    let domains: BTreeSet<_> = readable.map(|grant| grant.domain).collect();
    let records = domains.iter().filter_map(|domain| records.get(domain)).sum();
    // The budget in force may be lower than the policy's.
    let in_force =
        |operation: &Operation| Some((*operation, access.budget(&caller.name, *operation)?));
    let budgets: BTreeMap<_, _> = caller.budgets.keys().filter_map(in_force).collect();
    let release = budgets.get(&Operation::Release).filter(|_| !domains.is_empty());
    CallerStatus {
        caller: caller.name.clone(),
        frozen,
        grants: caller.grants.clone(),
        hours_to_drain: release.and_then(|budget| budget.hours_to_drain(records)),
        budgets,
        lowered: access.lowered.of(&caller.name),
        last_hour: caller.budgets.keys().map(|of| (*of, last_hour(*of))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use cofferdam_core::{Field, FieldSet};
    use keys_api::{Budget, Grant, LoweringId, Policy};

    use super::*;
    use crate::domain::lowerings::Lowerings;

    fn budget(hour: u64) -> Budget {
        Budget { minute: 1_000, hour, day: 1_000_000, burst: 0 }
    }

    fn grant(domain: Domain, operation: Operation, field: Field) -> Grant {
        Grant { domain, operation, fields: FieldSet::EMPTY.with(field) }
    }

    fn shown(grants: Vec<Grant>, lowered: Option<Budget>) -> CallerStatus {
        let name: cofferdam_core::CallerName = "web-ky-1".parse().unwrap();
        let budgets = [(Operation::Release, budget(100)), (Operation::Seal, budget(7))].into();
        let caller = CallerPolicy { name: name.clone(), group: None, grants, budgets };
        let policy = Policy { version: 1, approvers: vec![], callers: vec![caller.clone()] };
        let mut lowerings = Lowerings::default();
        if let Some(budget) = lowered {
            lowerings.take(&name, Operation::Release, (LoweringId(7), budget), &[]);
        }
        let access = Access::new(policy, lowerings);
        let records = [(Domain::Accounts, 1_000), (Domain::Payments, 500)].into();
        status(&access, &caller, true, &records, |of| if of == Operation::Seal { 3 } else { 5 })
    }

    #[test]
    fn a_status_shows_what_is_in_force_and_how_long_a_drain_takes() {
        let name = grant(Domain::Accounts, Operation::Release, Field::Name);
        let email = grant(Domain::Accounts, Operation::Release, Field::Email);
        let card = grant(Domain::Payments, Operation::Release, Field::CardMasked);
        let seal = grant(Domain::Payments, Operation::Seal, Field::CardMasked);
        let one = shown(vec![name.clone(), email, seal.clone()], None);
        assert_eq!((one.caller.as_str(), one.frozen), ("web-ky-1", true));
        assert_eq!(one.hours_to_drain, Some(10.0), "each domain counts once, and only to read");
        assert_eq!(one.budgets[&Operation::Release], budget(100));
        assert_eq!(one.last_hour, [(Operation::Release, 5), (Operation::Seal, 3)].into());
        assert_eq!(one.grants.len(), 3);
        assert_eq!(shown(vec![name.clone(), card], None).hours_to_drain, Some(15.0));
        let lower = shown(vec![name.clone()], Some(budget(50)));
        assert_eq!(lower.hours_to_drain, Some(20.0));
        let numbers: Vec<_> = lower.lowered.iter().map(|of| of.lowering.0).collect();
        assert_eq!((one.lowered.len(), numbers), (0, vec![7]));
        assert_eq!(shown(vec![name], Some(budget(0))).hours_to_drain, None);
        assert_eq!(shown(vec![seal], None).hours_to_drain, None, "it reads nothing");
    }
}
