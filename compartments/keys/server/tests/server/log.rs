//! The log as auditors and public tools read it.

use cofferdam_tlog::notes::read_checkpoint;
use cofferdam_tlog::{Hash, check_record, check_tree};
use cofferdam_wire::ProblemType;
use keys_api::{AlarmKind, ProveEntry, ReadCheckpoint, ReadEntries};

use crate::support::{Keys, refused, until};

#[tokio::test]
async fn an_auditor_checks_that_an_entry_is_in_the_tree() {
    let keys = Keys::start().await;
    for n in 0..20 {
        keys.release("web-ky-1", &[n]).await.unwrap();
    }
    let auditor = keys.client("auditor-1");
    let note = auditor.call(&ReadCheckpoint { since: 0 }).await.unwrap().note;
    let checkpoint = read_checkpoint(&note, &keys.verifier).unwrap();
    let call = ProveEntry { index: 7, size: checkpoint.size() };
    let inclusion = auditor.call(&call).await.unwrap();
    assert_eq!(inclusion.size, checkpoint.size());
    let proof = inclusion.proof.into_iter().map(Hash).collect();
    let leaf = Hash(inclusion.leaf);
    check_record(&proof, inclusion.size, *checkpoint.hash(), 7, leaf).unwrap();
    let beyond = ProveEntry { index: 7, size: checkpoint.size() + 1_000 };
    refused(auditor.call(&beyond).await, ProblemType::BAD_REQUEST);
    let whole = auditor.call(&ProveEntry { index: 7, size: 0 }).await.unwrap();
    assert_eq!(whole.size, 21, "the start, and twenty releases");
}

#[tokio::test]
async fn the_log_grows_provably() {
    let mut keys = Keys::start().await;
    let mut before: Option<(u64, Hash)> = None;
    for round in 0..4_u32 {
        for n in 0..9 {
            keys.release("web-ky-1", &[round * 9 + n]).await.unwrap();
        }
        let since = before.map_or(0, |(size, _)| size);
        let answer = keys.client("response-1").call(&ReadCheckpoint { since }).await.unwrap();
        let checkpoint = read_checkpoint(&answer.note, &keys.verifier).unwrap();
        if let Some((size, root)) = before {
            let proof = answer.consistency.into_iter().map(Hash).collect();
            let (now, new_root) = (checkpoint.size(), *checkpoint.hash());
            check_tree(&proof, now, new_root, size, root).unwrap();
        }
        before = Some((checkpoint.size(), *checkpoint.hash()));
        keys.restart().await;
    }
}

#[tokio::test]
async fn entries_are_read_from_anywhere_up_to_the_end() {
    let keys = Keys::start().await;
    for n in 0..5 {
        keys.release("web-ky-1", &[n]).await.unwrap();
    }
    let auditor = keys.client("auditor-1");
    let count = async |from, limit| {
        auditor.call(&ReadEntries { from, limit }).await.map(|page| page.entries.len())
    };
    assert_eq!(count(0, 100).await.unwrap(), 6);
    assert_eq!(count(2, 3).await.unwrap(), 3);
    assert_eq!(count(6, 100).await.unwrap(), 0);
    refused(count(7, 100).await, ProblemType::BAD_REQUEST);
    let since = ReadCheckpoint { since: 7 };
    refused(auditor.call(&since).await, ProblemType::BAD_REQUEST);
}

/// A disk with little room rings before it is full, and health says so.
#[tokio::test]
async fn a_disk_with_little_room_rings() {
    let mut keys = Keys::start().await;
    keys.least_free_mib = u64::MAX;
    keys.restart().await;
    let alarm = keys.rings(AlarmKind::Disk).await;
    assert!(alarm.detail.contains("MiB are left"), "{}", alarm.detail);
    assert!(keys.get("response-1", "/healthz").await.starts_with("disk: "));
}

/// Without its files, the log has no checkpoint that would tell of the loss. The database knows how
/// much of it was read.
#[tokio::test]
async fn a_lost_log_is_never_taken_for_a_new_one() {
    let mut keys = Keys::start().await;
    let decoys = keys.decoys(1_000).await;
    for (count, decoy) in (1..).zip(&decoys[..2]) {
        keys.release("web-ky-1", &[decoy.0]).await.unwrap();
        // The second ring tells that the first entry was noted as read.
        until(async || keys.rings(AlarmKind::Decoy).await.count == count).await;
    }
    keys.stop().await;
    std::fs::remove_dir_all(keys.log_dir()).unwrap();
    let refused = keys.try_start().await.unwrap_err().to_string();
    assert!(refused.contains("restore the log"), "{refused}");
}
