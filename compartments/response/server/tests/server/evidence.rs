//! The grounds of the evidence, sealed bags, and what staff see of `keys`.

use cofferdam_core::Domain;
use cofferdam_tlog::notes::{NoteKind, is_verifier};
use cofferdam_wire::ProblemType;
use response_api::{
    IncidentId, JournalAct, ListCallers, ListEpochs, ListEvidence, PublishNotice, ReadGrounds,
    ReadPolicy, ScopeIncident, SealBag, bag_name,
};

use crate::bench::Bench;

/// The base64 of a SHA-256.
const HASH: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

#[tokio::test]
async fn the_grounds_name_the_keys_and_hold_the_notice() {
    let bench = Bench::start().await;
    let incident = bench.scoped_table().await;
    let grounds = bench.done(ReadGrounds { incident }).await;
    assert_eq!((grounds.organization.as_str(), grounds.notice), ("Shoeleather", None));
    assert!(is_verifier(&grounds.log_keys[0], NoteKind::Log));
    assert!(is_verifier(&grounds.witness_key, NoteKind::Witness));
    assert!(is_verifier(&grounds.bag_key, NoteKind::Log));
    let notice = bench.done(PublishNotice { incident }).await;
    let page = bench.done(ReadGrounds { incident }).await.notice.unwrap();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, page.as_bytes());
    assert_eq!(hex::encode(digest), notice.sha256);
    let journal = bench.journal(incident).await;
    let published = journal.iter().rfind(|entry| entry.action == JournalAct::PublishNotice);
    assert_eq!(published.unwrap().detail, format!("SHA-256 {}", notice.sha256));
    // The notice of another incident is not used.
    let other = bench.declare().await;
    assert_eq!(bench.done(ReadGrounds { incident: other }).await.notice, None);
}

#[tokio::test]
async fn a_bag_is_sealed_for_its_own_incident() {
    let bench = Bench::start_alone().await;
    let incident = bench.declare().await;
    let statement = |heading: &str, incident: IncidentId, hash: &str| {
        format!("{heading}\n{}\n{hash}\n", bag_name(incident))
    };
    let heading = "cofferdam evidence bag v1";
    let good = statement(heading, incident, HASH);
    for wrong in [
        String::new(),
        statement("keys.example/log", incident, HASH),
        statement(heading, IncidentId(2), HASH),
        statement(heading, incident, &HASH[1..]),
        statement(heading, incident, &HASH.replace('+', "!")),
        format!("{good}more\n"),
        good.trim_end().to_owned(),
    ] {
        bench.refused(SealBag { incident, statement: wrong }, ProblemType::BAD_REQUEST).await;
    }
    assert_eq!(bench.journal(incident).await.len(), 1);
    let note = bench.done(SealBag { incident, statement: good.clone() }).await;
    assert!(note.starts_with(&good), "{note}");
    assert!(note.contains("\n\n\u{2014} response.example/evidence "), "{note}");
    let entry = bench.journal(incident).await.pop().unwrap();
    assert_eq!(entry.detail, format!("tag manifest {HASH}"));
}

#[tokio::test]
async fn evidence_is_listed_log_by_log() {
    let bench = Bench::start().await;
    let incident = bench.declare().await;
    let exposure = bench.done(ScopeIncident { incident, from_log: false }).await;
    assert_eq!(exposure.logs.len(), 1);
    let page = bench.done(ListEvidence { incident, log: 0, from: 0 }).await;
    assert_eq!((page.entries.len(), page.next), (0, None), "nothing was copied");
    let unknown = ListEvidence { incident, log: 1, from: 0 };
    bench.refused(unknown, ProblemType::NOT_FOUND).await;
}

#[tokio::test]
async fn staff_see_policy_callers_and_epochs_as_keys_shows_them() {
    let bench = Bench::start().await;
    assert_eq!(bench.done(ReadPolicy {}).await["version"], 7);
    assert_eq!(bench.done(ListCallers {}).await[0]["caller"], "web-ky-2");
    let epochs = bench.done(ListEpochs {}).await;
    let domains: Vec<_> = epochs.iter().map(|of| (of.domain, of.reseal.is_some())).collect();
    for domain in Domain::ALL {
        assert!(domains.contains(&(domain, domain != Domain::Response)), "{domains:?}");
    }
    assert_eq!(epochs[0].epochs["current"], 1);
}

#[tokio::test]
async fn what_keys_would_show_is_unknown_while_it_is_down() {
    let bench = Bench::start_alone().await;
    bench.refused(ReadPolicy {}, ProblemType::UPSTREAM).await;
    bench.refused(ListCallers {}, ProblemType::UPSTREAM).await;
    assert_eq!(bench.done(ListEpochs {}).await.len(), 0);
}
