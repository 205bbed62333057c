//! Who may what: every route has a row here, or the test fails.

use cofferdam_core::Call;
use cofferdam_wire::ProblemType::{self, Frozen, NotGranted};
use payments_api::{CountCards, FreezeCaller, ReadCard, ReadReseal, RevealCard, StoreCards};

use crate::support::{Till, card};

/// With a certificate of the authority: an app server that nobody granted anything here, a
/// checkout server, the processor's forwarder, the controller, and a frozen checkout server.
const CALLERS: [&str; 5] = ["web-ky-1", "checkout-1", "processor-1", "response-1", "checkout-2"];

type Row = (&'static str, [Option<ProblemType>; 5]);

async fn row<C: Call>(till: &Till, call: &C) -> Row {
    let mut ends = [None; 5];
    for (end, caller) in ends.iter_mut().zip(CALLERS) {
        *end = till.call(caller, call).await.err().map(|problem| problem.kind);
    }
    (C::PATH, ends)
}

#[tokio::test]
async fn every_route_refuses_who_may_not() {
    let till = Till::open().await;
    let token = till.store(&["4111111111111111"]).await.remove(0).token;
    {
        let mut book = till.keys.book();
        let like = |name: &str| name.parse::<cofferdam_core::CallerName>().unwrap();
        let grants: Vec<_> = book.grants.iter().map(|(k, v)| (k.clone(), *v)).collect();
        for ((caller, operation), fields) in grants {
            if caller == like("checkout-1") {
                book.grants.insert((like("checkout-2"), operation), fields);
            }
        }
    }
    let caller = "checkout-2".parse().unwrap();
    let freeze = FreezeCaller { caller, frozen: true, reason: "it fell".to_owned() };
    till.call("response-1", &freeze).await.unwrap();

    let (no, ice) = (Some(NotGranted), Some(Frozen));
    let table = [
        (
            row(&till, &StoreCards { cards: vec![card("4111111111111111")] }).await,
            [no, None, no, no, ice],
        ),
        (row(&till, &ReadCard { token: token.clone() }).await, [no, None, no, no, ice]),
        (row(&till, &RevealCard { token }).await, [no, no, None, no, ice]),
        (row(&till, &freeze).await, [no, no, no, None, ice]),
        (row(&till, &CountCards {}).await, [no, no, no, None, ice]),
        (row(&till, &ReadReseal {}).await, [no, no, no, None, ice]),
    ];
    for ((path, ends), expected) in &table {
        assert_eq!(ends, expected, "{path} by {CALLERS:?}");
    }
    let rows: Vec<_> = table.iter().map(|((path, _), _)| *path).collect();
    assert_eq!(rows, payments_server::paths(), "a route has no row in this table");
}
