//! Grants and budgets: a caller may do what some grant of the policy allows, and nothing else.

use std::collections::{BTreeMap, HashMap};

use cofferdam_core::{CallerName, Domain, FieldSet, Operation};
use keys_api::{Budget, CallerPolicy, Grant, Policy};

use super::lowerings::Lowerings;

/// The grants and budgets of every caller, by the policy in force.
pub struct Access {
    /// The policy in force.
    pub policy: Policy,
    callers: HashMap<CallerName, CallerPolicy>,
    /// Budgets below the policy's, until an approver gives them back.
    pub lowered: Lowerings,
}

/// A budget that can't be lowered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLowering {
    /// The policy gives the caller no budget for the operation.
    #[error("the policy gives {caller} no budget for {operation}; it has budgets for: {}", list(.has))]
    NoBudget {
        /// The caller.
        caller: CallerName,
        /// The operation without a budget.
        operation: Operation,
        /// The operations with a budget.
        has: Vec<Operation>,
    },
    /// A window is above the budget in force, and giving a budget back takes a signature.
    #[error(
        "no window may be above the budget in force: an approver signs to give a lowered budget back, \
         and two to raise the policy's"
    )]
    Raised,
}

fn list(operations: &[Operation]) -> String {
    let names: Vec<_> = operations.iter().map(|of| of.as_str()).collect();
    names.join(", ")
}

impl Access {
    /// Takes a checked policy, and the budgets that are lower than the policy's.
    pub fn new(policy: Policy, lowered: Lowerings) -> Self {
        let callers = policy.callers.iter().map(|of| (of.name.clone(), of.clone())).collect();
        Self { policy, callers, lowered }
    }

    /// Whether the policy lists `caller`.
    pub fn knows(&self, caller: &CallerName) -> bool {
        self.callers.contains_key(caller)
    }

    /// Whether `caller` may do `operation` on all of `fields`. An operation without fields needs a
    /// grant as well.
    pub fn allows(
        &self,
        caller: &CallerName,
        domain: Domain,
        operation: Operation,
        fields: FieldSet,
    ) -> bool {
        let Some(caller) = self.callers.get(caller) else { return false };
        let mut grants = caller
            .grants
            .iter()
            .filter(|grant| grant.domain == domain && grant.operation == operation)
            .peekable();
        if grants.peek().is_none() {
            return false;
        }
        fields.is_subset(grants.fold(FieldSet::EMPTY, |all, grant| all.union(grant.fields)))
    }

    /// Whether `caller` is there to report mail: it may look addresses up, and do nothing else. A
    /// caller that reads customers could report mail that never came, and hide among the callers
    /// that opened the address.
    pub fn reports_mail(&self, caller: &CallerName) -> bool {
        let Some(caller) = self.callers.get(caller) else { return false };
        let looks_up =
            |of: &Grant| (of.domain, of.operation) == (Domain::Accounts, Operation::Index);
        !caller.grants.is_empty() && caller.grants.iter().all(looks_up)
    }

    /// The budget in force: the lower of the policy's and a lowered one. A later policy does not
    /// raise a lowered budget.
    pub fn budget(&self, caller: &CallerName, operation: Operation) -> Option<Budget> {
        let policy = self.policy_budget(caller, operation)?;
        let lowered = self.lowered.budget(caller, operation);
        Some(lowered.map_or(policy, |lowered| lowered.min(policy)))
    }

    /// The budgets that count for `operation` of `caller` through `via`: the caller's own, which
    /// must exist, and the front's, if it has one.
    pub fn budgets<'a>(
        &self,
        caller: &'a CallerName,
        via: &'a CallerName,
        operation: Operation,
    ) -> Option<Vec<(&'a CallerName, Budget)>> {
        let mut budgets = vec![(caller, self.budget(caller, operation)?)];
        if via != caller {
            budgets.extend(self.budget(via, operation).map(|budget| (via, budget)));
        }
        Some(budgets)
    }

    /// Checks that `budget` is in no window above the one in force.
    pub fn check_lowering(
        &self,
        caller: &CallerName,
        operation: Operation,
        budget: Budget,
    ) -> Result<(), BadLowering> {
        let in_force =
            self.budget(caller, operation).ok_or_else(|| self.no_budget(caller, operation))?;
        if budget.min(in_force) == budget { Ok(()) } else { Err(BadLowering::Raised) }
    }

    fn no_budget(&self, caller: &CallerName, operation: Operation) -> BadLowering {
        let budgets = self.callers.get(caller).map(|of| of.budgets.keys().copied());
        let has = budgets.into_iter().flatten().collect();
        BadLowering::NoBudget { caller: caller.clone(), operation, has }
    }

    /// Every caller, by name.
    pub fn callers(&self) -> impl Iterator<Item = &CallerPolicy> {
        self.callers.iter().collect::<BTreeMap<_, _>>().into_values()
    }

    fn policy_budget(&self, caller: &CallerName, operation: Operation) -> Option<Budget> {
        self.callers.get(caller).and_then(|c| c.budgets.get(&operation)).copied()
    }
}

#[cfg(test)]
mod tests {
    use cofferdam_core::Field;
    use keys_api::LoweringId;

    use super::*;

    fn name(text: &str) -> CallerName {
        text.parse().unwrap()
    }

    fn budget(n: u64) -> Budget {
        Budget { minute: n, hour: n, day: n, burst: n }
    }

    fn fields(fields: &[Field]) -> FieldSet {
        fields.iter().copied().collect()
    }

    fn access(lowered: Option<Budget>) -> Access {
        let grant = |operation, list: &[Field]| Grant {
            domain: Domain::Accounts,
            operation,
            fields: fields(list),
        };
        let web = CallerPolicy {
            name: name("web-1"),
            grants: vec![
                grant(Operation::Release, &[Field::Name]),
                grant(Operation::Release, &[Field::Email]),
                grant(Operation::Seal, &[Field::Phone]),
                grant(Operation::Harden, &[]),
            ],
            budgets: [(Operation::Release, budget(100))].into(),
        };
        let front = CallerPolicy {
            name: name("accounts"),
            grants: vec![],
            budgets: [(Operation::Release, budget(500)), (Operation::Reseal, budget(9))].into(),
        };
        let policy = Policy { version: 1, approvers: vec![], callers: vec![web, front] };
        let mut lowerings = Lowerings::default();
        if let Some(budget) = lowered {
            let lowering = (LoweringId(1), budget);
            lowerings.take(&name("web-1"), Operation::Release, lowering, &[]);
        }
        Access::new(policy, lowerings)
    }

    #[test]
    fn nothing_is_allowed_that_no_grant_names() {
        use Operation::{Erase, Harden, Release, Seal};
        let access = access(None);
        let (accounts, payments) = (Domain::Accounts, Domain::Payments);
        for (caller, domain, operation, list, allowed) in [
            ("web-1", accounts, Release, &[Field::Name][..], true),
            ("web-1", accounts, Release, &[Field::Name, Field::Email], true),
            ("web-1", accounts, Release, &[Field::Name, Field::Phone], false),
            ("web-1", accounts, Release, &[], true),
            ("web-1", accounts, Seal, &[Field::Phone], true),
            ("web-1", accounts, Seal, &[Field::Name], false),
            ("web-1", accounts, Harden, &[], true),
            ("web-1", accounts, Erase, &[], false),
            ("web-1", payments, Release, &[Field::Name], false),
            ("web-1", payments, Harden, &[], false),
            ("accounts", accounts, Release, &[Field::Name], false),
            ("web-9", accounts, Release, &[Field::Name], false),
        ] {
            let found = access.allows(&name(caller), domain, operation, fields(list));
            assert_eq!(found, allowed, "{caller} {domain} {operation} {list:?}");
        }
        assert!(access.knows(&name("web-1")) && !access.knows(&name("web-9")));
    }

    #[test]
    fn only_a_caller_that_does_nothing_but_look_addresses_up_reports_mail() {
        let grant = |domain, operation| Grant { domain, operation, fields: FieldSet::EMPTY };
        let index = grant(Domain::Accounts, Operation::Index);
        let reads =
            Grant { fields: fields(&[Field::Name]), ..grant(Domain::Accounts, Operation::Release) };
        for (grants, reports) in [
            (vec![index.clone()], true),
            (vec![], false),
            (vec![index.clone(), reads], false),
            (vec![index.clone(), grant(Domain::Accounts, Operation::Harden)], false),
            (vec![index, grant(Domain::Payments, Operation::Index)], false),
        ] {
            let trap = CallerPolicy { name: name("trap"), grants, budgets: BTreeMap::new() };
            let policy = Policy { version: 1, approvers: vec![], callers: vec![trap] };
            let access = Access::new(policy, Lowerings::default());
            assert_eq!(access.reports_mail(&name("trap")), reports);
            assert!(!access.reports_mail(&name("nobody")));
        }
    }

    #[test]
    fn the_callers_budget_counts_and_the_fronts_beside_it() {
        let access = access(None);
        let (web, front) = (name("web-1"), name("accounts"));
        let release = access.budgets(&web, &front, Operation::Release);
        assert_eq!(release, Some(vec![(&web, budget(100)), (&front, budget(500))]));
        assert_eq!(access.budgets(&web, &front, Operation::Seal), None);
        let reseal = access.budgets(&front, &front, Operation::Reseal);
        assert_eq!(reseal, Some(vec![(&front, budget(9))]));
        let listed: Vec<_> = access.callers().map(|caller| caller.name.as_str()).collect();
        assert_eq!(listed, ["accounts", "web-1"]);
    }

    #[test]
    fn a_lowered_budget_is_below_the_policys_in_every_window() {
        let web = name("web-1");
        let low = Budget { minute: 7, hour: 900, day: 7, burst: 900 };
        let in_force = access(Some(low)).budget(&web, Operation::Release);
        assert_eq!(in_force, Some(Budget { minute: 7, hour: 100, day: 7, burst: 100 }));

        let (whole, lowered) = (access(None), access(Some(budget(10))));
        let check = |operation, budget| whole.check_lowering(&web, operation, budget);
        assert_eq!(check(Operation::Release, budget(100)), Ok(()));
        assert_eq!(check(Operation::Release, budget(0)), Ok(()));
        let raised = Budget { day: 101, ..budget(1) };
        assert_eq!(check(Operation::Release, raised), Err(BadLowering::Raised));
        // Giving back a part of a lowered budget takes a signature as well.
        for (given, checked) in [(10, Ok(())), (11, Err(BadLowering::Raised))] {
            let budget = Budget { day: given, ..budget(1) };
            assert_eq!(lowered.check_lowering(&web, Operation::Release, budget), checked);
        }
        let has = vec![Operation::Release];
        let none = BadLowering::NoBudget { caller: web.clone(), operation: Operation::Seal, has };
        let text = "the policy gives web-1 no budget for seal; it has budgets for: release";
        assert_eq!(none.to_string(), text);
        assert_eq!(check(Operation::Seal, budget(1)), Err(none));
    }
}
