//! Storing, reading and revealing cards.

use std::time::Duration;

use cofferdam_core::{
    Call, Epoch, FREEZE_NOT_HELD, Field, FieldSet, Operation, Personal, Record, STILL_HELD,
};
use cofferdam_wire::{Problem, ProblemType};
use keys_api::{Hold, HoldId, RevokedKey};
use payments_api::{
    Brand, CardDetails, CardToken, CountCards, FreezeCaller, ReadCard, RevealCard, StoreCards,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use testkit::until;

use crate::support::{Till, card};

const VISA: &str = "4111 1111 1111 1111";
const AMEX: &str = "3782-822463-10005";

fn reveal(token: &CardToken) -> RevealCard {
    RevealCard { token: token.clone() }
}

#[tokio::test]
async fn a_card_comes_back_as_each_caller_may_see_it() {
    let till = Till::open().await;
    let stored = till.store(&[VISA, AMEX]).await;
    assert_eq!([stored[0].brand, stored[1].brand], [Brand::Visa, Brand::Amex]);
    assert_eq!(stored[1].last4.expose(), "0005");
    assert_ne!(stored[0].token, stored[1].token);

    let read = ReadCard { token: stored[1].token.clone() };
    let shown = till.call("checkout-1", &read).await.unwrap();
    assert_eq!(shown.brand, Brand::Amex);
    assert_eq!((shown.last4.expose(), shown.expiry.expose()), ("0005", "11/2014"));
    let full = till.call("processor-1", &reveal(&stored[0].token)).await.unwrap();
    assert_eq!(full.number.expose(), "4111111111111111");
    assert_eq!(full.expiry.expose(), "11/2014");

    let asked: Vec<_> = {
        let book = till.keys.book();
        let line = |r: &keys_api::ReleaseKeys| {
            let group = &r.groups[0];
            (r.caller.to_string(), r.operation, group.fields, group.epoch, group.records.len())
        };
        book.released.iter().map(line).collect()
    };
    let fields = |fields: &[Field]| fields.iter().copied().collect::<FieldSet>();
    let (number, expiry, masked) = (Field::CardNumber, Field::CardExpiry, Field::CardMasked);
    let (checkout, processor) = ("checkout-1".to_owned(), "processor-1".to_owned());
    let sealed = Some(Epoch(3));
    assert_eq!(
        asked,
        [
            (checkout.clone(), Operation::Seal, fields(&[number, expiry, masked]), None, 2),
            (checkout, Operation::Release, fields(&[expiry, masked]), sealed, 1),
            (processor, Operation::Release, fields(&[number, expiry]), sealed, 1),
        ]
    );
}

#[tokio::test]
async fn refused_calls_use_no_numbers_up() {
    let mut till = Till::open().await;
    till.store(&[VISA]).await;
    let store = StoreCards { cards: vec![card(VISA)] };
    till.keys.book().spent = true;
    let spent = till.call("checkout-1", &store).await.unwrap_err();
    till.keys.book().spent = false;
    assert!(spent.is(ProblemType::BUDGET_EXHAUSTED), "{spent}");
    assert_eq!(spent.retry_after_s, Some(7));
    till.call("web-1", &store).await.unwrap_err();
    let many: Vec<_> = std::iter::repeat_n(AMEX, 1_000).collect();
    till.store(&many).await;
    till.stop().await;
    till.start().await;

    let last = till.store(&[AMEX]).await;
    till.call("checkout-1", &ReadCard { token: last[0].token.clone() }).await.unwrap();
    assert_eq!(till.asked_for(Operation::Release), [Record(1_001)]);
    assert_eq!(till.call("response-1", &CountCards {}).await, Ok(1_002));
}

#[tokio::test]
async fn calls_at_the_same_time_get_numbers_of_their_own() {
    let till = Till::open().await;
    let calls = (0..8).map(|_| {
        let client = till.client("checkout-1");
        tokio::spawn(async move {
            client.call(&StoreCards { cards: vec![card(VISA), card(AMEX)] }).await.unwrap()
        })
    });
    for call in calls.collect::<Vec<_>>() {
        for stored in call.await.unwrap() {
            let read = ReadCard { token: stored.token };
            till.call("checkout-1", &read).await.unwrap();
        }
    }
    let mut records = till.asked_for(Operation::Release);
    records.sort_unstable();
    assert_eq!(records, (0..16).map(Record).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_bad_card_keeps_the_whole_call_out() {
    let till = Till::open().await;
    let with = |change: fn(&mut CardDetails)| {
        let mut bad = card(VISA);
        change(&mut bad);
        StoreCards { cards: vec![card(VISA), bad] }
    };
    for (call, says) in [
        (with(|c| c.number = Personal::new("4111111111111112")), "card 2: the card number's check"),
        (with(|c| c.number = Personal::new("4111")), "card 2: a card number has 12 to 19"),
        (with(|c| c.number = Personal::new("4111ada")), "card 2: a card number has digits"),
        (with(|c| c.expiry_month = 13), "card 2: the month"),
        (with(|c| c.expiry_year = 2011), "card 2: the card has expired"),
        (with(|c| c.expiry_year = 14), "card 2: the card has expired"),
        (StoreCards { cards: Vec::new() }, "1 to 1000 cards"),
        (StoreCards { cards: vec![card(VISA); 1_001] }, "1 to 1000 cards"),
    ] {
        let refused = till.call("checkout-1", &call).await.unwrap_err();
        assert!(refused.is(ProblemType::BAD_REQUEST));
        assert!(refused.detail.contains(says), "{}", refused.detail);
        assert!(!refused.detail.contains("4111"), "{}", refused.detail);
    }
    assert!(till.keys.book().released.is_empty());
    assert_eq!(till.call("response-1", &CountCards {}).await, Ok(0));
}

/// A call with the security code, as a careless shop might make it.
#[derive(Serialize, Deserialize, JsonSchema)]
struct WithCode {
    cards: Vec<serde_json::Value>,
}

impl Call for WithCode {
    const PATH: &'static str = StoreCards::PATH;
    type Answer = ();
}

#[tokio::test]
async fn a_security_code_is_refused_by_name() {
    let till = Till::open().await;
    let mut card = serde_json::to_value(card(VISA)).unwrap();
    card["cvv"] = "737".into();
    let refused = till.call("checkout-1", &WithCode { cards: vec![card] }).await.unwrap_err();
    assert!(refused.is(ProblemType::BAD_REQUEST));
    assert!(refused.detail.contains("cvv") && !refused.detail.contains("737"), "{refused}");
}

#[tokio::test]
async fn an_unknown_token_takes_the_grant_the_budget_and_the_log_like_a_known_one() {
    let till = Till::open().await;
    let known = till.store(&[VISA]).await.remove(0).token;
    let unknown: CardToken = "0".repeat(32).parse().unwrap();
    till.keys.book().released.clear();
    // Without a grant, the two can't be told apart.
    for caller in ["stranger", "checkout-1"] {
        let [known, unknown] = [&known, &unknown].map(reveal);
        let known = till.call(caller, &known).await.unwrap_err();
        assert!(known.is(ProblemType::NOT_GRANTED), "{known}");
        assert_eq!(till.call(caller, &unknown).await.unwrap_err(), known);
    }
    assert!(till.keys.book().released.is_empty());

    let read = ReadCard { token: unknown.clone() };
    for refused in [
        till.call("processor-1", &reveal(&unknown)).await.unwrap_err(),
        till.call("checkout-1", &read).await.unwrap_err(),
    ] {
        assert_eq!(refused, Problem::not_found("no card has this token"));
    }
    let fields = |fields: &[Field]| fields.iter().copied().collect::<FieldSet>();
    let asked: Vec<_> = {
        let book = till.keys.book();
        let groups = book.released.iter().map(|call| call.groups[0].clone());
        groups.map(|group| (group.fields, group.unset, group.records)).collect()
    };
    let nobody = vec![Record::NOBODY];
    let (number, expiry, masked) = (Field::CardNumber, Field::CardExpiry, Field::CardMasked);
    let expected = [
        (FieldSet::EMPTY, fields(&[number, expiry]), nobody.clone()),
        (FieldSet::EMPTY, fields(&[masked, expiry]), nobody),
    ];
    assert_eq!(asked, expected);
    till.keys.book().spent = true;
    let spent = till.call("checkout-1", &read).await.unwrap_err();
    assert!(spent.is(ProblemType::BUDGET_EXHAUSTED), "{spent}");
}

#[tokio::test]
async fn an_answer_for_other_cards_is_refused() {
    let till = Till::open().await;
    let token = till.store(&[VISA]).await.remove(0).token;
    till.keys.book().confused = true;
    let store = StoreCards { cards: vec![card(VISA)] };
    for refused in [
        till.call("processor-1", &reveal(&token)).await.unwrap_err(),
        till.call("checkout-1", &store).await.unwrap_err(),
    ] {
        assert!(refused.is(ProblemType::UPSTREAM), "{refused}");
    }
    assert_eq!(till.call("response-1", &CountCards {}).await, Ok(1));
    // `keys` may have sealed the record, and seals none again.
    till.keys.book().confused = false;
    till.call("checkout-1", &store).await.unwrap();
    let mut numbers = till.asked_for(Operation::Seal);
    numbers.dedup();
    assert_eq!(numbers.len(), 3, "a number was asked for twice: {numbers:?}");
}

/// `keys` writes a sealing to the log before the last checks, and its answer may get lost.
#[tokio::test]
async fn a_number_that_was_sealed_for_a_failed_call_stops_no_later_one() {
    let till = Till::open().await;
    let store = StoreCards { cards: vec![card(VISA), card(AMEX)] };
    for kind in [ProblemType::FROZEN, ProblemType::NOT_GRANTED, ProblemType::INTERNAL] {
        till.keys.book().fails_late = Some(kind);
        till.call("checkout-1", &store).await.unwrap_err();
        let sealed = till.keys.book().sealed.len();
        let stored = till.call("checkout-1", &store).await;
        assert_eq!(stored.map(|cards| cards.len()), Ok(2), "after {kind:?}");
        assert_eq!(till.keys.book().sealed.len(), sealed + 2);
    }
    assert_eq!(till.call("response-1", &CountCards {}).await, Ok(6));
}

#[tokio::test]
async fn a_freeze_outlives_a_restart_and_can_be_lifted() {
    let mut till = Till::open().await;
    let freeze = |caller: &str, frozen| FreezeCaller {
        caller: caller.parse().unwrap(),
        frozen,
        incident: None,
        reason: "it fell".parse().unwrap(),
    };
    let refused = till.call("response-1", &freeze("response-1", true)).await.unwrap_err();
    assert!(refused.is(ProblemType::BAD_REQUEST));
    till.call("response-1", &freeze("checkout-1", true)).await.unwrap();
    till.stop().await;
    till.start().await;
    let store = StoreCards { cards: vec![card(VISA)] };
    assert!(till.call("checkout-1", &store).await.unwrap_err().is(ProblemType::FROZEN));
    till.keys.book().holds = vec![Hold { incident: 2, hold: HoldId(1) }];
    let held = till.call("response-1", &freeze("checkout-1", false)).await.unwrap_err();
    assert!(held.is(STILL_HELD), "{held}");
    till.keys.book().holds.clear();
    till.call("response-1", &freeze("checkout-1", false)).await.unwrap();
    assert!(till.call("checkout-1", &store).await.is_ok());
}

#[tokio::test]
async fn a_revoked_key_is_refused_within_a_second_and_after_a_restart_without_keys() {
    let mut till = Till::open().await;
    let store = StoreCards { cards: vec![card(VISA)] };
    let stolen = till.client("checkout-1");
    stolen.call(&store).await.unwrap();
    let (caller, key) = ("checkout-1".parse().unwrap(), till.public_key("checkout-1"));
    till.keys.book().revoked = vec![RevokedKey { caller, key }];
    until(async || stolen.call(&store).await.is_err()).await;
    let refused = stolen.call(&store).await.unwrap_err();
    assert!(refused.is(ProblemType::NOT_GRANTED), "the open connection gets no answer: {refused}");
    assert!(till.client("checkout-1").call(&store).await.is_err());
    assert!(till.client("response-1").call(&CountCards {}).await.is_ok());
    till.stop().await;
    till.keys.book().revoked.clear();
    till.start().await;
    assert!(till.client("checkout-1").call(&store).await.is_err(), "the key is remembered");
    assert!(till.client("response-1").call(&CountCards {}).await.is_ok());
}

/// Only the end of a hold is signed, so a freeze without a hold must not end without one.
#[tokio::test]
async fn a_freeze_that_keys_never_held_is_not_thawed() {
    let mut till = Till::open().await;
    let order = |frozen| FreezeCaller {
        caller: "checkout-1".parse().unwrap(),
        frozen,
        incident: Some(2),
        reason: "it fell".parse().unwrap(),
    };
    // `keys` was down: it knows nothing of the freeze.
    till.call("response-1", &order(true)).await.unwrap();
    let unheld = till.call("response-1", &order(false)).await.unwrap_err();
    assert!(unheld.is(FREEZE_NOT_HELD), "{unheld}");
    till.stop().await;
    till.start().await;
    // The hold of another incident is no hold of this one.
    till.keys.book().holds = vec![Hold { incident: 3, hold: HoldId(1) }];
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    till.keys.book().holds.clear();
    let unheld = till.call("response-1", &order(false)).await.unwrap_err();
    assert!(unheld.is(FREEZE_NOT_HELD), "{unheld}");
    let store = StoreCards { cards: vec![card(VISA)] };
    assert!(till.call("checkout-1", &store).await.unwrap_err().is(ProblemType::FROZEN));

    // Staff freeze it again, and an approver signs that the hold ends.
    till.keys.book().holds = vec![Hold { incident: 2, hold: HoldId(2) }];
    till.call("response-1", &order(true)).await.unwrap();
    till.keys.book().holds.clear();
    till.call("response-1", &order(false)).await.unwrap();
    assert!(till.call("checkout-1", &store).await.is_ok());

    // `keys` comes back with a hold by itself, as from an instance that did answer.
    till.call("response-1", &order(true)).await.unwrap();
    until(async || {
        till.keys.book().holds = vec![Hold { incident: 2, hold: HoldId(3) }];
        tokio::time::sleep(Duration::from_millis(200)).await;
        till.keys.book().holds.clear();
        till.call("response-1", &order(false)).await.is_ok()
    })
    .await;
    till.stop().await;
}
