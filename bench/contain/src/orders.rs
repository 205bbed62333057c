//! The times of orders, from the call at `response` to its answer, while two instances of each
//! compartment live, and while one of them has just been killed or stopped.

use std::path::Path;
use std::time::{Duration, Instant};

use cofferdam_core::{Clock, SystemClock};
use cofferdam_wire::Client;
use estate::Compartment::Response;
use jiff::SignedDuration;
use keys_api::{ApproverSecret, Signed, VoidOrder};
use nix::sys::signal::Signal;
use response_api::{
    AppliedOrder, ApplyOrder, DeclareIncident, FreezeCaller, IncidentId, People, SignedOrder,
};
use tokio::time::sleep;

use crate::pairs::Pairs;

/// The caller that is frozen, again and again.
const FROZEN: &str = "web-ky-1";
/// The time for which everything lives between two faults, so that each instance has reported.
const BETWEEN: Duration = Duration::from_millis(1_500);

/// An order that is measured.
#[derive(Debug, Clone, Copy)]
enum Order {
    Freeze,
    Void,
}

/// A process's end, or its standstill.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Killed,
    Stopped,
}

/// Staff with everything that orders take.
struct Staff {
    client: Client,
    approvers: Vec<ApproverSecret>,
    incident: IncidentId,
}

/// Measures `rounds` orders of each kind for each fault of each instance.
pub async fn measure(binary: &Path, customers: u32, rounds: u32) {
    let dir = tempfile::tempdir().unwrap();
    let mut pairs = Pairs::start(&dir.path().join("estate"), binary, customers).await;
    let staff = Staff::of(&pairs).await;
    println!("two instances of keys, accounts and payments; {customers} credentials");
    for order in [Order::Freeze, Order::Void] {
        let mut times = Vec::new();
        for n in 0..rounds * 10 {
            let taken = staff.give(order).await;
            // The first order opens connections.
            if n > 0 {
                times.push(("all".to_owned(), taken));
            }
        }
        show(&format!("{order:?}, all alive"), 100, times);
    }
    for fault in [Fault::Killed, Fault::Stopped] {
        for order in [Order::Freeze, Order::Void] {
            let mut times = Vec::new();
            for n in 0..pairs.instances.len() - 1 {
                for _ in 0..rounds {
                    let name = format!("{} {}", pairs.instances[n].of, n % 2 + 1);
                    times.push((name, under(&mut pairs, n, fault, &staff, order).await));
                }
            }
            show(&format!("{order:?}, one {fault:?}"), 1_100, times);
        }
    }
    pairs.stop();
}

/// Gives an order right after a fault, and takes the fault back.
async fn under(pairs: &mut Pairs, n: usize, fault: Fault, staff: &Staff, order: Order) -> Duration {
    sleep(BETWEEN).await;
    match fault {
        Fault::Killed => pairs.instances[n].kill(),
        Fault::Stopped => pairs.instances[n].signal(Signal::SIGSTOP),
    }
    let taken = staff.give(order).await;
    match fault {
        Fault::Killed => pairs.start_one(n).await,
        Fault::Stopped => {
            pairs.instances[n].signal(Signal::SIGCONT);
            pairs.works(n).await;
        }
    }
    taken
}

impl Staff {
    async fn of(pairs: &Pairs) -> Self {
        let client = pairs.estate.client(Response, &"operator-1".parse().unwrap()).unwrap();
        let keys = pairs.estate.dir.join("staff");
        let approvers = staff::approvers::open_directory(&keys, &estate::APPROVERS).unwrap();
        let declare = DeclareIncident {
            title: format!("{FROZEN} fell"),
            fallen: vec![FROZEN.parse().unwrap()],
            from: SystemClock.now() - SignedDuration::from_hours(1),
            to: None,
            found: "a measurement".to_owned(),
            people: People::Accounts,
            unlisted: Vec::new(),
        };
        let incident = client.call(&declare).await.unwrap().incident;
        Self { client, approvers, incident }
    }

    async fn give(&self, order: Order) -> Duration {
        match order {
            Order::Freeze => self.freeze().await,
            Order::Void => self.void().await,
        }
    }

    async fn freeze(&self) -> Duration {
        let freeze = FreezeCaller {
            incident: self.incident,
            caller: FROZEN.parse().unwrap(),
            frozen: true,
            reason: "it fell".parse().unwrap(),
            key: None,
            order: None,
        };
        let began = Instant::now();
        assert!(self.client.call(&freeze).await.unwrap().frozen);
        began.elapsed()
    }

    async fn void(&self) -> Duration {
        let now = SystemClock.now();
        let order = VoidOrder {
            incident: self.incident.0,
            set_before: now,
            until: now + SignedDuration::from_hours(1),
            break_glass: None,
            customers: None,
        };
        let signatures = self.approvers.iter().map(|of| of.sign(&order)).collect();
        let signed = serde_json::to_value(Signed { order, signatures }).unwrap();
        let call = ApplyOrder { order: SignedOrder::Void(signed) };
        let began = Instant::now();
        let answer = self.client.call(&call).await.unwrap();
        assert!(matches!(answer, AppliedOrder::Void(_)));
        began.elapsed()
    }
}

fn show(what: &str, aim_ms: u128, mut times: Vec<(String, Duration)>) {
    times.sort_by_key(|(_, taken)| *taken);
    let (_, median) = &times[times.len() / 2];
    let (worst, max) = &times[times.len() - 1];
    let (median, max) = (median.as_millis(), max.as_millis());
    let count = times.len();
    println!(
        "{what:<22} median {median:>5} ms, max {max:>5} ms ({worst}), aim {aim_ms} ms, {count} orders"
    );
}
