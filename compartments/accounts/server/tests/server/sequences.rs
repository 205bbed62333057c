//! For any sequence of orders over several incidents, what is claimed equals what holds, and fewer
//! than two people never shut out more than the limit.

use std::collections::BTreeSet;

use accounts_api::{
    CheckSession, FreezeCaller, ImportCustomers, OpenSession, VoidCredentials, VoidOutcome,
    VoidWhose,
};
use cofferdam_core::Personal;
use cofferdam_wire::CallError;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use roaring::RoaringBitmap;

use crate::support::{Shop, everybody, legacy_row, person};

const CUSTOMERS: u32 = 120;
/// A tenth of them.
const TENTH: usize = 12;
/// The customers with a session, the first ones.
const SIGNED_IN: u32 = 6;
/// The customers and sessions that one person may always shut out.
const HANDFUL: usize = 5;
const DAY: SignedDuration = SignedDuration::from_hours(24);

#[derive(Debug, Clone)]
enum Step {
    Some {
        incident: u32,
        records: BTreeSet<u32>,
        again: bool,
    },
    Everybody {
        signers: usize,
        hours_ago: i64,
    },
    /// The last order over everybody once more.
    Repeat,
    Wait {
        hours: i64,
    },
    Freeze {
        frozen: bool,
    },
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let records = prop::collection::btree_set(0..CUSTOMERS + 20, 1..9);
    prop_oneof![
        6 => (1_u32..4, records, any::<bool>())
            .prop_map(|(incident, records, again)| Step::Some { incident, records, again }),
        1 => (0_usize..3, 0_i64..6)
            .prop_map(|(signers, hours_ago)| Step::Everybody { signers, hours_ago }),
        1 => Just(Step::Repeat),
        2 => (1_i64..20).prop_map(|hours| Step::Wait { hours }),
        1 => any::<bool>().prop_map(|frozen| Step::Freeze { frozen }),
        1 => Just(Step::Restart),
    ]
}

/// A shop, and what its answers claim so far.
struct Story {
    shop: Shop,
    sessions: Vec<Personal>,
    /// The instant at which every password was set.
    set_at: Timestamp,
    /// The customers with a void password.
    void: BTreeSet<u32>,
    /// The orders of one person: when, who was shut out, and how many sessions ended.
    alone: Vec<(Timestamp, BTreeSet<u32>, usize)>,
    frozen: bool,
    last: Option<(VoidCredentials, VoidOutcome)>,
}

impl Story {
    async fn begin() -> Self {
        let shop = Shop::open().await;
        let row = |n: u32| legacy_row(u64::from(n) + 1, person(n.into()), "old1");
        let rows = (0..CUSTOMERS).map(row).collect();
        let import = ImportCustomers { source: "file".into(), rows };
        shop.client("import-1").call(&import).await.unwrap();
        let set_at = shop.now();
        let mut sessions = Vec::new();
        for n in 0..SIGNED_IN {
            let (email, password) = (person(n.into()).email, Personal::new("old1"));
            let open = OpenSession { email, password };
            sessions.push(shop.client("web-1").call(&open).await.unwrap().token);
        }
        shop.clock.advance(SignedDuration::from_hours(3));
        let (void, alone) = (BTreeSet::new(), Vec::new());
        Self { shop, sessions, set_at, void, alone, frozen: false, last: None }
    }

    async fn call(&self, call: &VoidCredentials) -> Result<VoidOutcome, CallError> {
        self.shop.client("response-1").call(call).await
    }

    /// The customers whose session is good. A frozen caller can't ask, so it is thawed for that.
    async fn signed_in(&self) -> BTreeSet<u32> {
        self.freeze(false).await;
        let mut good = BTreeSet::new();
        for (n, token) in (0..).zip(&self.sessions) {
            let check = CheckSession { token: token.clone() };
            if self.shop.client("web-1").call(&check).await.is_ok() {
                good.insert(n);
            }
        }
        self.freeze(self.frozen).await;
        good
    }

    async fn freeze(&self, frozen: bool) {
        let (caller, reason) = ("web-1".parse().unwrap(), "a test".parse().unwrap());
        let freeze = FreezeCaller { caller, frozen, incident: None, reason };
        self.shop.client("response-1").call(&freeze).await.unwrap();
    }

    async fn some(&mut self, incident: u32, records: &BTreeSet<u32>, again: bool) {
        let mut roaring = Vec::new();
        records.iter().collect::<RoaringBitmap>().serialize_into(&mut roaring).unwrap();
        let whose = VoidWhose::Only { roaring, again };
        let (now, before) = (self.shop.now(), self.signed_in().await);
        let order = VoidCredentials { incident, set_before: now, whose };
        let Ok(done) = self.call(&order).await else {
            assert_eq!(self.signed_in().await, before, "a refused order ended sessions");
            return;
        };
        let ended = before.difference(&self.signed_in().await).count();
        assert_eq!(done.sessions, ended as u64, "{order:?} {done:?}");
        let named: BTreeSet<u32> = records.iter().copied().filter(|n| *n < CUSTOMERS).collect();
        // The sequences set no new passwords, so no customer is left out.
        assert_eq!((done.customers, done.left_out), (named.len() as u64, 0));
        let newly: BTreeSet<u32> = named.difference(&self.void).copied().collect();
        self.void.extend(&named);
        self.alone.push((now, newly, ended));
        let recent = || self.alone.iter().filter(|(at, ..)| now.duration_since(*at) < DAY);
        let customers: BTreeSet<u32> = recent().flat_map(|(_, of, _)| of.clone()).collect();
        assert!(customers.len() <= TENTH, "{customers:?}");
        let ended: usize = recent().map(|(_, _, ended)| ended).sum();
        assert!(ended <= HANDFUL, "{ended} of {SIGNED_IN} sessions");
    }

    async fn everybody(&mut self, signers: usize, hours_ago: i64) {
        let set_before = self.shop.now() - SignedDuration::from_hours(hours_ago);
        let order = everybody(set_before, &["ann", "bob"][..signers]);
        let before = self.signed_in().await;
        let answer = self.call(&order).await;
        let after = self.signed_in().await;
        let Ok(done) = answer else {
            assert!(signers < 2, "two people were refused");
            assert_eq!(after, before, "a refused order ended sessions");
            return;
        };
        assert!(signers == 2 && after.is_empty(), "{signers} {after:?}");
        let covered = if self.set_at <= set_before { CUSTOMERS.into() } else { 0 };
        assert_eq!((done.customers, done.sessions), (covered, before.len() as u64));
        if covered > 0 {
            self.void.extend(0..CUSTOMERS);
        }
        self.last = Some((order, done));
    }

    async fn go(mut self, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Some { incident, records, again } => {
                    self.some(incident, &records, again).await;
                }
                Step::Everybody { signers, hours_ago } => self.everybody(signers, hours_ago).await,
                Step::Repeat => {
                    if let Some((order, first)) = self.last.clone() {
                        assert_eq!(self.call(&order).await.unwrap(), first);
                    }
                }
                Step::Wait { hours } => {
                    self.shop.clock.advance(SignedDuration::from_hours(hours));
                }
                Step::Freeze { frozen } => {
                    self.frozen = frozen;
                    self.freeze(frozen).await;
                }
                Step::Restart => self.shop = self.shop.restart().await,
            }
        }
        self.passwords_are_as_claimed().await;
    }

    /// Signs some customers in: those whose password is claimed to be void can't, and others can.
    async fn passwords_are_as_claimed(self) {
        self.freeze(false).await;
        let (void, others): (Vec<_>, Vec<_>) = (0..CUSTOMERS).partition(|n| self.void.contains(n));
        let sample = void.iter().take(2).chain(others.iter().take(1));
        for n in sample {
            let (email, password) = (person((*n).into()).email, Personal::new("old1"));
            let answer = self.shop.client("web-1").call(&OpenSession { email, password }).await;
            assert_eq!(answer.is_err(), self.void.contains(n), "customer {n}: {answer:?}");
        }
    }
}

#[test]
fn what_is_claimed_holds_and_one_person_stays_within_the_limit() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = Config { cases: 12, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    );
    runner
        .run(&prop::collection::vec(step(), 1..14), |steps| {
            runtime.block_on(async { Story::begin().await.go(steps).await });
            Ok(())
        })
        .unwrap();
}
