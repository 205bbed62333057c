//! Who may do what: deny by default.

use std::collections::{BTreeMap, HashMap};

use cofferdam_core::{CallerName, Domain, FieldSet, Operation};
use keys_api::{Budget, CallerPolicy, Policy};

/// The grants and budgets of every caller, as the policy in force has them.
pub struct Access {
    /// The policy.
    pub policy: Policy,
    callers: HashMap<CallerName, CallerPolicy>,
    /// Below the policy's, while an incident lasts.
    lowered: HashMap<(CallerName, Operation), Budget>,
}

impl Access {
    /// Takes a policy that was checked, and what is lower than it says for now.
    pub fn new(policy: Policy, lowered: HashMap<(CallerName, Operation), Budget>) -> Self {
        let callers = policy.callers.iter().map(|of| (of.name.clone(), of.clone())).collect();
        Self { policy, callers, lowered }
    }

    /// Whether `caller` may do `operation` on all of `fields`.
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

    /// The budget of a caller for an operation, as the policy has it.
    pub fn policy_budget(&self, caller: &CallerName, operation: Operation) -> Option<Budget> {
        self.callers.get(caller).and_then(|c| c.budgets.get(&operation)).copied()
    }

    /// The budget that holds: the lower of the policy's and a lowered one, so that a later policy
    /// does not raise by the way what somebody lowered.
    pub fn budget(&self, caller: &CallerName, operation: Operation) -> Option<Budget> {
        let policy = self.policy_budget(caller, operation)?;
        let lowered = self.lowered.get(&(caller.clone(), operation));
        Some(lowered.map_or(policy, |lowered| lowered.min(policy)))
    }

    /// The budgets that count for `operation` of `caller` through `via`: the caller's own, which
    /// it must have, and the front's, if it has one.
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

    /// Every caller, by name.
    pub fn callers(&self) -> impl Iterator<Item = &CallerPolicy> {
        self.callers.iter().collect::<BTreeMap<_, _>>().into_values()
    }
}
