//! The checks that every call passes.

use cofferdam_core::{CallerName, Domain, Field, FieldSet, Operation, Record, Timestamp};
use cofferdam_wire::{Problem, ProblemType};
use keys_api::{AlarmKind, MAX_BATCH, Order, Signed};

use super::App;

/// Who asks, and for whom.
pub struct Parties<'a> {
    /// The identity of the caller: the compartment in front of the data.
    pub via: &'a CallerName,
    /// The caller that it serves.
    pub caller: &'a CallerName,
}

impl App {
    /// Only the controller may command.
    pub async fn check_controller(&self, caller: &CallerName, what: &str) -> Result<(), Problem> {
        if *caller == self.controller {
            return Ok(());
        }
        Err(self.refuse_grant(caller, format!("{what} is for the controller")).await)
    }

    /// The log and the metrics are for the controller and the auditors.
    pub async fn check_auditor(&self, caller: &CallerName, what: &str) -> Result<(), Problem> {
        if *caller == self.controller || self.auditors.contains(caller) {
            return Ok(());
        }
        Err(self.refuse_grant(caller, format!("{what} is for the controller and auditors")).await)
    }

    /// The controller can't be frozen: nobody could thaw it.
    pub fn is_controller(&self, caller: &CallerName) -> bool {
        *caller == self.controller
    }

    /// Whether `caller` is the compartment that may ask for a domain's keys.
    pub fn is_front(&self, domain: Domain, caller: &CallerName) -> bool {
        self.fronts.get(&domain) == Some(caller)
    }

    /// The call comes from the compartment in front of `domain`, and nobody in it is frozen.
    pub async fn check_parties(&self, who: &Parties<'_>, domain: Domain) -> Result<(), Problem> {
        if !self.is_front(domain, who.via) {
            let what = format!("keys of {domain} are given to its own compartment only");
            return Err(self.refuse_grant(who.via, what).await);
        }
        self.check_thawed(who).await
    }

    /// Nobody in it is frozen. Asked once more before an answer leaves: whoever was frozen while
    /// the request waited for its turn gets nothing, although the log names it.
    pub async fn check_thawed(&self, who: &Parties<'_>) -> Result<(), Problem> {
        for name in [who.caller, who.via] {
            if self.is_frozen(name) {
                let detail = format!("{name} asks on while frozen");
                let now = self.now().await;
                self.alarms.ring(now, AlarmKind::Frozen, Some(name), detail).await;
                return Err(Problem::new(ProblemType::FROZEN, format!("{name} is frozen")));
            }
        }
        Ok(())
    }

    /// The caller has a grant for this.
    pub async fn check_grant(
        &self,
        who: &Parties<'_>,
        domain: Domain,
        operation: Operation,
        fields: FieldSet,
    ) -> Result<(), Problem> {
        if self.access().allows(who.caller, domain, operation, fields) {
            return Ok(());
        }
        let names: Vec<_> = fields.iter().map(Field::as_str).collect();
        let what = match names.as_slice() {
            [] => format!("{operation} in {domain}"),
            names => format!("{operation} of {} in {domain}", names.join(", ")),
        };
        Err(self.refuse_party(who, what).await)
    }

    /// Refuses what nobody granted. A name that the policy does not know may be made up by the
    /// compartment that says it: then it rings for that.
    pub async fn refuse_party(&self, who: &Parties<'_>, what: String) -> Problem {
        let known = self.access().callers().any(|of| of.name == *who.caller);
        let named = if known { who.caller } else { who.via };
        self.refuse_grant(named, format!("{what}, asked for {} by {}", who.caller, who.via)).await
    }

    /// A compartment moves its own records, and only while two people allow it.
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
        if self.reseal_until(domain).is_none_or(|until| now >= until) {
            let what = format!("reseal in {domain} while no rotation is open");
            return Err(self.refuse_grant(who.caller, what).await);
        }
        Ok(())
    }

    /// Refuses what nobody granted, and rings.
    pub async fn refuse_grant(&self, caller: &CallerName, what: String) -> Problem {
        let detail = format!("{caller} has no grant: {what}");
        let now = self.now().await;
        self.alarms.ring(now, AlarmKind::RefusedGrant, Some(caller), detail.clone()).await;
        Problem::not_granted(detail)
    }

    /// Two approvers of the policy in force signed exactly this; their names.
    pub async fn check_signed<T: Order + Sync>(
        &self,
        by: &CallerName,
        signed: &Signed<T>,
        kind: AlarmKind,
    ) -> Result<[String; 2], Problem> {
        match signed.verify(&self.access().policy.approvers) {
            Ok(approvers) => Ok(approvers),
            Err(e) => Err(self.refuse_order(by, kind, e.to_string()).await),
        }
    }

    /// Two approvers signed exactly this and it is time for it; or one did, and says why: that
    /// rings.
    pub async fn check_approved<T: Order + Sync>(
        &self,
        by: &CallerName,
        signed: &Signed<T>,
    ) -> Result<Vec<String>, Problem> {
        let (kind, now) = (AlarmKind::RefusedOrder, self.now().await);
        if let Some(until) = signed.order.until().filter(|until| now >= *until) {
            let why = format!("the order was to be carried out until {until}");
            return Err(self.refuse_order(by, kind, why).await);
        }
        let Some(reason) = signed.order.break_glass() else {
            return Ok(self.check_signed(by, signed, kind).await?.to_vec());
        };
        let plain = !reason.chars().any(char::is_control);
        if !plain || !GLASS_REASON.contains(&reason.chars().count()) {
            let what = "breaking the glass takes a reason of 10 to 500 characters, in one line";
            return Err(Problem::bad_request(what));
        }
        let approvers = match signed.signers(&self.access().policy.approvers) {
            Ok(approvers) => approvers,
            Err(e) => return Err(self.refuse_order(by, kind, e.to_string()).await),
        };
        let who = approvers.join(" and ");
        let detail = format!("{who} broke the glass for {}: {reason}", T::HEADING);
        self.alarms.ring(now, AlarmKind::BreakGlass, Some(by), detail).await;
        Ok(approvers)
    }

    /// Refuses an order that two people should have signed, and rings.
    pub async fn refuse_order(&self, by: &CallerName, kind: AlarmKind, why: String) -> Problem {
        let now = self.now().await;
        self.alarms.ring(now, kind, Some(by), format!("{by}: {why}")).await;
        Problem::new(ProblemType::WARRANT_REFUSED, why)
    }
}

/// How long a reason for breaking the glass is, in characters.
const GLASS_REASON: std::ops::RangeInclusive<usize> = 10..=500;

/// One to [`MAX_BATCH`] items.
pub fn check_count(items: usize) -> Result<(), Problem> {
    if (1..=MAX_BATCH).contains(&items) {
        Ok(())
    } else {
        Err(Problem::bad_request(format!("a call names 1 to {MAX_BATCH} items, not {items}")))
    }
}

/// Ascending, none twice, and none that stands for nobody.
pub fn check_records(records: &[Record]) -> Result<(), Problem> {
    if !records.is_sorted_by(|a, b| a < b) {
        return Err(Problem::bad_request("records must be ascending, none twice"));
    }
    if records.last() == Some(&Record::NOBODY) {
        return Err(Problem::bad_request(format!("record {} stands for nobody", Record::NOBODY)));
    }
    Ok(())
}
