//! For any sequence of freezes, thaws, budgets and revoked keys over several incidents, by honest and
//! dishonest staff, a stolen certificate of `response`, two instances of `response` that race, and
//! backups that are put back: what is claimed holds, and nobody thaws what another incident holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cofferdam_core::{Operation, SeededRng, Sha256, Timestamp};
use jiff::SignedDuration;
use keys_api::{
    ApproverKey, ApproverSecret, Budget, Entry, Event, LoweringId, Policy, Signature, Signed,
};
use proptest::prelude::*;

use super::*;
use crate::domain::access::Access;
use crate::domain::lowerings::{Lowerings, State};
use crate::domain::orders::approve;
use crate::domain::recall::Recalled;

const CALLERS: [&str; 2] = ["web-1", "web-2"];
const INSTANCES: usize = 2;

/// The people who may have signed an order to thaw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Ann,
    Both,
    AnnTwice,
    Stranger,
    StrangerAsAnn,
    Nobody,
}

#[derive(Debug, Clone)]
enum Step {
    Freeze {
        at: usize,
        caller: usize,
        incident: u32,
    },
    /// Reads the holds on a caller, and has an order signed that ends the incident's one.
    Sign {
        caller: usize,
        incident: u32,
        by: By,
    },
    /// An approver signs that an incident ends a hold which is another one's. `keys` refuses that.
    SignAnothers {
        at: usize,
        incident: u32,
        victim: prop::sample::Index,
    },
    /// Hands in an order that was signed, for the first time or again.
    Deliver {
        at: usize,
        order: prop::sample::Index,
    },
    /// Hands in an order that was changed after it was signed.
    Forge {
        at: usize,
        order: prop::sample::Index,
        victim: prop::sample::Index,
    },
    Budget {
        at: usize,
        lowered: bool,
    },
    Revoke {
        key: u8,
    },
    Wait,
    Backup,
    /// Puts the last backup of the database back, and starts every instance.
    Restore,
}

fn step() -> impl Strategy<Value = Step> {
    let by = prop_oneof![
        4 => Just(By::Ann),
        1 => Just(By::Both),
        1 => Just(By::AnnTwice),
        1 => Just(By::Stranger),
        1 => Just(By::StrangerAsAnn),
        1 => Just(By::Nobody),
    ];
    let (at, caller, incident) = (0..INSTANCES, 0..CALLERS.len(), 1_u32..4);
    let index = any::<prop::sample::Index>;
    prop_oneof![
        6 => (at.clone(), caller.clone(), incident.clone())
            .prop_map(|(at, caller, incident)| Step::Freeze { at, caller, incident }),
        6 => (caller, incident, by)
            .prop_map(|(caller, incident, by)| Step::Sign { caller, incident, by }),
        8 => (at.clone(), index()).prop_map(|(at, order)| Step::Deliver { at, order }),
        2 => (at.clone(), 1_u32..4, index()).prop_map(|(at, incident, victim)| {
            Step::SignAnothers { at, incident, victim }
        }),
        3 => (at.clone(), index(), index())
            .prop_map(|(at, order, victim)| Step::Forge { at, order, victim }),
        1 => (at, any::<bool>()).prop_map(|(at, lowered)| Step::Budget { at, lowered }),
        1 => any::<u8>().prop_map(|key| Step::Revoke { key }),
        1 => Just(Step::Wait),
        1 => Just(Step::Backup),
        1 => Just(Step::Restore),
    ]
}

/// The part of the database that orders change.
#[derive(Clone, Default)]
struct Database {
    holds: Holds,
    lowered: Lowerings,
    revoked: BTreeSet<u8>,
}

/// An order, and what the test knows of it.
#[derive(Clone)]
struct Prepared {
    signed: Signed<ThawOrder>,
    /// Whether an approver signed exactly this.
    good: bool,
    caller: usize,
    /// The number of freezes of the incident on the caller when the order was signed.
    freezes: usize,
}

/// The compartment by its rules, and beside it what must hold.
struct World {
    now: Timestamp,
    rng: SeededRng,
    ann: ApproverSecret,
    bob: ApproverSecret,
    database: Database,
    backup: Database,
    logs: [Vec<Entry>; INSTANCES],
    orders: Vec<Prepared>,
    // The model: the state that must hold, kept without the numbers of holds.
    freezes: BTreeMap<(usize, u32), usize>,
    holding: BTreeSet<(usize, u32)>,
    lowered: bool,
    revoked: BTreeSet<u8>,
}

impl World {
    fn begin() -> Self {
        let rng = SeededRng::new(1);
        let [ann, bob] = ["ann", "bob"].map(|name| ApproverSecret::generate(name, &rng));
        Self {
            now: "2012-01-15T04:00:00Z".parse().unwrap(),
            rng,
            ann,
            bob,
            database: Database::default(),
            backup: Database::default(),
            logs: Default::default(),
            orders: Vec::new(),
            freezes: BTreeMap::new(),
            holding: BTreeSet::new(),
            lowered: false,
            revoked: BTreeSet::new(),
        }
    }

    fn approvers(&self) -> [ApproverKey; 2] {
        [self.ann.public(), self.bob.public()]
    }

    fn write(&mut self, at: usize, event: Event) {
        self.logs[at].push(Entry { at: self.now, event });
    }

    fn freeze(&mut self, at: usize, n: usize, incident: u32) {
        let (caller, hold) = (name(CALLERS[n]), Hold { incident, hold: HoldId::random(&self.rng) });
        let (by, reason) = (name("response-1"), "fell".to_owned());
        let replaces = self.database.holds.of_incident(&caller, incident);
        self.database.holds.take(&caller, hold, &replaces);
        self.write(at, Event::Held { caller, hold, replaces, by, reason });
        *self.freezes.entry((n, incident)).or_default() += 1;
        self.holding.insert((n, incident));
    }

    fn sign(&mut self, n: usize, incident: u32, by: By) {
        let caller = name(CALLERS[n]);
        let own = self.database.holds.of(&caller).into_iter().find(|of| of.incident == incident);
        let Some(own) = own else { return };
        let (until, reason) =
            (self.now + SignedDuration::from_hours(1), "rebuilt".parse().unwrap());
        let order = ThawOrder { caller, incident, hold: own.hold, until, reason };
        let eve = ApproverSecret::generate("eve", &self.rng);
        let signatures = match by {
            By::Ann => vec![self.ann.sign(&order)],
            By::Both => vec![self.ann.sign(&order), self.bob.sign(&order)],
            By::AnnTwice => vec![self.ann.sign(&order), self.ann.sign(&order)],
            By::Stranger => vec![eve.sign(&order)],
            By::StrangerAsAnn => {
                vec![Signature { approver: "ann".to_owned(), ..eve.sign(&order) }]
            }
            By::Nobody => vec![],
        };
        let good = matches!(by, By::Ann | By::Both | By::AnnTwice);
        let freezes = self.freezes[&(n, incident)];
        self.orders.push(Prepared {
            signed: Signed { order, signatures },
            good,
            caller: n,
            freezes,
        });
    }

    fn sign_anothers(&mut self, at: usize, incident: u32, victim: prop::sample::Index) {
        let all: Vec<_> =
            self.database.holds.all().map(|(caller, hold, _)| (caller.clone(), hold)).collect();
        if all.is_empty() {
            return;
        }
        let (caller, Hold { incident: whose, hold }) = victim.get(&all).clone();
        if whose == incident {
            return;
        }
        let (until, reason) = (self.now + SignedDuration::from_hours(1), "mine".parse().unwrap());
        let order = ThawOrder { caller, incident, hold, until, reason };
        let signatures = vec![self.ann.sign(&order), self.bob.sign(&order)];
        assert!(!self.thaw(at, &Signed { order, signatures }), "another incident's hold ended");
    }

    /// Does what the route does with an order, by the same rules.
    fn thaw(&mut self, at: usize, signed: &Signed<ThawOrder>) -> bool {
        let Ok(approvers) = approve(signed, &self.approvers(), self.now) else { return false };
        let order = &signed.order;
        let Ok(ending) = self.database.holds.check(order) else { return false };
        if let Ending::Ends(hold) = ending {
            let (caller, incident) = (order.caller.clone(), order.incident);
            let reason = order.reason.to_string();
            let event = Event::LetGo { caller, hold, incident, approvers, reason };
            self.write(at, event);
            self.database.holds.insert(&order.caller, hold, true);
        }
        true
    }

    fn deliver(&mut self, at: usize, order: &Prepared) {
        let Prepared { signed, good, caller, freezes } = order;
        let taken = self.thaw(at, signed);
        let in_time = self.now < signed.order.until;
        assert_eq!(taken, *good && in_time, "{signed:?}");
        let held = (*caller, signed.order.incident);
        if taken && self.freezes[&held] == *freezes {
            self.holding.remove(&held);
        }
    }

    /// A thief with the certificate of `response` changes a signed order, so that it ends another
    /// hold.
    fn forge(&mut self, at: usize, mut signed: Signed<ThawOrder>, victim: prop::sample::Index) {
        let all: Vec<_> =
            self.database.holds.all().map(|(caller, hold, _)| (caller.clone(), hold)).collect();
        let (caller, Hold { incident, hold }) = victim.get(&all).clone();
        let same = (&signed.order.caller, signed.order.incident, signed.order.hold);
        if same == (&caller, incident, hold) {
            return;
        }
        signed.order = ThawOrder { caller, incident, hold, ..signed.order };
        assert!(!self.thaw(at, &signed), "a forged order was taken: {signed:?}");
    }

    /// Lowers the budget in place of earlier lowerings, or gives it back.
    fn budget(&mut self, at: usize, lowered: bool) {
        let (caller, operation, reason) = (name("web-1"), Operation::Release, "test".to_owned());
        let open: Vec<_> = self.database.lowered.of(&caller).iter().map(|of| of.lowering).collect();
        if lowered {
            let budget = Budget { minute: 1, hour: 1, day: 1, burst: 0 };
            let lowering = LoweringId::random(&self.rng);
            self.database.lowered.take(&caller, operation, (lowering, budget), &open);
            let (by, replaces) = (name("response-1"), open);
            let event =
                Event::Lowered { caller, operation, lowering, budget, replaces, by, reason };
            self.write(at, event);
        } else {
            for lowering in open {
                self.database.lowered.insert(&caller, operation, lowering, State::Ended);
                let (caller, approvers) = (caller.clone(), vec!["ann".to_owned()]);
                let reason = reason.clone();
                let event = Event::Restored { caller, operation, lowering, approvers, reason };
                self.write(at, event);
            }
        }
        self.lowered = lowered;
    }

    fn revoke(&mut self, at: usize, key: u8) {
        let (caller, by, reason) = (name("web-1"), name("response-1"), "fell".to_owned());
        self.write(at, Event::KeyRevoked { caller, key: [key; 32], by, reason });
        self.database.revoked.insert(key);
        self.revoked.insert(key);
    }

    /// Every instance starts on an older database, and brings it up to the state of its own log.
    fn restore(&mut self) {
        self.database = self.backup.clone();
        for log in &self.logs {
            let policy = Policy { version: 1, approvers: vec![], callers: vec![] };
            let mut recalled = Recalled::new(Arc::new(Access::new(policy, Lowerings::default())));
            for entry in log {
                recalled.take(entry);
            }
            for (caller, hold, ended) in recalled.holds.all() {
                self.database.holds.insert(caller, hold, ended);
            }
            for (caller, operation, lowering, state) in recalled.lowered.all() {
                self.database.lowered.insert(caller, operation, lowering, state);
            }
            self.database.revoked.extend(recalled.revoked.keys().map(|Sha256(key)| key[0]));
        }
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Freeze { at, caller, incident } => self.freeze(at, caller, incident),
            Step::Sign { caller, incident, by } => self.sign(caller, incident, by),
            Step::SignAnothers { at, incident, victim } => {
                self.sign_anothers(at, incident, victim);
            }
            Step::Deliver { at, order } if !self.orders.is_empty() => {
                let order = order.get(&self.orders).clone();
                self.deliver(at, &order);
            }
            Step::Forge { at, order, victim } if !self.orders.is_empty() => {
                let signed = order.get(&self.orders).signed.clone();
                self.forge(at, signed, victim);
            }
            Step::Deliver { .. } | Step::Forge { .. } => {}
            Step::Budget { at, lowered } => self.budget(at, lowered),
            Step::Revoke { key } => self.revoke(1, key),
            Step::Wait => self.now += SignedDuration::from_mins(40),
            Step::Backup => self.backup = self.database.clone(),
            Step::Restore => self.restore(),
        }
    }

    /// Checks that the answers agree with the model.
    fn check(&self) {
        for (n, caller) in CALLERS.iter().enumerate() {
            let caller = name(caller);
            let claimed: Vec<_> =
                self.database.holds.of(&caller).iter().map(|of| of.incident).collect();
            let held =
                self.holding.iter().filter(|(of, _)| *of == n).map(|(_, incident)| *incident);
            let held: Vec<_> = held.collect();
            assert_eq!(claimed, held, "{caller}");
            assert_eq!(self.database.holds.is_frozen(&caller), !held.is_empty(), "{caller}");
        }
        let lowered = !self.database.lowered.of(&name("web-1")).is_empty();
        assert_eq!(lowered, self.lowered);
        assert_eq!(self.database.revoked, self.revoked);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]
    #[test]
    fn what_is_claimed_holds_and_nobody_thaws_what_another_incident_holds(
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let mut world = World::begin();
        for step in steps {
            world.take(&step);
            world.check();
        }
    }
}
