//! Planning and drafting letters, and reading their ledgers.

use std::collections::BTreeMap;

use cofferdam_core::{Personal, Sha256};
use cofferdam_wire::ProblemType;
use response_api::{
    Audience, DraftLetter, IncidentId, LETTER_FAULTY, LETTER_NOT_PLANNED, LedgerState, LetterId,
    LetterState, PlanLetter, ReadLedger, ReadLetter, STAFF_LIST_CHANGED, TestLetter,
};
use testkit::{SmtpSink, free_address};

use crate::bench::Bench;

#[tokio::test]
async fn a_letter_is_planned_once() {
    let bench = Bench::start_alone().await;
    let incident = bench.scoped_table().await;
    let plan = PlanLetter { incident, audience: Audience::Customers };
    for _ in 0..2 {
        let planned = bench.done(plan.clone()).await;
        assert_eq!((planned.letter, planned.people, planned.planned), (LetterId(1), 3, true));
    }
    assert_eq!(bench.plan(incident, Audience::Staff).await, LetterId(2));
    let entries = bench.journal(incident).await;
    let planned: Vec<_> = entries.iter().filter(|e| e.action.as_str() == "letters.plan").collect();
    let details: Vec<_> = planned.iter().map(|entry| entry.detail.as_str()).collect();
    assert_eq!(details, ["letter 1 to customers: 3 people", "letter 2 to staff: 2 people"]);
    let status = bench.done(ReadLetter { letter: LetterId(1) }).await;
    assert_eq!((status.state, status.of(LedgerState::Planned)), (LetterState::Planned, 3));
    assert_eq!(status.people.len(), LedgerState::ALL.len(), "every state is named");
}

/// A full disk interrupts planning. Rows of the letter to staff are lines of the staff list, so
/// planning resumes only with the same list.
#[tokio::test]
async fn planning_goes_on_only_with_the_same_staff_list() {
    let bench = Bench::start_alone().await;
    let incident = bench.scoped_table().await;
    bench
        .execute(
            "CREATE TRIGGER full BEFORE INSERT ON ledger
             BEGIN SELECT RAISE(ABORT, 'the disk is full'); END",
        )
        .await;
    let plan = PlanLetter { incident, audience: Audience::Staff };
    bench.refused(plan.clone(), ProblemType::INTERNAL).await;
    bench.refused(DraftLetter { letter: LetterId(1) }, LETTER_NOT_PLANNED).await;
    bench.execute("DROP TRIGGER full").await;
    let list = bench.dir.path().join("staff.csv");
    let before = std::fs::read_to_string(&list).unwrap();
    std::fs::write(&list, format!("{before}Eve,eve@shoeleather.example,en\n")).unwrap();
    bench.refused(plan.clone(), STAFF_LIST_CHANGED).await;
    std::fs::write(&list, before).unwrap();
    let planned = bench.done(plan).await;
    assert_eq!((planned.people, planned.planned), (2, true));
}

#[tokio::test]
async fn a_draft_shows_every_text_and_is_the_same_within_an_hour() {
    let bench = Bench::start_alone().await;
    let incident = bench.scoped_table().await;
    let letter = bench.plan(incident, Audience::Staff).await;
    let draft = bench.done(DraftLetter { letter }).await;
    let mut languages: Vec<_> = draft.variants.iter().map(|of| of.language.as_str()).collect();
    languages.sort_unstable();
    assert_eq!(languages, ["de", "en"]);
    assert!(draft.variants.iter().all(|of| of.people == 1 && of.text.contains("Shoeleather")));
    assert_eq!(bench.done(DraftLetter { letter }).await.version, draft.version);
    let drafted = ("letters.draft".to_owned(), None);
    assert_eq!(bench.last_acts(incident).await, [drafted.clone(), drafted]);
    let stored = bench.store().await.version(letter, draft.version).await.unwrap();
    assert_eq!(stored, Some(draft.body));
}

#[tokio::test]
async fn a_text_that_breaks_a_rule_is_refused_by_name() {
    let bench = Bench::start_with(|config, _| {
        let sentence = "Read more at evil.example.".to_owned();
        config.shop.measures = BTreeMap::from([("en".to_owned(), sentence)]);
    })
    .await;
    let incident = bench.scoped_table().await;
    let letter = bench.plan(incident, Audience::Customers).await;
    let refused = bench.refused(DraftLetter { letter }, LETTER_FAULTY).await;
    assert!(refused.detail.contains("evil.example"), "{}", refused.detail);
    let entries = bench.journal(incident).await;
    assert!(entries.iter().all(|entry| entry.action.as_str() != "letters.draft"));
}

#[tokio::test]
async fn a_ledger_is_read_page_by_page_and_journalled_once() {
    let bench = Bench::start_alone().await;
    let incident = bench.scoped_table().await;
    let letter = bench.plan(incident, Audience::Customers).await;
    let read = |from, limit| ReadLedger { letter, from, limit, state: None };
    let first = bench.done(read(0, 2)).await;
    let last = bench.done(read(2, 100_000)).await;
    assert_eq!(bench.done(read(3, 2)).await, []);
    let people: Vec<_> = first.iter().chain(&last).map(|row| row.person).collect();
    assert_eq!(people, [0, 1, 2]);
    let ids = bench.store().await.letter(letter).await.unwrap().unwrap().ids;
    let row = &first[1];
    assert_eq!(row.message_id, ids.of(1, "shoeleather.example"));
    assert_eq!((row.state, &row.outcome), (LedgerState::Planned, &None));
    let reads = bench.journal(incident).await;
    assert_eq!(reads.iter().filter(|entry| entry.action.as_str() == "ledger.read").count(), 3);
    let accepted = ReadLedger { state: Some(LedgerState::Accepted), ..read(0, 9) };
    assert_eq!(bench.done(accepted).await, []);
}

fn test_letter(letter: LetterId, version: Sha256) -> TestLetter {
    TestLetter { letter, version, variant: 0, to: Personal::new(" Ada@Shoeleather.example") }
}

#[tokio::test]
async fn a_test_letter_goes_to_nobody_but_staff() {
    let bench = Bench::start_alone().await;
    let incident = bench.scoped_table().await;
    let letter = bench.plan(incident, Audience::Customers).await;
    let version = bench.done(DraftLetter { letter }).await.version;
    let good = test_letter(letter, version);
    let outside = TestLetter { to: Personal::new("ada@elsewhere.example"), ..good.clone() };
    let refused = bench.refused(outside, ProblemType::BAD_REQUEST).await;
    assert!(!refused.detail.contains("elsewhere"), "an address is personal: {}", refused.detail);
    let other_version = TestLetter { version: Sha256([7; 32]), ..good.clone() };
    bench.refused(other_version, ProblemType::NOT_FOUND).await;
    bench.refused(TestLetter { variant: 1, ..good.clone() }, ProblemType::NOT_FOUND).await;
    let unknown = TestLetter { letter: LetterId(9), ..good.clone() };
    bench.refused(unknown, ProblemType::NOT_FOUND).await;
    assert_eq!(bench.last_acts(incident).await, [("letters.draft".to_owned(), None)]);
    // The relay is down.
    bench.refused(good, ProblemType::UPSTREAM).await;
    let [intended, failed] = stages(&bench, incident).await;
    assert_eq!((intended.as_str(), failed.as_str()), ("Intended", "Failed"));
}

#[tokio::test]
async fn a_test_letter_is_marked_as_one() {
    let relay = free_address();
    let bench = Bench::start_with(|config, _| {
        config.letters.relays[0].address = relay.to_string();
    })
    .await;
    let dump = bench.dir.path().join("dump");
    let _sink = SmtpSink::start(relay, Some(&dump));
    let incident = bench.scoped_table().await;
    let letter = bench.plan(incident, Audience::Customers).await;
    let version = bench.done(DraftLetter { letter }).await.version;
    assert!(!bench.done(test_letter(letter, version)).await.is_empty(), "the relay's receipt");
    let sent = std::fs::read_to_string(dump).unwrap();
    assert!(sent.contains("ada@shoeleather.example"), "{sent}");
    assert!(sent.contains("Subject: [Test] "), "{sent}");
    assert!(sent.contains("TESTX-TESTX"), "{sent}");
    let [intended, done] = stages(&bench, incident).await;
    assert_eq!((intended.as_str(), done.as_str()), ("Intended", "Done"));
    // A test letter changes no row.
    let status = bench.done(ReadLetter { letter }).await;
    assert_eq!(status.of(LedgerState::Planned), 3);
}

/// The stages of the last two acts, which are test letters.
async fn stages(bench: &Bench, incident: IncidentId) -> [String; 2] {
    bench.last_acts(incident).await.map(|(act, stage)| {
        assert_eq!(act, "letters.test");
        format!("{:?}", stage.unwrap())
    })
}
