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

/// The answer of a caller's grants to a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Granted {
    /// No grant covers it.
    No,
    /// Grants cover it if the customer is signed in at the caller.
    IfPresent,
    /// Grants cover it.
    Yes,
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
        let enrols = |of: &Grant| matches!(of.operation, Operation::Enrol | Operation::Attest);
        let earlier = !policy.callers.iter().flat_map(|of| &of.grants).any(enrols);
        let read = |of: &CallerPolicy| if earlier { with_enrolment(of) } else { of.clone() };
        let callers = policy.callers.iter().map(|of| (of.name.clone(), read(of))).collect();
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
        self.fields(caller, domain, operation).is_some_and(|granted| fields.is_subset(granted))
    }

    /// Judges a release of `fields` by all grants of `caller` together. A grant that asks for presence adds
    /// its fields to those of the other grants.
    pub fn release(&self, caller: &CallerName, domain: Domain, fields: FieldSet) -> Granted {
        let always = self.fields(caller, domain, Operation::Release);
        let present = self.fields(caller, domain, Operation::ReleasePresent);
        match (always, present) {
            (Some(always), _) if fields.is_subset(always) => Granted::Yes,
            (always, Some(present))
                if fields.is_subset(present.union(always.unwrap_or_default())) =>
            {
                Granted::IfPresent
            }
            _ => Granted::No,
        }
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

    /// The fields of all grants of an operation; `None` without a grant.
    fn fields(
        &self,
        caller: &CallerName,
        domain: Domain,
        operation: Operation,
    ) -> Option<FieldSet> {
        let caller = self.callers.get(caller)?;
        let grants = caller.grants.iter();
        let grants = grants.filter(|of| of.domain == domain && of.operation == operation);
        grants.map(|grant| grant.fields).reduce(FieldSet::union)
    }

    fn policy_budget(&self, caller: &CallerName, operation: Operation) -> Option<Budget> {
        self.callers.get(caller).and_then(|c| c.budgets.get(&operation)).copied()
    }
}

/// The grants and budgets of a caller by a policy from before passwords were enrolled: who might harden
/// them may enrol them and set others, as before.
fn with_enrolment(caller: &CallerPolicy) -> CallerPolicy {
    let mut caller = caller.clone();
    let hardens = |of: &&Grant| of.operation == Operation::Harden;
    let harden: Vec<_> = caller.grants.iter().filter(hardens).cloned().collect();
    let budget = caller.budgets.get(&Operation::Harden).copied();
    for operation in [Operation::Enrol, Operation::Attest] {
        caller.grants.extend(harden.iter().map(|grant| Grant { operation, ..grant.clone() }));
        caller.budgets.extend(budget.map(|budget| (operation, budget)));
    }
    caller
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
            group: None,
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
            group: None,
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
    fn a_grant_that_asks_for_presence_adds_to_those_that_do_not() {
        let grant = |operation, list: &[Field]| Grant {
            domain: Domain::Accounts,
            operation,
            fields: fields(list),
        };
        let shop = CallerPolicy {
            name: name("shop"),
            group: None,
            grants: vec![
                grant(Operation::Release, &[Field::Name]),
                grant(Operation::ReleasePresent, &[Field::Email]),
            ],
            budgets: BTreeMap::new(),
        };
        let there = CallerPolicy {
            name: name("there"),
            grants: vec![grant(Operation::ReleasePresent, &[Field::Email])],
            ..shop.clone()
        };
        let policy = Policy { version: 1, approvers: vec![], callers: vec![shop, there] };
        let access = Access::new(policy, Lowerings::default());
        for (caller, domain, list, granted) in [
            ("shop", Domain::Accounts, &[Field::Name][..], Granted::Yes),
            ("shop", Domain::Accounts, &[Field::Email], Granted::IfPresent),
            ("shop", Domain::Accounts, &[Field::Name, Field::Email], Granted::IfPresent),
            ("shop", Domain::Accounts, &[Field::Name, Field::Phone], Granted::No),
            ("shop", Domain::Payments, &[], Granted::No),
            ("there", Domain::Accounts, &[Field::Email], Granted::IfPresent),
            ("there", Domain::Accounts, &[], Granted::IfPresent),
            ("there", Domain::Accounts, &[Field::Name], Granted::No),
            ("nobody", Domain::Accounts, &[], Granted::No),
        ] {
            let found = access.release(&name(caller), domain, fields(list));
            assert_eq!(found, granted, "{caller} {domain} {list:?}");
        }
    }

    #[test]
    fn a_policy_from_before_enrolment_lets_those_enrol_who_might_harden() {
        use Operation::{Attest, Enrol, Harden, Index};
        let may = |access: &Access, operation| {
            access.allows(&name("web"), Domain::Accounts, operation, FieldSet::EMPTY)
        };
        let with = |operations: &[Operation]| {
            let grant =
                |operation| Grant { domain: Domain::Accounts, operation, fields: FieldSet::EMPTY };
            let web = CallerPolicy {
                name: name("web"),
                group: None,
                grants: operations.iter().copied().map(grant).collect(),
                budgets: [(Harden, budget(7)), (Index, budget(8))].into(),
            };
            let policy = Policy { version: 1, approvers: vec![], callers: vec![web] };
            Access::new(policy, Lowerings::default())
        };
        let before = with(&[Harden, Index]);
        for operation in [Enrol, Attest] {
            assert!(may(&before, operation));
            assert_eq!(before.budget(&name("web"), operation), Some(budget(7)));
            assert!(!may(&with(&[Index]), operation));
        }
        let now = with(&[Harden, Enrol]);
        assert!(may(&now, Enrol) && !may(&now, Attest));
        assert_eq!(now.budget(&name("web"), Attest), None);
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
            let (name_of, group, budgets) = (name("trap"), None, BTreeMap::new());
            let trap = CallerPolicy { name: name_of, group, grants, budgets };
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
