//! The checks that calls pass: the asking compartment, the caller that it serves, the grant, and
//! the signatures. A refusal raises an alarm.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use cofferdam_core::{CallerName, Domain, Field, FieldSet, NO_SUCH_CALLER, Operation, Timestamp};
use cofferdam_wire::{Problem, ProblemType};
use keys_api::{AlarmKind, ORDER_REFUSED, Order, Signed};

use super::App;
use crate::config::Config;
use crate::domain::orders::{self, NotApproved};
use crate::log::LogError;

/// The two parties of a call: the compartment that asks, and the caller that it serves.
pub struct Parties<'a> {
    /// The identity in the certificate: the compartment in front of the data.
    pub via: &'a CallerName,
    /// The caller that this compartment serves.
    pub caller: &'a CallerName,
}

/// The callers with a special role in the configuration.
pub struct Roles {
    controller: CallerName,
    auditors: Vec<CallerName>,
    fronts: BTreeMap<Domain, CallerName>,
}

impl Roles {
    /// Reads the roles from the configuration.
    pub fn new(config: &Config) -> Self {
        Self {
            controller: config.controller.clone(),
            auditors: config.auditors.clone(),
            fronts: config.fronts.clone(),
        }
    }

    /// Whether `caller` is the controller. The controller can't be frozen, because nobody could
    /// thaw it.
    pub fn is_controller(&self, caller: &CallerName) -> bool {
        *caller == self.controller
    }

    /// Whether `caller` may read the log and the metrics.
    pub fn is_auditor(&self, caller: &CallerName) -> bool {
        self.is_controller(caller) || self.auditors.contains(caller)
    }

    /// Whether `caller` has any role, so that room is kept for its connections.
    pub fn has_role(&self, caller: &CallerName) -> bool {
        self.is_auditor(caller) || self.fronts.values().any(|front| front == caller)
    }

    /// The callers with a role, the controller aside.
    fn names(&self) -> impl Iterator<Item = &CallerName> {
        self.fronts.values().chain(&self.auditors)
    }

    /// Whether `caller` is the compartment that may ask for a domain's keys.
    pub fn is_front(&self, domain: Domain, caller: &CallerName) -> bool {
        self.fronts.get(&domain) == Some(caller)
    }
}

impl App {
    /// Whether a name is that of `keys`, of the controller or of the compartment of a domain.
    pub fn is_compartment(&self, name: &CallerName) -> bool {
        self.identity.name() == name
            || self.roles.is_controller(name)
            || self.roles.fronts.values().any(|front| front == name)
    }

    /// Checks that the controller asks.
    pub async fn check_controller(&self, caller: &CallerName, what: &str) -> Result<(), Problem> {
        if self.roles.is_controller(caller) {
            return Ok(());
        }
        Err(self.refuse_grant(caller, format!("{what} is for the controller")).await)
    }

    /// Checks that there is such a caller: the policy lists it, the configuration gives it a role, or
    /// it is frozen. An order about any other name is a mistake.
    pub fn check_known(&self, caller: &CallerName) -> Result<(), Problem> {
        let access = self.shared.access();
        let mut roles = self.roles.names();
        if access.knows(caller) || roles.any(|of| of == caller) || self.shared.is_frozen(caller) {
            return Ok(());
        }
        let listed = access.callers().map(|of| &of.name);
        let names: BTreeSet<_> = listed.chain(self.roles.names()).collect();
        let similar = caller.most_like(names.iter().copied());
        let hint = similar.map(|name| format!("; perhaps {name} is meant")).unwrap_or_default();
        let names: Vec<_> = names.into_iter().map(CallerName::as_str).collect();
        let what = format!("there is no caller {caller}{hint}; there are {}", names.join(", "));
        Err(Problem::new(NO_SUCH_CALLER, what))
    }

    /// Checks that the controller or an auditor asks.
    pub async fn check_auditor(&self, caller: &CallerName, what: &str) -> Result<(), Problem> {
        if self.roles.is_auditor(caller) {
            return Ok(());
        }
        Err(self.refuse_grant(caller, format!("{what} is for the controller and auditors")).await)
    }

    /// Checks that a compartment or an auditor asks.
    pub async fn check_role(&self, caller: &CallerName, what: &str) -> Result<(), Problem> {
        if self.roles.has_role(caller) {
            return Ok(());
        }
        Err(self.refuse_grant(caller, format!("{what} is for compartments and auditors")).await)
    }

    /// Checks that the compartment in front of `domain` asks, and that neither it nor the caller is
    /// frozen.
    pub async fn check_parties(&self, who: &Parties<'_>, domain: Domain) -> Result<(), Problem> {
        if !self.roles.is_front(domain, who.via) {
            let what = format!("keys of {domain} are given to its own compartment only");
            return Err(self.refuse_grant(who.via, what).await);
        }
        self.check_thawed(who).await
    }

    /// Checks that the compartment in front of `domain` asks. A frozen one may ask as well: this is
    /// about its own state, and gives it nothing.
    pub async fn check_front(&self, via: &CallerName, domain: Domain) -> Result<(), Problem> {
        if self.roles.is_front(domain, via) {
            return Ok(());
        }
        let what = format!("the state of {domain} is for its own compartment only");
        Err(self.refuse_grant(via, what).await)
    }

    /// Checks that neither party is frozen, by the newest orders. A route checks this again before its
    /// answer leaves: a caller that was frozen while the request waited gets nothing, although the log
    /// names it.
    pub async fn check_thawed(&self, who: &Parties<'_>) -> Result<(), Problem> {
        self.shared.check_newest()?;
        for name in [who.caller, who.via] {
            if self.shared.is_frozen(name) {
                let detail = format!("{name} keeps asking while frozen");
                let now = self.now().await;
                self.alarms.ring(now, AlarmKind::Frozen, Some(name), detail).await;
                return Err(Problem::new(ProblemType::FROZEN, format!("{name} is frozen")));
            }
        }
        Ok(())
    }

    /// Checks that the caller has a grant.
    pub async fn check_grant(
        &self,
        who: &Parties<'_>,
        domain: Domain,
        operation: Operation,
        fields: FieldSet,
    ) -> Result<(), Problem> {
        if self.shared.access().allows(who.caller, domain, operation, fields) {
            return Ok(());
        }
        let names: Vec<_> = fields.iter().map(Field::as_str).collect();
        let what = match names.as_slice() {
            [] => format!("{operation} in {domain}"),
            names => format!("{operation} of {} in {domain}", names.join(", ")),
        };
        Err(self.refuse_party(who, what).await)
    }

    /// Checks that the caller is there to report mail: its only grant is to look addresses up.
    pub async fn check_reports_mail(&self, who: &Parties<'_>) -> Result<(), Problem> {
        if self.shared.access().reports_mail(who.caller) {
            return Ok(());
        }
        let what = "reporting mail is for a caller that may look addresses up and nothing else";
        Err(self.refuse_party(who, what.to_owned()).await)
    }

    /// Checks that a compartment re-seals its own records, within the time that an order opened.
    pub async fn check_reseal(
        &self,
        who: &Parties<'_>,
        domain: Domain,
        now: Timestamp,
    ) -> Result<(), Problem> {
        if who.caller != who.via {
            let what = format!("reseal in {domain} is for its own compartment");
            return Err(self.refuse_grant(who.caller, what).await);
        }
        if self.shared.reseal_until(domain).is_none_or(|until| now >= until) {
            let what = format!("reseal in {domain} while no rotation is open");
            return Err(self.refuse_grant(who.caller, what).await);
        }
        Ok(())
    }

    /// Refuses numbers far behind those that were given out.
    pub async fn check_numbers(
        &self,
        who: &Parties<'_>,
        domain: Domain,
        upto: u32,
    ) -> Result<(), Problem> {
        if self.numbers.may_give(domain, upto).await? {
            return Ok(());
        }
        let what = format!("numbers of {domain} up to {upto}, which passes over too many");
        Err(self.refuse_party(who, what).await)
    }

    /// Refuses a call that no grant allows. If the policy does not know the caller, the alarm names
    /// the compartment, which may have made the name up.
    pub async fn refuse_party(&self, who: &Parties<'_>, what: String) -> Problem {
        let known = self.shared.access().knows(who.caller);
        let named = if known { who.caller } else { who.via };
        self.refuse_grant(named, format!("{what}, asked for {} by {}", who.caller, who.via)).await
    }

    /// Refuses a call that no grant allows, with an alarm.
    pub async fn refuse_grant(&self, caller: &CallerName, what: String) -> Problem {
        let detail = format!("{caller} has no grant: {what}");
        let now = self.now().await;
        self.alarms.ring(now, AlarmKind::RefusedGrant, Some(caller), detail.clone()).await;
        Problem::not_granted(detail)
    }

    /// Checks an order that one person may never give. Returns its two approvers.
    pub async fn check_signed<T: Order + Sync>(
        &self,
        by: &CallerName,
        signed: &Signed<T>,
    ) -> Result<[String; 2], Problem> {
        match signed.verify(&self.shared.access().policy.approvers) {
            Ok(approvers) => Ok(approvers),
            Err(e) => Err(self.refuse_order(by, e.to_string()).await),
        }
    }

    /// Checks an order. Returns its approvers: two, or one who breaks the glass, which raises an
    /// alarm.
    pub async fn check_approved<T: Order + Sync>(
        &self,
        by: &CallerName,
        signed: &Signed<T>,
    ) -> Result<Vec<String>, Problem> {
        let now = self.now().await;
        let approvers = &self.shared.access().policy.approvers;
        let approvers = match orders::approve(signed, approvers, now) {
            Ok(approvers) => approvers,
            Err(e @ NotApproved::Reason(_)) => return Err(bad_request(&e)),
            Err(e) => return Err(self.refuse_order(by, e.to_string()).await),
        };
        if let Some(reason) = signed.order.break_glass() {
            let who = approvers.join(" and ");
            let detail = format!("{who} broke the glass for {}: {reason}", T::NAME);
            self.alarms.ring(now, AlarmKind::BreakGlass, Some(by), detail).await;
        }
        Ok(approvers)
    }

    /// Refuses an order, with an alarm.
    pub async fn refuse_order(&self, by: &CallerName, why: String) -> Problem {
        let (now, detail) = (self.now().await, format!("{by}: {why}"));
        self.alarms.ring(now, AlarmKind::RefusedOrder, Some(by), detail).await;
        Problem::new(ORDER_REFUSED, why)
    }

    /// Refuses a warrant, with an alarm.
    pub async fn refuse_warrant(&self, by: &CallerName, why: String) -> Problem {
        let (now, detail) = (self.now().await, format!("{by}: {why}"));
        self.alarms.ring(now, AlarmKind::RefusedWarrant, Some(by), detail.clone()).await;
        Problem::new(ProblemType::WARRANT_REFUSED, detail)
    }
}

/// A reader may ask beyond the log's end, and a witness may bring a text that is no note. Any other
/// error of the log is the compartment's own.
impl From<LogError> for Problem {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Cosignature(_) | LogError::Beyond { .. } => bad_request(&error),
            other => Self::internal(&other),
        }
    }
}

/// A bad request, with the reason that the rule gives: the caller could have known the rule.
pub fn bad_request(error: &dyn Error) -> Problem {
    Problem::bad_request(error.to_string())
}
