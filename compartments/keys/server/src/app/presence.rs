//! The check that a customer is signed in at a caller, where a grant asks for it.

use cofferdam_core::{CallerName, Operation, Record, Timestamp};
use cofferdam_wire::Problem;
use keys_api::{AlarmKind, NOT_PRESENT, Presence};

use super::{App, Parties};
use crate::domain::access::Granted;
use crate::domain::presence::{self, NotPresent};
use crate::domain::release::Wanted;

impl App {
    /// Checks that grants cover a release, or that they do while the customer is signed in and the call
    /// proves it. Returns the operation that the budget and the log count.
    pub async fn check_release(
        &self,
        who: &Parties<'_>,
        wanted: &Wanted,
        presence: Option<&Presence>,
        now: Timestamp,
    ) -> Result<Operation, Problem> {
        let access = self.shared.access();
        let (domain, fields) = (wanted.domain(), wanted.fields());
        if access.release(who.caller, domain, fields) != Granted::IfPresent {
            self.check_grant(who, domain, Operation::Release, fields).await?;
            return Ok(Operation::Release);
        }
        self.check_present(who, presence, wanted.asked(), now).await?;
        Ok(Operation::ReleasePresent)
    }

    /// Checks that the customer of all of `records` is signed in at the caller or its group.
    pub async fn check_present(
        &self,
        who: &Parties<'_>,
        presence: Option<&Presence>,
        records: impl IntoIterator<Item = Record>,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let (ring, voids, access) = (self.shared.ring(), self.shared.voids(), self.shared.access());
        let group = access.policy.group(who.caller);
        match presence::check(&ring, presence, records, group, (now, &voids)) {
            Ok(()) => Ok(()),
            Err(why) => Err(self.refuse_absent(who.caller, why).await),
        }
    }

    /// Refuses a call about somebody who is not signed in. A session that ended is no reason for an alarm.
    async fn refuse_absent(&self, caller: &CallerName, why: NotPresent) -> Problem {
        if !why.is_ordinary() {
            let detail = format!("{caller} asked for a customer who is not signed in there: {why}");
            let now = self.now().await;
            self.alarms.ring(now, AlarmKind::RefusedGrant, Some(caller), detail).await;
        }
        Problem::new(NOT_PRESENT, why.to_string())
    }
}
