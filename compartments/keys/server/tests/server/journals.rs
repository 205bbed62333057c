//! Anchors of the journals of `response`, and the checkpoint that every compartment is told.

use cofferdam_core::{Clock, Domain, Sha256, StateId};
use cofferdam_tlog::notes::read_checkpoint;
use cofferdam_wire::ProblemType;
use keys_api::{
    AlarmKind, AnchorJournal, CheckState, Event, JOURNAL_CONTRADICTS, JournalHead, LogCheckpoint,
    SeenLog, Trouble,
};

use crate::support::{Keys, events, refused};

fn anchor(length: u32, head: u8) -> AnchorJournal {
    AnchorJournal { journal: 1, end: JournalHead { length, head: Sha256([head; 32]) } }
}

async fn anchored(keys: &Keys) -> Vec<u32> {
    let lengths = events(keys).await.into_iter().filter_map(|event| match event {
        Event::JournalAnchored { journal: 1, length, .. } => Some(length),
        _ => None,
    });
    lengths.collect()
}

#[tokio::test]
async fn a_journal_never_shrinks_and_a_contradiction_rings() {
    let keys = Keys::start().await;
    let response = keys.client("response-1");
    response.call(&anchor(3, 1)).await.unwrap();
    response.call(&anchor(3, 1)).await.unwrap();
    assert_eq!(anchored(&keys).await, [3], "the same end takes no second entry");
    refused(response.call(&anchor(3, 2)).await, JOURNAL_CONTRADICTS);
    assert!(keys.rings(AlarmKind::Journal).await.detail.contains("entry 3 is not the one"));
    refused(response.call(&anchor(2, 1)).await, JOURNAL_CONTRADICTS);
    let other = AnchorJournal { journal: 2, ..anchor(1, 9) };
    response.call(&other).await.unwrap();
    response.call(&anchor(5, 4)).await.unwrap();
    assert_eq!(anchored(&keys).await, [3, 5]);
}

/// A fallen `response` can't anchor a length that no honest journal ever reaches.
#[tokio::test]
async fn a_journal_grows_by_a_bounded_number_of_entries_in_an_hour() {
    let keys = Keys::start().await;
    let response = keys.client("response-1");
    for length in [1_000_001, u32::MAX] {
        let refusal = response.call(&anchor(length, 1)).await;
        refused(refusal, ProblemType::BUDGET_EXHAUSTED);
    }
    let alarm = keys.rings(AlarmKind::Journal).await;
    assert!(alarm.detail.contains("journal 1"), "{alarm:?}");
    response.call(&anchor(1_000_000, 1)).await.unwrap();
    refused(response.call(&anchor(1_000_001, 1)).await, ProblemType::BUDGET_EXHAUSTED);
    assert_eq!(anchored(&keys).await, [1_000_000]);
}

#[tokio::test]
async fn an_older_database_learns_the_anchors_from_the_log() {
    let mut keys = Keys::start().await;
    keys.client("response-1").call(&anchor(3, 1)).await.unwrap();
    let copy = keys.copy_database().await;
    keys.client("response-1").call(&anchor(7, 2)).await.unwrap();
    keys.put_back_database(&copy).await;
    refused(keys.client("response-1").call(&anchor(6, 1)).await, JOURNAL_CONTRADICTS);
    keys.client("response-1").call(&anchor(8, 1)).await.unwrap();
    assert_eq!(anchored(&keys).await, [3, 7, 8]);
}

async fn told(keys: &Keys, seen: Vec<SeenLog>, troubles: Vec<Trouble>) -> LogCheckpoint {
    let (domain, state, beat) = (Domain::Accounts, StateId(1), keys.clock.now());
    let call =
        CheckState { domain, state, is_new: false, beat, known: None, numbers: 0, troubles, seen };
    keys.client("accounts").call(&call).await.unwrap().log.unwrap()
}

#[tokio::test]
async fn a_check_of_the_state_tells_the_logs_checkpoint_and_that_it_only_grew() {
    let keys = Keys::start().await;
    let first = told(&keys, vec![], vec![]).await;
    let size = read_checkpoint(&first.note, &first.log_key).unwrap().size();
    assert!(size > 0 && first.consistency.is_empty());
    keys.client("response-1").call(&anchor(1, 1)).await.unwrap();
    let log = first.log_key.split('+').next().unwrap().to_owned();
    let seen = |size| vec![SeenLog { log: log.clone(), size }];
    let later = told(&keys, seen(size), vec![]).await;
    assert!(!later.consistency.is_empty());
    // A compartment that saw more entries than there are is not refused: it must see the size.
    let beyond = told(&keys, seen(1_000_000), vec![]).await;
    assert!(read_checkpoint(&beyond.note, &beyond.log_key).unwrap().size() < 1_000_000);
    told(&keys, vec![], vec![Trouble::LogRewritten { what: "it is shorter".to_owned() }]).await;
    let alarm = keys.rings(AlarmKind::WitnessDisagreement).await;
    assert!(alarm.detail.contains("rewritten or emptied: it is shorter"), "{alarm:?}");
}
