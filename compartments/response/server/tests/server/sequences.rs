//! For any sequence of freezes, thaws and budgets over several incidents, with compartments that
//! fail now and then, what is claimed holds.

use std::collections::{BTreeMap, BTreeSet};

use cofferdam_core::{CallerName, Operation};
use cofferdam_wire::ProblemType;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use response_api::{FreezeCaller, HELD_ELSEWHERE, IncidentId, LowerBudget, ThawedKey};
use response_server::store::Finding;

use crate::bench::Bench;
use crate::contain::{restore_order, thaw_order};

const COMPARTMENTS: [&str; 3] = ["keys", "accounts", "payments"];
const CALLERS: [&str; 2] = ["web-ky-1", "web-ky-2"];

#[derive(Debug, Clone)]
enum Step {
    /// Freezes or thaws a caller for an incident, while a compartment fails or none.
    Freeze {
        incident: usize,
        caller: usize,
        frozen: bool,
        failing: Option<usize>,
    },
    Budget {
        incident: usize,
        caller: usize,
        lowered: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let failing = prop::option::weighted(0.25, 0_usize..3);
    prop_oneof![
        5 => (0_usize..3, 0_usize..2, any::<bool>(), failing)
            .prop_map(|(incident, caller, frozen, failing)| {
                Step::Freeze { incident, caller, frozen, failing }
            }),
        1 => (0_usize..3, 0_usize..2, any::<bool>())
            .prop_map(|(incident, caller, lowered)| Step::Budget { incident, caller, lowered }),
    ]
}

/// A running compartment, and what holds at its neighbours.
struct Story {
    bench: Bench,
    incidents: Vec<IncidentId>,
    /// The callers that `accounts` and `payments` refuse. `keys` keeps holds of its own.
    frozen: BTreeMap<&'static str, BTreeSet<usize>>,
    /// The number of orders that each neighbour got.
    seen: BTreeMap<&'static str, usize>,
    /// The number of budgets that were given back, and that were lowered.
    budgets: [usize; 2],
}

impl Story {
    async fn begin() -> Self {
        let bench = Bench::start().await;
        let mut incidents = Vec::new();
        for _ in 0..3 {
            incidents.push(bench.declare().await);
        }
        Self { bench, incidents, frozen: BTreeMap::new(), seen: BTreeMap::new(), budgets: [0; 2] }
    }

    async fn freeze(&mut self, of: IncidentId, n: usize, frozen: bool, failing: Option<usize>) {
        let caller: CallerName = CALLERS[n].parse().unwrap();
        let broken = ProblemType::INTERNAL;
        match failing {
            Some(0) => {
                self.bench.neighbours.refuse::<keys_api::FreezeCaller>("keys", broken);
                self.bench.neighbours.refuse::<keys_api::ThawCaller>("keys", broken);
            }
            Some(1) => {
                self.bench.neighbours.refuse::<accounts_api::FreezeCaller>("accounts", broken);
            }
            Some(_) => {
                self.bench.neighbours.refuse::<payments_api::FreezeCaller>("payments", broken);
            }
            None => {}
        }
        let reason = "a test".parse().unwrap();
        let key = (!frozen).then_some(ThawedKey::Same);
        let order = (!frozen).then(|| thaw_order(CALLERS[n], of));
        let call =
            FreezeCaller { incident: of, caller: caller.clone(), frozen, reason, key, order };
        let answer = self.bench.staff().call(&call).await;
        self.bench.neighbours.relent();
        self.take_orders(failing);
        match answer {
            Ok(holds) => {
                for name in COMPARTMENTS {
                    assert_eq!(self.is_frozen(name, n), holds.frozen, "{name}: {call:?} {holds:?}");
                }
                assert_eq!(holds.held_by.contains(&of), frozen);
                assert_eq!(holds.held_by, self.at_keys(&caller));
            }
            Err(e) if e.is(HELD_ELSEWHERE) => {
                assert!(!frozen && !self.at_keys(&caller).contains(&of));
            }
            Err(e) => assert!(failing.is_some(), "{e}"),
        }
    }

    /// Takes the orders that the neighbours got since the last look. A failing one did nothing.
    fn take_orders(&mut self, failing: Option<usize>) {
        for (place, name) in COMPARTMENTS.into_iter().enumerate().skip(1) {
            let taken = self.bench.neighbours.taken::<accounts_api::FreezeCaller>(name);
            let seen = self.seen.insert(name, taken.len()).unwrap_or_default();
            for order in taken.iter().skip(seen).filter(|_| failing != Some(place)) {
                let n = CALLERS.iter().position(|of| *of == order.caller.as_str()).unwrap();
                let set = self.frozen.entry(name).or_default();
                if order.frozen {
                    set.insert(n)
                } else {
                    set.remove(&n)
                };
            }
        }
    }

    fn is_frozen(&self, name: &str, n: usize) -> bool {
        if name == "keys" {
            return !self.at_keys(&CALLERS[n].parse().unwrap()).is_empty();
        }
        self.frozen.get(name).is_some_and(|set| set.contains(&n))
    }

    /// The incidents that hold a caller, by `keys`. A freeze that failed elsewhere holds there too.
    fn at_keys(&self, caller: &CallerName) -> Vec<IncidentId> {
        let book = self.bench.neighbours.book();
        let held = book.holds.get(caller).into_iter().flatten();
        held.map(|of| IncidentId(of.incident)).collect()
    }

    /// The incidents that claim to hold a caller.
    async fn holders(&self, caller: &CallerName) -> Vec<IncidentId> {
        let store = self.bench.store().await;
        let mut holders = Vec::new();
        for incident in &self.incidents {
            let held = store.finding::<Vec<CallerName>>(*incident, Finding::Frozen).await.unwrap();
            if held.unwrap_or_default().contains(caller) {
                holders.push(*incident);
            }
        }
        holders
    }

    /// What an incident claims to hold is refused everywhere: its letters say so.
    async fn claims_hold(&self) {
        for (n, name) in CALLERS.iter().enumerate() {
            if !self.holders(&name.parse().unwrap()).await.is_empty() {
                for compartment in COMPARTMENTS {
                    assert!(self.is_frozen(compartment, n), "{name} at {compartment}");
                }
            }
        }
    }

    async fn go(mut self, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Freeze { incident, caller, frozen, failing } => {
                    self.freeze(self.incidents[incident], caller, frozen, failing).await;
                }
                Step::Budget { incident, caller, lowered } => {
                    let budget = serde_json::json!({"minute": 1, "hour": 1, "day": 1});
                    let order = serde_json::to_value(restore_order(CALLERS[caller])).unwrap();
                    let call = LowerBudget {
                        incident: self.incidents[incident],
                        caller: CALLERS[caller].parse().unwrap(),
                        operation: Operation::Release,
                        budget: Some(budget).filter(|_| lowered),
                        order: Some(order).filter(|_| !lowered),
                        reason: "a test".parse().unwrap(),
                    };
                    self.bench.done(call).await;
                    let neighbours = &self.bench.neighbours;
                    let restored = neighbours.taken::<keys_api::RestoreBudget>("keys").len();
                    let low = neighbours.taken::<keys_api::LowerBudget>("keys").len();
                    self.budgets[usize::from(lowered)] += 1;
                    assert_eq!([restored, low], self.budgets);
                }
            }
            self.claims_hold().await;
        }
    }
}

#[test]
fn what_is_claimed_to_be_frozen_is_frozen() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = Config { cases: 12, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    TestRunner::new_with_rng(config, rng)
        .run(&prop::collection::vec(step(), 1..12), |steps| {
            runtime.block_on(async { Story::begin().await.go(steps).await });
            Ok(())
        })
        .unwrap();
}
