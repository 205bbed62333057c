//! For any sequence of void orders over several incidents, by honest and dishonest staff, with resets,
//! new customers, sign-ins and restarts between them: what is claimed holds, and fewer than two people
//! never shut out more than the limit within any 24 hours.

use std::collections::{BTreeMap, BTreeSet};

use cofferdam_core::SeededRng;
use jiff::SignedDuration;
use keys_api::{
    ApproverKey, ApproverSecret, CustomerSet, Order as _, Signature, Signed, VoidOrder,
};
use proptest::prelude::*;

use super::*;
const FIRST: u32 = 120;
const MOST: u32 = 140;
const HANDFUL: usize = 5;
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The people who may have signed an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    AnnAndBob,
    AnnTwice,
    Ann,
    AnnAndStranger,
    AnnAsBob,
    Nobody,
}

#[derive(Debug, Clone)]
enum Step {
    /// One person voids some customers.
    Some {
        incident: u32,
        records: BTreeSet<u32>,
        again: bool,
        minutes_ago: i64,
    },
    /// An order over a set or over everybody is signed.
    Sign {
        records: Option<BTreeSet<u32>>,
        by: By,
        minutes_ago: i64,
    },
    /// A signed order is handed in, for the first time or again.
    Deliver {
        order: prop::sample::Index,
    },
    /// A signed order is handed in with other customers.
    Forge {
        order: prop::sample::Index,
        records: Option<BTreeSet<u32>>,
    },
    Reset {
        record: u32,
    },
    Create,
    SignIn {
        record: u32,
    },
    Wait {
        minutes: i64,
    },
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let few = || prop::collection::btree_set(0..MOST, 1..9);
    let many = || prop::collection::btree_set(0..MOST, 1..100);
    let by = prop_oneof![
        3 => Just(By::AnnAndBob),
        1 => Just(By::AnnTwice),
        1 => Just(By::Ann),
        1 => Just(By::AnnAndStranger),
        1 => Just(By::AnnAsBob),
        1 => Just(By::Nobody),
    ];
    prop_oneof![
        8 => (1_u32..4, few(), any::<bool>(), prop_oneof![3 => Just(0_i64), 1 => 0_i64..300])
            .prop_map(|(incident, records, again, minutes_ago)| Step::Some {
                incident, records, again, minutes_ago
            }),
        3 => (prop::option::weighted(0.7, many()), by, 0_i64..300)
            .prop_map(|(records, by, minutes_ago)| Step::Sign { records, by, minutes_ago }),
        4 => any::<prop::sample::Index>().prop_map(|order| Step::Deliver { order }),
        2 => (any::<prop::sample::Index>(), prop::option::of(many()))
            .prop_map(|(order, records)| Step::Forge { order, records }),
        2 => (0..MOST).prop_map(|record| Step::Reset { record }),
        1 => Just(Step::Create),
        3 => (0..MOST).prop_map(|record| Step::SignIn { record }),
        3 => (1_i64..600).prop_map(|minutes| Step::Wait { minutes }),
        1 => Just(Step::Restart),
    ]
}

/// A stored order, as the database keeps it.
#[derive(Clone)]
struct Stored {
    past: PastOrder,
    set_before: Timestamp,
    signed: Option<Vec<u8>>,
}

/// The compartment by its rules, and beside it what must hold.
struct World {
    now: Timestamp,
    people: [ApproverSecret; 3],
    passwords: BTreeMap<u32, Password>,
    sessions: Vec<(Record, Timestamp)>,
    stored: Vec<Stored>,
    orders: Orders,
    signed: Vec<(Signed<VoidOrder>, Option<BTreeSet<u32>>)>,
    // The model: the state that must hold, customer by customer.
    void: BTreeSet<u32>,
    over: BTreeSet<usize>,
    /// The orders of one person: when, who was newly shut out, and how many sessions ended.
    alone: Vec<(Timestamp, BTreeSet<u32>, usize)>,
}

impl World {
    fn begin() -> Self {
        let rng = SeededRng::new(1);
        let now = at(1_000_000);
        let password = |n| Password { record: Record(n), set_at: at(0), created: Some(at(0)) };
        Self {
            now,
            people: ["ann", "bob", "eve"].map(|name| ApproverSecret::generate(name, &rng)),
            passwords: (0..FIRST).map(|n| (n, password(n))).collect(),
            sessions: (0..20).map(|n| (Record(n), at(10))).collect(),
            stored: Vec::new(),
            orders: Orders::default(),
            signed: Vec::new(),
            void: BTreeSet::new(),
            over: BTreeSet::new(),
            alone: Vec::new(),
        }
    }

    fn approvers(&self) -> [ApproverKey; 2] {
        [self.people[0].public(), self.people[1].public()]
    }

    fn history(&self, incident: u32) -> History {
        History::of(self.stored.iter().map(|of| of.past.clone()), incident, self.now)
    }

    /// Notes that customers' passwords set, and sessions opened, up to instants are void.
    fn shut_out(
        &mut self,
        records: Option<&BTreeSet<u32>>,
        set_before: Timestamp,
        opened_before: Timestamp,
    ) -> (BTreeSet<u32>, usize) {
        let covers = |n: u32| records.is_none_or(|of| of.contains(&n));
        let void = self.passwords.values().filter(|of| of.set_at <= set_before);
        let void: BTreeSet<u32> = void.map(|of| of.record.0).filter(|n| covers(*n)).collect();
        let over = (0..).zip(&self.sessions);
        let over = over.filter(|(_, (of, opened))| covers(of.0) && *opened <= opened_before);
        let over: BTreeSet<usize> = over.map(|(place, _)| place).collect();
        let newly = void.difference(&self.void).copied().collect();
        let ended = over.difference(&self.over).count();
        self.void.extend(void);
        self.over.extend(over);
        (newly, ended)
    }

    fn some(&mut self, incident: u32, named: &BTreeSet<u32>, again: bool, until: Timestamp) {
        let passwords: Vec<_> =
            named.iter().filter_map(|n| self.passwords.get(n).copied()).collect();
        let good: Vec<_> = self.good().collect();
        let customers = self.passwords.len() as u64;
        let shop = Shop { orders: &self.orders, sessions: &good, customers };
        let asked = Asked { passwords: passwords.clone(), again, until };
        let history = self.history(incident);
        let Ok(extent) = extent(&history, asked, &shop) else { return };
        let left_out = extent.set_since + extent.created_since;
        assert_eq!(extent.records.len() + left_out, passwords.len() as u64, "nobody is lost");
        assert!(!again || left_out == 0);
        let records: BTreeSet<u32> = extent.records.iter().collect();
        let voided = records.iter().filter(|n| self.passwords[n].set_at <= until).count();
        assert_eq!(extent.customers, voided as u64);
        let (newly, ended) = self.shut_out(Some(&records), until, until);
        assert_eq!(extent.counted.sessions, ended as u64, "the answer says how many ended");
        self.orders.void_some(until, until, extent.records.clone());
        let number = history.last + 1;
        let past = PastOrder {
            number,
            incident,
            ordered_at: self.now,
            records: Some(extent.records),
            alone: Some(extent.counted),
        };
        self.stored.push(Stored { past, set_before: until, signed: None });
        self.alone.push((self.now, newly, ended));
    }

    fn sign(&mut self, records: Option<BTreeSet<u32>>, by: By, set_before: Timestamp) {
        let until = self.now + SignedDuration::from_hours(5);
        let customers = records.as_ref().map(|of| CustomerSet::of(of.iter().copied().map(Record)));
        let order = VoidOrder { incident: 1, set_before, until, break_glass: None, customers };
        let [ann, bob, eve] = &self.people;
        let signatures = match by {
            By::AnnAndBob => vec![ann.sign(&order), bob.sign(&order)],
            By::AnnTwice => vec![ann.sign(&order), ann.sign(&order)],
            By::Ann => vec![ann.sign(&order)],
            By::AnnAndStranger => vec![ann.sign(&order), eve.sign(&order)],
            By::AnnAsBob => {
                vec![ann.sign(&order), Signature { approver: "bob".into(), ..ann.sign(&order) }]
            }
            By::Nobody => vec![],
        };
        self.signed.push((Signed { order, signatures }, records));
    }

    /// Carries out a signed order as the compartments do: `accounts` compares the set, `keys` checks
    /// the signatures and the time.
    fn deliver(&mut self, signed: &Signed<VoidOrder>, records: Option<&BTreeSet<u32>>) -> bool {
        let order = &signed.order;
        let set = records.map(|of| CustomerSet::of(of.iter().copied().map(Record)));
        let bytes = order.signed_bytes();
        let again = self.stored.iter().any(|of| of.signed.as_ref() == Some(&bytes));
        if order.customers != set || again {
            return false;
        }
        if signed.verify(&self.approvers()).is_err() || self.now >= order.until {
            return false;
        }
        let names: BTreeSet<_> = signed.signatures.iter().map(|of| of.approver.as_str()).collect();
        assert!(names.len() >= 2, "one person shut out a set: {signed:?}");
        let (set_before, bitmap) = (order.set_before, records.map(set_of));
        if let Some(records) = &bitmap {
            self.orders.void_some(set_before, self.now, records.clone());
        } else {
            self.orders.void(set_before);
            self.orders.revoke(self.now);
        }
        let number = self.stored.len() as u64 + 1;
        let past = PastOrder {
            number,
            incident: order.incident,
            ordered_at: self.now,
            records: bitmap,
            alone: None,
        };
        self.stored.push(Stored { past, set_before, signed: Some(bytes) });
        self.shut_out(records, set_before, self.now);
        true
    }

    fn good(&self) -> impl Iterator<Item = (Record, Timestamp)> {
        self.sessions.iter().copied().filter(|(of, opened)| !self.orders.revokes(*of, *opened))
    }

    fn restart(&mut self) {
        let mut orders = Orders::default();
        for Stored { past, set_before, signed } in &self.stored {
            let opened_before = if signed.is_some() { past.ordered_at } else { *set_before };
            if let Some(records) = &past.records {
                orders.void_some(*set_before, opened_before, records.clone());
            } else {
                orders.void(*set_before);
                orders.revoke(opened_before);
            }
        }
        self.orders = orders;
    }

    fn set_password(&mut self, n: u32) {
        let came = Password { record: Record(n), set_at: self.now, created: Some(self.now) };
        self.passwords.entry(n).and_modify(|of| of.set_at = self.now).or_insert(came);
        self.void.remove(&n);
    }

    fn take(&mut self, step: Step) {
        // Two things never happen in the same millisecond here.
        self.now += SignedDuration::from_millis(1);
        let ago = |minutes| self.now - SignedDuration::from_mins(minutes);
        match step {
            Step::Some { incident, records, again, minutes_ago } => {
                self.some(incident, &records, again, ago(minutes_ago));
            }
            Step::Sign { records, by, minutes_ago } => self.sign(records, by, ago(minutes_ago)),
            Step::Deliver { order } if !self.signed.is_empty() => {
                let (signed, records) = order.get(&self.signed).clone();
                self.deliver(&signed, records.as_ref());
            }
            Step::Forge { order, records } if !self.signed.is_empty() => {
                let (mut signed, own) = order.get(&self.signed).clone();
                if records != own {
                    assert!(!self.deliver(&signed, records.as_ref()), "another set was taken");
                    let numbers =
                        |of: &BTreeSet<u32>| CustomerSet::of(of.iter().copied().map(Record));
                    signed.order.customers = records.as_ref().map(numbers);
                    assert!(!self.deliver(&signed, records.as_ref()), "a changed order was taken");
                }
            }
            Step::Reset { record } if self.passwords.contains_key(&record) => {
                self.set_password(record);
            }
            Step::Create if self.passwords.len() < MOST as usize => {
                let next = self.passwords.keys().last().map_or(0, |last| last + 1);
                self.set_password(next);
            }
            Step::Deliver { .. } | Step::Forge { .. } | Step::Reset { .. } | Step::Create => {}
            Step::SignIn { record } => {
                let good = self.passwords.get(&record).filter(|_| !self.void.contains(&record));
                if good.is_some() {
                    self.sessions.push((Record(record), self.now));
                }
            }
            Step::Wait { minutes } => self.now += SignedDuration::from_mins(minutes),
            Step::Restart => self.restart(),
        }
    }

    /// Checks that each answer to a request agrees with the model, and that one person stayed within
    /// the limit.
    fn check(&self) {
        for (n, of) in &self.passwords {
            let void = self.orders.voids(of.record, of.set_at);
            assert_eq!(void, self.void.contains(n), "the password of customer {n}");
        }
        for (place, (of, opened)) in self.sessions.iter().enumerate() {
            let over = self.orders.revokes(*of, *opened);
            assert_eq!(over, self.over.contains(&place), "session {place} of customer {of}");
        }
        let most = (self.passwords.len() / 10).max(HANDFUL);
        for (until, ..) in &self.alone {
            let day = || {
                self.alone
                    .iter()
                    .filter(|(at, ..)| *at <= *until && until.duration_since(*at) < DAY)
            };
            let customers: BTreeSet<u32> = day().flat_map(|(_, of, _)| of.clone()).collect();
            assert!(customers.len() <= most, "{} customers of {most}", customers.len());
            let ended: usize = day().map(|(_, _, ended)| ended).sum();
            let most = (self.sessions.len() / 10).max(HANDFUL);
            assert!(ended <= most, "{ended} sessions of {most}");
        }
    }
}

fn set_of(records: &BTreeSet<u32>) -> RoaringBitmap {
    records.iter().copied().collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]
    #[test]
    fn what_is_claimed_holds_and_fewer_than_two_people_stay_within_the_limit(
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let mut world = World::begin();
        for step in steps {
            world.take(step);
            world.check();
        }
    }
}
