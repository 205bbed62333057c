//! Moving to a new epoch.

use std::time::Duration;

use cofferdam_core::{Epoch, Operation};
use payments_api::{ReadReseal, RevealCard};

use crate::support::Till;

#[tokio::test]
async fn every_card_moves_to_the_new_epoch_and_reads_the_same() {
    let till = Till::open().await;
    let stored = till.store(&["4111111111111111", "378282246310005"]).await;
    // Progress under the old epoch does not count for the new one.
    loop {
        let state = till.call("response-1", &ReadReseal {}).await.unwrap();
        if state.records == 2 && state.is_done() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    till.keys.book().epoch = Epoch(4);
    // A run that fails is repeated, so only the end counts.
    loop {
        let state = till.call("response-1", &ReadReseal {}).await.unwrap();
        if state.epoch == Some(Epoch(4)) && state.is_done() {
            assert_eq!((state.resealed, state.trouble), (2, None));
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    till.keys.book().released.clear();
    for (card, number) in stored.into_iter().zip(["4111111111111111", "378282246310005"]) {
        let shown = till.call("processor-1", &RevealCard { token: card.token }).await.unwrap();
        assert_eq!(shown.number.expose(), number);
    }
    let book = till.keys.book();
    assert!(book.released.iter().all(|call| call.operation == Operation::Release));
    assert!(book.released.iter().all(|call| call.groups[0].epoch == Some(Epoch(4))));
}
