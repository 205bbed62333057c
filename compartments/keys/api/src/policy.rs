//! Who may do what, and how much of it: one document, changed as a whole by two people.

use std::collections::{BTreeMap, BTreeSet};

use cofferdam_core::{Call, CallerName, Domain, FieldSet, Operation, ProblemType};
use schemars::generate::SchemaGenerator;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use crate::problems::{ORDER_REFUSED, POLICY_OUTDATED};
use crate::signed::{ApproverKey, Order, Signed};

/// The grants and budgets of every caller, and who may change them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Grows by one with every change.
    pub version: u64,
    /// Who may sign: the next policy, warrants, rotations.
    pub approvers: Vec<ApproverKey>,
    /// What each caller may do; who is not listed may do nothing.
    pub callers: Vec<CallerPolicy>,
}

/// One caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallerPolicy {
    /// The name in its certificate.
    pub name: CallerName,
    /// What it may do.
    #[serde(default)]
    pub grants: Vec<Grant>,
    /// How much of it; an operation without a budget is refused. A front's budget bounds all
    /// its callers together.
    #[serde(default)]
    #[schemars(schema_with = "by_operation::<Budget>")]
    pub budgets: BTreeMap<Operation, Budget>,
}

/// Leave to do one operation on some fields of one domain. Harden, index and erase name no field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Where.
    pub domain: Domain,
    /// What.
    pub operation: Operation,
    /// On which fields.
    #[serde(default)]
    pub fields: FieldSet,
}

/// At most so many records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// In any 60 seconds.
    pub minute: u64,
    /// In any 60 minutes.
    pub hour: u64,
    /// In any 24 hours.
    pub day: u64,
    /// How many records beyond the minute's limit may pass in any 60 minutes; the limits of hour
    /// and day hold all the same.
    #[serde(default)]
    pub burst: u64,
}

impl Budget {
    /// In each window the lower of two.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Self {
            minute: self.minute.min(other.minute),
            hour: self.hour.min(other.hour),
            day: self.day.min(other.day),
            burst: self.burst.min(other.burst),
        }
    }

    /// In how many hours whoever holds this budget could take `records`, drawing it to the limit;
    /// `None`: never.
    #[must_use]
    pub fn hours_to_drain(&self, records: u64) -> Option<f64> {
        if records == 0 {
            return Some(0.0);
        }
        // What an hour, and a day, really give: the smaller window bounds the larger.
        let hour = self.hour.min(self.minute.saturating_mul(60).saturating_add(self.burst));
        let day = self.day.min(hour.saturating_mul(24));
        if day == 0 {
            return None;
        }
        let whole_days = (records - 1) / day;
        let rest = records - whole_days * day;
        #[expect(clippy::cast_precision_loss, reason = "an estimate for people")]
        Some(whole_days as f64 * 24.0 + rest as f64 / hour as f64)
    }
}

/// The schema of a map whose keys are operations.
pub fn by_operation<T: JsonSchema>(schemas: &mut SchemaGenerator) -> Schema {
    let mut map = schemas.subschema_for::<BTreeMap<String, T>>();
    map.insert("propertyNames".to_owned(), schemas.subschema_for::<Operation>().into());
    map
}

/// Why a policy makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the policy makes no sense: {0}")]
pub struct BadPolicy(String);

impl Policy {
    /// Says what makes no sense in it.
    pub fn check(&self) -> Result<(), BadPolicy> {
        let bad = |what: String| Err(BadPolicy(what));
        let mut names = BTreeSet::new();
        for caller in &self.callers {
            if !names.insert(&caller.name) {
                return bad(format!("the caller {} stands twice", caller.name));
            }
            for grant in &caller.grants {
                check_grant(&caller.name, grant).map_err(BadPolicy)?;
            }
        }
        let keys: BTreeSet<_> = self.approvers.iter().map(|a| &a.public_key).collect();
        let names: BTreeSet<_> = self.approvers.iter().map(|a| &a.name).collect();
        if keys.len() != self.approvers.len() || names.len() != self.approvers.len() {
            return bad("two approvers share a name or a key: it takes two people".into());
        }
        if self.approvers.len() < 2 {
            return bad("it needs two approvers at least, or nobody could change it".into());
        }
        Ok(())
    }

    /// What `caller` is granted and budgeted.
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
}

/// Reads the policy in force. For the controller.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadPolicy {}

impl Call for ReadPolicy {
    const PATH: &'static str = "/v1/policies/read";
    type Answer = Policy;
}

/// Replaces the policy: the next version, signed by two approvers of the one in force. It holds
/// at once, here and within a second at other instances.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePolicy {
    /// The next policy.
    pub policy: Signed<Policy>,
}

impl Call for ChangePolicy {
    const PATH: &'static str = "/v1/policies/change";
    const PROBLEMS: &'static [ProblemType] = &[ORDER_REFUSED, POLICY_OUTDATED];
    type Answer = ();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_says_how_long_a_drain_takes() {
        let web = Budget { minute: 600, hour: 10_000, day: 50_000, burst: 0 };
        assert_eq!(web.hours_to_drain(0), Some(0.0));
        assert_eq!(web.hours_to_drain(5_000), Some(0.5));
        // 24 million at 50,000 a day: 479 whole days, and the last 50,000 in five hours.
        assert_eq!(web.hours_to_drain(24_000_000), Some(479.0 * 24.0 + 5.0));
        let slow = Budget { minute: 1, hour: 10_000, day: 50_000, burst: 0 };
        assert_eq!(slow.hours_to_drain(60), Some(1.0), "the minute bounds the hour");
        let none = Budget { minute: 0, hour: 1, day: 1, burst: 0 };
        assert_eq!(none.hours_to_drain(1), None);
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let key = |name: &str, key: &str| ApproverKey { name: name.into(), public_key: key.into() };
        let policy = |approvers: Vec<ApproverKey>, grants: Vec<Grant>| Policy {
            version: 1,
            approvers,
            callers: vec![CallerPolicy {
                name: "web-ky-1".parse().unwrap(),
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
        for (policy, words) in [
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
