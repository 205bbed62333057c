//! Who may do what: deny by default.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use cofferdam_core::{CallerName, Domain, FieldSet, Operation};
use keys_api::Grant;

use crate::config::{BudgetConfig, Config};

/// The grants and roles of every caller.
pub struct Access {
    controller: CallerName,
    fronts: BTreeMap<Domain, CallerName>,
    callers: HashMap<CallerName, Caller>,
}

struct Caller {
    grants: Vec<Grant>,
    budgets: BTreeMap<Operation, BudgetConfig>,
}

impl Access {
    /// Takes the configuration; says what in it makes no sense.
    pub fn new(config: &Config) -> Result<Self, String> {
        let mut callers = HashMap::new();
        for caller in &config.callers {
            for grant in &caller.grants {
                check_grant(&caller.name, grant)?;
            }
            let entry = Caller { grants: caller.grants.clone(), budgets: caller.budgets.clone() };
            if callers.insert(caller.name.clone(), entry).is_some() {
                return Err(format!("the caller {} stands twice", caller.name));
            }
        }
        let keys: BTreeSet<_> = config.approvers.iter().map(|a| &a.public_key).collect();
        let names: BTreeSet<_> = config.approvers.iter().map(|a| &a.name).collect();
        if keys.len() != config.approvers.len() || names.len() != config.approvers.len() {
            return Err("two approvers share a name or a key: a warrant takes two people".into());
        }
        Ok(Self { controller: config.controller.clone(), fronts: config.fronts.clone(), callers })
    }

    /// Whether `caller` may command: freeze, open warrants, read log and alarms.
    pub fn is_controller(&self, caller: &CallerName) -> bool {
        *caller == self.controller
    }

    /// Whether `caller` is the compartment that may ask for a domain's keys.
    pub fn is_front(&self, domain: Domain, caller: &CallerName) -> bool {
        self.fronts.get(&domain) == Some(caller)
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

    /// The budgets that count for `operation` of `caller` through `via`: the caller's own, which
    /// it must have, and the front's, if it has one.
    pub fn budgets<'a>(
        &self,
        caller: &'a CallerName,
        via: &'a CallerName,
        operation: Operation,
    ) -> Option<Vec<(&'a CallerName, BudgetConfig)>> {
        let of = |name| self.callers.get(name).and_then(|c| c.budgets.get(&operation)).copied();
        let mut budgets = vec![(caller, of(caller)?)];
        if via != caller {
            budgets.extend(of(via).map(|budget| (via, budget)));
        }
        Some(budgets)
    }

    /// Every caller, with grants and budgets, by name.
    pub fn callers(
        &self,
    ) -> impl Iterator<Item = (&CallerName, &[Grant], &BTreeMap<Operation, BudgetConfig>)> {
        let sorted: BTreeMap<_, _> = self.callers.iter().collect();
        sorted.into_iter().map(|(name, c)| (name, c.grants.as_slice(), &c.budgets))
    }
}

fn check_grant(caller: &CallerName, grant: &Grant) -> Result<(), String> {
    let Grant { domain, operation, fields } = grant;
    if let Some(field) = fields.iter().find(|field| field.domain() != *domain) {
        return Err(format!("{caller} is granted {field} in {domain}, which does not hold it"));
    }
    match operation {
        Operation::Release | Operation::Seal if fields.is_empty() => {
            Err(format!("{caller} is granted {operation} in {domain} without a field"))
        }
        Operation::Harden | Operation::Index if !fields.is_empty() => {
            Err(format!("{caller} is granted {operation} with fields; it takes none"))
        }
        _ => Ok(()),
    }
}
