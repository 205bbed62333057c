//! The state that the last days of the log give at a start. The log is written before anything
//! else, so it is right even if the database was restored from an older copy.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cofferdam_core::{CallerName, Domain, Epoch, Operation, Record, Sha256, StateId, Timestamp};
use keys_api::{Entry, EpochChange, Event, JournalHead, RecordList, Ticket, WarrantId};
use roaring::RoaringBitmap;

use super::access::Access;
use super::budget::{Budgets, Charge};
use super::holds::Holds;
use super::look_ups::Sought;
use super::lowerings::{Lowerings, State};

/// A void order over everybody: the incident, the instant up to which passwords are void, and the instant
/// at which it was approved.
pub type RecalledVoid = (u32, Timestamp, Timestamp);

/// The state that the entries give so far.
pub struct Recalled {
    access: Arc<Access>,
    /// The use of budgets.
    pub budgets: Budgets,
    /// The latest instant of an entry.
    pub last: Option<Timestamp>,
    /// The records that were drawn under each warrant.
    pub drawn: BTreeMap<WarrantId, RoaringBitmap>,
    /// The erased records of each domain.
    pub erased: BTreeMap<Domain, RoaringBitmap>,
    /// The warrants that were closed.
    pub closed: BTreeSet<WarrantId>,
    /// The holds that were taken or ended.
    pub holds: Holds,
    /// The revoked keys of certificates, and the callers whose they were.
    pub revoked: BTreeMap<Sha256, CallerName>,
    /// The budgets that were lowered.
    pub lowered: Lowerings,
    /// The epochs whose master keys were destroyed.
    pub retired: BTreeSet<(Domain, Epoch)>,
    /// The newest state of each domain's compartment.
    pub states: BTreeMap<Domain, StateId>,
    /// The records that were sealed, by domain.
    pub sealed: BTreeMap<Domain, RoaringBitmap>,
    /// The number behind the last record that was sealed, by domain.
    pub numbers: BTreeMap<Domain, u32>,
    /// The void orders over everybody. The log does not name the customers of one over some.
    pub voids: Vec<RecalledVoid>,
    /// The last anchor of each journal of `response`.
    pub anchors: BTreeMap<u32, JournalHead>,
    /// The look-ups without a note.
    pub sought: BTreeMap<Ticket, Sought>,
}

impl Recalled {
    /// Starts with nothing; `access` tells how much of a use was burst.
    pub fn new(access: Arc<Access>) -> Self {
        Self {
            access,
            budgets: Budgets::default(),
            last: None,
            drawn: BTreeMap::new(),
            erased: BTreeMap::new(),
            closed: BTreeSet::new(),
            holds: Holds::default(),
            revoked: BTreeMap::new(),
            lowered: Lowerings::default(),
            retired: BTreeSet::new(),
            states: BTreeMap::new(),
            sealed: BTreeMap::new(),
            numbers: BTreeMap::new(),
            voids: Vec::new(),
            anchors: BTreeMap::new(),
            sought: BTreeMap::new(),
        }
    }

    /// Takes the next entry.
    #[expect(clippy::too_many_lines, reason = "a table: one arm for each event")]
    pub fn take(&mut self, entry: &Entry) {
        let at = entry.at;
        self.last = self.last.max(Some(at));
        match &entry.event {
            // A warrant has a count of its own, and takes no budget.
            Event::Released { warrant: Some(id), records, .. }
            | Event::Missed { warrant: Some(id), alone: true, records, .. } => {
                add(self.drawn.entry(*id).or_default(), records);
            }
            Event::Released { caller, via, operation, records, domain, .. } => {
                if *operation == Operation::Seal {
                    add(self.sealed.entry(*domain).or_default(), records);
                    self.number(*domain, records.as_slice().last());
                }
                self.spend([caller, via], *operation, at, records.as_slice().len());
            }
            // The entry does not tell which of the two took it, so it counts in both.
            Event::Missed { caller, via, alone: true, records, .. } => {
                for operation in [Operation::Release, Operation::ReleasePresent] {
                    self.spend([caller, via], operation, at, records.as_slice().len());
                }
            }
            Event::Hardened { caller, via, records } => {
                self.spend([caller, via], Operation::Harden, at, records.as_slice().len());
            }
            Event::HardenedBeside { caller, via, count } => {
                self.spend([caller, via], Operation::Harden, at, *count as usize);
            }
            // The log does not tell which resets a void order paid for, so every reset takes the budget.
            Event::Enrolled { caller, via, records, attested } => {
                let operation = if *attested { Operation::Attest } else { Operation::Enrol };
                self.spend([caller, via], operation, at, records.as_slice().len());
            }
            Event::VoidApproved { incident, set_before, .. } => {
                self.voids.push((*incident, *set_before, at));
            }
            Event::Indexed { caller, via, count } => {
                self.spend([caller, via], Operation::Index, at, *count as usize);
            }
            Event::Sought { caller, via, count, ticket } => {
                self.spend([caller, via], Operation::Index, at, *count as usize);
                let (caller, via) = (caller.clone(), via.clone());
                self.sought.insert(*ticket, Sought { caller, via, count: *count, at });
            }
            Event::Found { ticket, .. } | Event::Unanswered { ticket, .. } => {
                self.sought.remove(ticket);
            }
            Event::Erased { caller, via, domain, records } => {
                self.spend([caller, via], Operation::Erase, at, records.as_slice().len());
                add(self.erased.entry(*domain).or_default(), records);
            }
            Event::Froze { caller, frozen, .. } => {
                self.holds.freeze_before(caller, *frozen);
            }
            Event::Held { caller, hold, replaces, .. } => {
                self.holds.take(caller, *hold, replaces);
            }
            Event::LetGo { caller, hold, .. } => self.holds.end(caller, *hold),
            Event::KeyRevoked { caller, key, .. } => {
                self.revoked.insert(Sha256(*key), caller.clone());
            }
            Event::WarrantClosed { warrant, .. } => {
                self.closed.insert(*warrant);
            }
            Event::EpochChanged { domain, change: EpochChange::Retire { epoch }, .. } => {
                self.retired.insert((*domain, *epoch));
            }
            Event::BudgetLowered { caller, operation, budget, .. } => {
                self.lowered.lower_before(caller, *operation, *budget);
            }
            Event::Lowered { caller, operation, lowering, budget, replaces, .. } => {
                self.lowered.take(caller, *operation, (*lowering, *budget), replaces);
            }
            Event::Restored { caller, operation, lowering, .. } => {
                self.lowered.insert(caller, *operation, *lowering, State::Ended);
            }
            Event::StateOpened { domain, state, lost, .. } => {
                self.states.insert(*domain, *state);
                let given = lost.map(|[_, given]| Record(given.saturating_sub(1)));
                self.number(*domain, given.as_ref());
            }
            Event::JournalAnchored { journal, length, head, .. } => {
                let end = JournalHead { length: *length, head: Sha256(*head) };
                self.anchors.insert(*journal, end);
            }
            Event::Missed { alone: false, .. }
            | Event::Started
            | Event::Recovered { .. }
            | Event::WarrantOpened { .. }
            | Event::PolicyChanged { .. }
            | Event::EpochChanged { .. }
            | Event::EpochForced { .. }
            | Event::VoidOfSetApproved { .. }
            | Event::SignedIn { .. }
            | Event::VoidOrderNoted { .. } => {}
        }
    }

    /// Notes a record number that was given out.
    fn number(&mut self, domain: Domain, last: Option<&Record>) {
        if let Some(last) = last {
            let mark = self.numbers.entry(domain).or_default();
            *mark = last.0.saturating_add(1).max(*mark);
        }
    }

    /// Counts a use for the caller and for the compartment in front of it. A compartment that asked
    /// for itself is counted once.
    fn spend(
        &mut self,
        [caller, via]: [&CallerName; 2],
        operation: Operation,
        at: Timestamp,
        records: usize,
    ) {
        let via = Some(via).filter(|via| *via != caller);
        for name in [Some(caller), via].into_iter().flatten() {
            let minute = self.access.budget(name, operation).map_or(0, |budget| budget.minute);
            let charge = Charge { operation, at, records: records as u64 };
            self.budgets.record(name, charge, minute);
        }
    }
}

fn add(set: &mut RoaringBitmap, records: &RecordList) {
    set.extend(records.as_slice().iter().map(|record| record.0));
}

#[cfg(test)]
mod tests {
    use cofferdam_core::{Field, FieldSet};
    use keys_api::{Budget, CallerPolicy, LoweringId, Policy};

    use super::*;

    const NOON: &str = "2012-01-15T12:00:00Z";

    fn name(text: &str) -> CallerName {
        text.parse().unwrap()
    }

    fn records(numbers: &[u32]) -> RecordList {
        RecordList::new(numbers.iter().copied().map(Record).collect())
    }

    fn released(caller: &str, warrant: Option<WarrantId>, numbers: &[u32]) -> Event {
        Event::Released {
            caller: name(caller),
            via: name("accounts"),
            domain: Domain::Accounts,
            operation: Operation::Release,
            fields: FieldSet::EMPTY.with(Field::Name),
            epoch: Epoch(0),
            records: records(numbers),
            warrant,
        }
    }

    fn recall(events: Vec<Event>) -> Recalled {
        let budget = Budget { minute: 10, hour: 100, day: 100, burst: 5 };
        let budgets = Operation::ALL.map(|of| (of, budget)).into();
        let caller = CallerPolicy { name: name("web-1"), group: None, grants: vec![], budgets };
        let policy = Policy { version: 1, approvers: vec![], callers: vec![caller] };
        let mut recalled = Recalled::new(Arc::new(Access::new(policy, Lowerings::default())));
        for event in events {
            recalled.take(&Entry { at: NOON.parse().unwrap(), event });
        }
        recalled
    }

    #[test]
    fn uses_count_for_the_caller_and_its_front_and_once_for_a_front_itself() {
        let (caller, via) = (name("web-1"), name("accounts"));
        let hardened =
            Event::Hardened { caller: caller.clone(), via: via.clone(), records: records(&[1, 2]) };
        let indexed = Event::Indexed { caller: caller.clone(), via: via.clone(), count: 7 };
        let erased = Event::Erased {
            caller: caller.clone(),
            via: via.clone(),
            domain: Domain::Payments,
            records: records(&[9]),
        };
        let mut recalled = recall(vec![
            released("web-1", None, &[1, 2, 3]),
            released("accounts", None, &[4]),
            hardened,
            indexed,
            erased,
        ]);
        let now = NOON.parse().unwrap();
        let mut used = |who: &CallerName, of| recalled.budgets.last_hour(who, of, now);
        let operations =
            [Operation::Release, Operation::Harden, Operation::Index, Operation::Erase];
        assert_eq!(operations.map(|of| used(&caller, of)), [3, 2, 7, 1]);
        assert_eq!(operations.map(|of| used(&via, of)), [4, 2, 7, 1]);
        assert_eq!(recalled.erased, [(Domain::Payments, [9].into())].into());
        assert_eq!(recalled.last, Some(now));
    }

    #[test]
    fn what_goes_beyond_the_minute_counts_as_burst() {
        let fourteen: Vec<u32> = (0..14).collect();
        let mut recalled = recall(vec![released("web-1", None, &fourteen)]);
        let caller = name("web-1");
        let budget = Budget { minute: 10, hour: 100, day: 100, burst: 5 };
        let now: Timestamp = NOON.parse().unwrap();
        let later = now + jiff::SignedDuration::from_secs(61);
        let mut charge = |records| {
            let charge = Charge { operation: Operation::Release, at: later, records };
            recalled.budgets.charge(&[(&caller, budget)], charge)
        };
        assert!(charge(12).is_err(), "four of the burst's five are used");
        assert_eq!(charge(11), Ok(()));
    }

    #[test]
    fn a_warrant_is_drawn_and_costs_no_budget() {
        let id = WarrantId([7; 16]);
        let mut recalled = recall(vec![
            released("response-1", Some(id), &[1, 2]),
            released("response-1", Some(id), &[2, 3]),
            Event::WarrantClosed { warrant: id, by: name("response-1") },
        ]);
        assert_eq!(recalled.drawn, [(id, [1, 2, 3].into())].into());
        assert_eq!(recalled.closed, [id].into());
        let now = NOON.parse().unwrap();
        assert_eq!(recalled.budgets.last_hour(&name("response-1"), Operation::Release, now), 0);
    }

    #[test]
    fn the_last_word_on_a_caller_counts() {
        let froze = |frozen| Event::Froze {
            caller: name("web-1"),
            by: name("response-1"),
            frozen,
            reason: "test".into(),
        };
        let recalled = recall(vec![froze(true)]);
        assert!(recalled.holds.is_frozen(&name("web-1")));
        let recalled = recall(vec![froze(true), froze(false)]);
        assert!(!recalled.holds.is_frozen(&name("web-1")));
    }

    #[test]
    fn lowered_budgets_are_known_and_those_that_were_given_back() {
        let (web, release) = (name("web-1"), Operation::Release);
        let low = |day| Budget { minute: 1, hour: 1, day, burst: 0 };
        let lowered = |lowering, budget| Event::Lowered {
            caller: name("web-1"),
            operation: release,
            lowering: LoweringId(lowering),
            budget,
            replaces: vec![],
            by: name("response-1"),
            reason: "test".into(),
        };
        let restored = |lowering| Event::Restored {
            caller: name("web-1"),
            operation: release,
            lowering: LoweringId(lowering),
            approvers: vec!["ann".into()],
            reason: "test".into(),
        };
        let before = |budget| Event::BudgetLowered {
            caller: name("web-1"),
            operation: release,
            budget,
            by: name("response-1"),
            reason: "test".into(),
        };
        let in_force = |events| recall(events).lowered.budget(&web, release);
        assert_eq!(in_force(vec![lowered(1, low(5))]), Some(low(5)));
        assert_eq!(in_force(vec![lowered(1, low(5)), restored(1)]), None);
        assert_eq!(in_force(vec![restored(1), lowered(2, low(5))]), Some(low(5)));
        assert_eq!(in_force(vec![before(Some(low(5)))]), Some(low(5)));
        assert_eq!(in_force(vec![before(Some(low(5))), before(None)]), None);
        assert_eq!(in_force(vec![before(Some(low(5))), restored(0)]), None);
    }

    #[test]
    fn a_destroyed_master_key_stays_destroyed_and_a_started_epoch_is_none() {
        let approvers = ["ann".to_owned(), "bob".to_owned()];
        let changed = |change| Event::EpochChanged {
            domain: Domain::Payments,
            change,
            approvers: approvers.clone(),
        };
        let reseal_until = NOON.parse().unwrap();
        let recalled = recall(vec![
            changed(EpochChange::Start { epoch: Epoch(1), reseal_until }),
            changed(EpochChange::Retire { epoch: Epoch(0) }),
        ]);
        assert_eq!(recalled.retired, [(Domain::Payments, Epoch(0))].into());
    }
}
