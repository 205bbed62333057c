//! Following the logs of several instances of `keys`, and giving orders to several instances of
//! `accounts` and `payments`.

use cofferdam_core::KeyBytes;
use cofferdam_tlog::notes::{NoteKey, NoteKind};
use keys_api::ReadCheckpoint;
use response_server::KeysInstance;
use testkit::{free_address, until};

use crate::bench::Bench;
use crate::contain::freeze;

fn nobody() -> String {
    format!("https://localhost:{}", free_address().port())
}

#[tokio::test]
async fn the_other_logs_are_followed_while_an_instance_of_keys_is_down() {
    let bench = Bench::start_with(|config, _| {
        let seed = KeyBytes::new([1; 32]);
        let key = NoteKey::new(NoteKind::Log, "keys-0.example/log", &seed).unwrap();
        config.keys.insert(0, KeysInstance { url: nobody(), log_key: key.verifier() });
    })
    .await;
    until(async || bench.neighbours.taken::<ReadCheckpoint>("keys").len() > 4).await;
}

#[tokio::test]
async fn an_order_goes_to_the_instances_that_are_there() {
    let bench = Bench::start_with(|config, _| {
        config.accounts.insert(0, nobody());
        config.payments.insert(0, nobody());
    })
    .await;
    let incident = bench.declare().await;
    assert!(bench.done(freeze(incident, true)).await.frozen);
    let taken = bench.neighbours.taken::<accounts_api::FreezeCaller>("accounts");
    assert_eq!(taken.iter().map(|order| order.incident).collect::<Vec<_>>(), [Some(incident.0)]);
    assert_eq!(bench.neighbours.taken::<payments_api::FreezeCaller>("payments").len(), 1);
}
