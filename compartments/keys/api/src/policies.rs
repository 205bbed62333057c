//! The policy: the grants and budgets of each caller. It is one document, which two people change
//! as a whole.

use std::collections::{BTreeMap, BTreeSet};

use cofferdam_core::{Call, CallerName, Domain, FieldSet, Operation, ProblemType};
use schemars::generate::SchemaGenerator;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use crate::budgets::Budget;
use crate::problems::{ORDER_REFUSED, POLICY_OUTDATED};
use crate::signed::{ApproverKey, Order, Signed};

/// The grants and budgets of every caller, and the approvers who may change them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The version, which grows by one with every change.
    pub version: u64,
    /// The people who may sign the next policy, warrants and other orders.
    pub approvers: Vec<ApproverKey>,
    /// The callers. A caller that is not listed may do nothing.
    pub callers: Vec<CallerPolicy>,
}

/// The grants and budgets of one caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallerPolicy {
    /// The name in the caller's certificate.
    pub name: CallerName,
    /// The group of callers with which it shares sessions, such as the web servers behind one balancer.
    /// Without one, it shares them with nobody. The name is no caller's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<CallerName>,
    /// The operations that it may do.
    #[serde(default)]
    pub grants: Vec<Grant>,
    /// The most records that it may touch, by operation. An operation without a budget is refused.
    /// The budget of a front bounds all its callers together.
    #[serde(default)]
    #[schemars(schema_with = "by_operation::<Budget>")]
    pub budgets: BTreeMap<Operation, Budget>,
}

/// A grant: one operation on some fields of one domain. Release, seal and reseal name fields, and no
/// other operation does. A customer is present in the domain of accounts only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The domain of the fields.
    pub domain: Domain,
    /// The operation that is allowed.
    pub operation: Operation,
    /// The fields, all of the domain.
    #[serde(default)]
    pub fields: FieldSet,
}

/// The schema of a map whose keys are operations.
pub fn by_operation<T: JsonSchema>(schemas: &mut SchemaGenerator) -> Schema {
    let mut map = schemas.subschema_for::<BTreeMap<String, T>>();
    map.insert("propertyNames".to_owned(), schemas.subschema_for::<Operation>().into());
    map
}

/// A policy that contradicts itself or names something that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the policy makes no sense: {0}")]
pub struct BadPolicy(String);

impl Policy {
    /// Checks the policy for contradictions, because nobody would notice a grant of a field that
    /// the domain does not hold.
    pub fn check(&self) -> Result<(), BadPolicy> {
        let bad = |what: String| Err(BadPolicy(what));
        let mut names = BTreeSet::new();
        for caller in &self.callers {
            if !names.insert(&caller.name) {
                return bad(format!("the caller {} is listed twice", caller.name));
            }
            for grant in &caller.grants {
                check_grant(&caller.name, grant).map_err(BadPolicy)?;
            }
        }
        if let Some(of) =
            self.callers.iter().find(|of| of.group.as_ref().is_some_and(|g| names.contains(g)))
        {
            return bad(format!("the group of {} has the name of a caller", of.name));
        }
        let keys: BTreeSet<_> = self.approvers.iter().map(|of| &of.public_key).collect();
        let names: BTreeSet<_> = self.approvers.iter().map(|of| &of.name).collect();
        if keys.len() != self.approvers.len() || names.len() != self.approvers.len() {
            return bad("two approvers share a name or a key: orders need two people".into());
        }
        if self.approvers.len() < 2 {
            return bad("a policy needs two approvers at least, or nobody could change it".into());
        }
        Ok(())
    }

    /// The group of a caller: its own name if it shares sessions with nobody.
    #[must_use]
    pub fn group<'a>(&'a self, caller: &'a CallerName) -> &'a CallerName {
        self.caller(caller).and_then(|of| of.group.as_ref()).unwrap_or(caller)
    }

    /// The grants and budgets of a caller.
    #[must_use]
    pub fn caller(&self, caller: &CallerName) -> Option<&CallerPolicy> {
        self.callers.iter().find(|of| of.name == *caller)
    }
}

fn check_grant(caller: &CallerName, grant: &Grant) -> Result<(), String> {
    let Grant { domain, operation, fields } = grant;
    if let Some(field) = fields.iter().find(|field| field.domain() != *domain) {
        return Err(format!("{caller} is granted {field} in {domain}, which does not hold it"));
    }
    if *operation == Operation::ReleasePresent && *domain != Domain::Accounts {
        return Err(format!("{caller} is granted {operation} in {domain}, where nobody signs in"));
    }
    if *operation == Operation::Miss {
        return Err(format!("{caller} is granted {operation}, which comes with other operations"));
    }
    if operation.names_fields() && fields.is_empty() {
        return Err(format!("{caller} is granted {operation} in {domain} without a field"));
    }
    if !operation.names_fields() && !fields.is_empty() {
        return Err(format!("{caller} is granted {operation} with fields; it takes none"));
    }
    Ok(())
}

impl Order for Policy {
    const HEADING: &'static str = "policy v1";
    const NAME: &'static str = "the policy";
}

/// Reads the policy in force. For the controller.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadPolicy {}

impl Call for ReadPolicy {
    const PATH: &'static str = "/v1/policies/read";
    type Answer = Policy;
}

/// Replaces the policy in force. The new one holds at once at this instance, and within a second at
/// others.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePolicy {
    /// The next version, signed by two approvers of the policy in force.
    pub policy: Signed<Policy>,
}

impl Call for ChangePolicy {
    const PATH: &'static str = "/v1/policies/change";
    const ONCE: bool = true;
    const PROBLEMS: &'static [ProblemType] = &[ORDER_REFUSED, POLICY_OUTDATED];
    type Answer = ();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_is_named() {
        let key = |name: &str, key: &str| ApproverKey { name: name.into(), public_key: key.into() };
        let policy = |approvers: Vec<ApproverKey>, grants: Vec<Grant>| Policy {
            version: 1,
            approvers,
            callers: vec![CallerPolicy {
                name: "web-ky-1".parse().unwrap(),
                group: None,
                grants,
                budgets: BTreeMap::new(),
            }],
        };
        let two = || vec![key("ann", "A"), key("bob", "B")];
        let grant = |fields: &str| -> Grant {
            serde_json::from_str(&format!(
                r#"{{"domain":"accounts","operation":"release","fields":[{fields}]}}"#
            ))
            .unwrap()
        };
        let says = |policy: Policy| policy.check().map_err(|e| e.to_string());
        assert_eq!(says(policy(two(), vec![grant("\"name\"")])), Ok(()));
        let miss = Grant { operation: Operation::Miss, ..grant("\"name\"") };
        for (policy, words) in [
            (policy(two(), vec![miss]), "comes with other operations"),
            (policy(two(), vec![grant("")]), "without a field"),
            (policy(two(), vec![grant("\"card_number\"")]), "does not hold it"),
            (policy(vec![key("ann", "A"), key("bob", "A")], vec![]), "share"),
            (policy(vec![key("ann", "A")], vec![]), "two approvers"),
        ] {
            let said = says(policy).unwrap_err();
            assert!(said.contains(words), "{said}");
        }
    }
}
