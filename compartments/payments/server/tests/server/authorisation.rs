//! The callers that may make each call. Every route has a row here, or the test fails.

use cofferdam_core::{Call, CallerName};
use cofferdam_wire::{Problem, ProblemType};
use payments_api::{
    CountCards, FreezeCaller, ListCheckpoints, ReadCard, ReadReseal, RevealCard, StoreCards,
};

use crate::support::{Till, card};

/// Callers with a certificate of the authority: an app server without any grant here, a checkout
/// server, the processor's forwarder, the controller, and a frozen checkout server.
const CALLERS: [&str; 5] = ["web-ky-1", "checkout-1", "processor-1", "response-1", "checkout-2"];

/// The code with which a call ends for each of [`CALLERS`].
type Ends = [Option<&'static str>; 5];

const NO: Option<&str> = Some(ProblemType::NOT_GRANTED.code);
const FROZEN: Option<&str> = Some(ProblemType::FROZEN.code);
const CHECKOUT: Ends = [NO, None, NO, NO, FROZEN];
const PROCESSOR: Ends = [NO, NO, None, NO, FROZEN];
const CONTROLLER: Ends = [NO, NO, NO, None, FROZEN];

struct Table {
    till: Till,
    paths: Vec<&'static str>,
}

impl Table {
    async fn row<C: Call>(&mut self, call: C, expected: Ends) {
        for (caller, expected) in CALLERS.into_iter().zip(expected) {
            let problem = self.till.call(caller, &call).await.err();
            let code = problem.as_ref().map(Problem::code);
            assert_eq!(code, expected, "{} by {caller}: {problem:?}", C::PATH);
        }
        self.paths.push(C::PATH);
    }
}

#[tokio::test]
async fn every_route_refuses_who_may_not() {
    let till = Till::open().await;
    let token = till.store(&["4111111111111111"]).await.remove(0).token;
    grant_like_the_first_checkout(&till, "checkout-2");
    let caller = "checkout-2".parse().unwrap();
    let freeze =
        FreezeCaller { caller, frozen: true, incident: None, reason: "it fell".parse().unwrap() };
    till.call("response-1", &freeze).await.unwrap();

    let mut table = Table { till, paths: Vec::new() };
    table.row(StoreCards { cards: vec![card("4111111111111111")] }, CHECKOUT).await;
    table.row(ReadCard { token: token.clone() }, CHECKOUT).await;
    table.row(RevealCard { token }, PROCESSOR).await;
    table.row(CountCards {}, CONTROLLER).await;
    table.row(freeze, CONTROLLER).await;
    table.row(ReadReseal {}, CONTROLLER).await;
    table.row(ListCheckpoints {}, CONTROLLER).await;
    table.paths.sort_unstable();
    let mut paths = payments_server::paths();
    paths.sort_unstable();
    assert_eq!(table.paths, paths, "a route has no row in this table");
}

fn grant_like_the_first_checkout(till: &Till, caller: &str) {
    let like: CallerName = "checkout-1".parse().unwrap();
    let caller: CallerName = caller.parse().unwrap();
    let mut book = till.keys.book();
    let granted = book.grants.iter().filter(|((of, _), _)| *of == like);
    let granted: Vec<_> =
        granted.map(|((_, operation), fields)| ((caller.clone(), *operation), *fields)).collect();
    book.grants.extend(granted);
}
