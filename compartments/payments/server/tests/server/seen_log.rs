//! The highest checkpoint of the release log: it is kept over restarts, and a log that was rewritten
//! or emptied is told.

use cofferdam_core::KeyBytes;
use cofferdam_tlog::Hash;
use cofferdam_tlog::notes::{NoteKey, NoteKind};
use keys_api::{LogCheckpoint, Trouble};
use payments_api::ListCheckpoints;
use testkit::until;

use crate::support::Till;

fn log(size: u64, root: u8) -> LogCheckpoint {
    let key = NoteKey::new(NoteKind::Log, "keys.example/log", &KeyBytes::new([1; 32])).unwrap();
    let note = key.checkpoint(size, Hash([root; 32])).unwrap();
    LogCheckpoint { log_key: key.verifier(), note, consistency: vec![] }
}

async fn kept(till: &Till) -> Vec<u64> {
    let kept = till.call("response-1", &ListCheckpoints {}).await.unwrap();
    kept.iter().map(|of| of.size).collect()
}

fn tells(till: &Till) -> bool {
    let troubles = till.keys.book().states.troubles();
    troubles.iter().any(|of| matches!(of, Trouble::LogRewritten { .. }))
}

#[tokio::test]
async fn the_highest_checkpoint_is_kept_over_restarts_and_a_rewritten_log_is_told() {
    let mut till = Till::open().await;
    assert_eq!(kept(&till).await, [0; 0], "an older keys tells none");
    till.keys.book().states.tell_log(log(9, 1));
    until(async || kept(&till).await == [9]).await;
    assert!(!tells(&till));
    for rewritten in [log(8, 1), log(9, 2), log(12, 1)] {
        till.keys.book().states.tell_log(rewritten);
        until(async || tells(&till)).await;
        till.stop().await;
        till.start().await;
        assert_eq!(kept(&till).await, [9]);
        till.keys.book().states.tell_log(log(9, 1));
        until(async || !tells(&till)).await;
    }
}
