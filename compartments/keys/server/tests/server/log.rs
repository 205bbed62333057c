//! The log as auditors and public tools read it.

use cofferdam_tlog::notes::read_checkpoint;
use cofferdam_tlog::{Hash, check_record};
use keys_api::{ProveInclusion, ReadCheckpoint};

use crate::support::Keys;

#[tokio::test]
async fn an_auditor_checks_that_an_entry_is_in_the_tree() {
    let keys = Keys::start().await;
    for n in 0..20 {
        keys.release("web-ky-1", &[n]).await.unwrap();
    }
    let auditor = keys.client("auditor-1");
    let note = auditor.call(&ReadCheckpoint { since: 0 }).await.unwrap().note;
    let checkpoint = read_checkpoint(&note, &keys.verifier).unwrap();
    let call = ProveInclusion { index: 7, size: checkpoint.size() };
    let inclusion = auditor.call(&call).await.unwrap();
    let proof = inclusion.proof.into_iter().map(Hash).collect();
    let leaf = Hash(inclusion.leaf);
    check_record(&proof, inclusion.size, *checkpoint.hash(), 7, leaf).unwrap();
    let beyond = ProveInclusion { index: 7, size: checkpoint.size() + 1_000 };
    assert!(auditor.call(&beyond).await.is_err());
}
