//! The check that a customer is signed in at a caller, where a grant asks for it.

use cofferdam_core::{CallerName, Operation, Timestamp};
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
        let (ring, voids) = (self.shared.ring(), self.shared.voids());
        let group = access.policy.group(who.caller);
        match presence::check(&ring, presence, wanted.asked(), group, (now, &voids)) {
            Ok(()) => Ok(Operation::ReleasePresent),
            Err(why) => Err(self.refuse_absent(who.caller, why).await),
        }
    }

    /// Refuses a release of somebody who is not signed in. A session that ended is no reason for an alarm.
    async fn refuse_absent(&self, caller: &CallerName, why: NotPresent) -> Problem {
        if !why.is_ordinary() {
            let detail = format!("{caller} asked for a customer who is not signed in there: {why}");
            let now = self.now().await;
            self.alarms.ring(now, AlarmKind::RefusedGrant, Some(caller), detail).await;
        }
        Problem::new(NOT_PRESENT, why.to_string())
    }
}
