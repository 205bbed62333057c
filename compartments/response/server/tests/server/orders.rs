//! Orders that people signed. `keys` checks the signatures; `response` checks that an order is for
//! the current draft.

use cofferdam_core::{Domain, Epoch, Field, FieldSet, Sha256, WarrantSubject};
use cofferdam_wire::ProblemType;
use keys_api::{
    ChangeEpoch, ChangePolicy, EpochChange, EpochOrder, OpenWarrant, POLICY_OUTDATED, Policy,
    Signature, Signed, Warrant, WarrantId,
};
use response_api::{
    ActStage, AppliedOrder, ApplyOrder, Audience, DraftLetter, DraftPaperPost, IncidentId,
    LETTER_RUNNING, LetterId, LetterState, ORDER_OUTDATED, ReadLetter, ReadPaperPost, SignedOrder,
    WarrantTerms,
};

use crate::bench::Bench;
use crate::neighbours::WARRANT;

const INTENDED: Option<ActStage> = Some(ActStage::Intended);
const DONE: Option<ActStage> = Some(ActStage::Done);
const FAILED: Option<ActStage> = Some(ActStage::Failed);

fn signed<T>(order: T) -> Signed<T> {
    let signature = |name: &str| Signature { approver: name.to_owned(), signature: "x".to_owned() };
    Signed { order, signatures: vec![signature("ann"), signature("bob")] }
}

fn warrant(terms: &WarrantTerms) -> Warrant {
    Warrant {
        id: WarrantId([8; 16]),
        incident: terms.incident,
        subject: terms.subject.clone(),
        caller: terms.caller.clone(),
        domain: terms.domain,
        fields: terms.fields,
        records: terms.records,
        from: "2012-01-15T10:00:00Z".parse().unwrap(),
        until: "2012-01-16T10:00:00Z".parse().unwrap(),
    }
}

fn order(warrant: Warrant) -> ApplyOrder {
    ApplyOrder { order: SignedOrder::Warrant(serde_json::to_value(signed(warrant)).unwrap()) }
}

/// The order that two people signed for these terms.
pub fn warrant_order(terms: &WarrantTerms) -> ApplyOrder {
    order(warrant(terms))
}

#[tokio::test]
async fn policies_and_epochs_are_carried_to_keys() {
    let bench = Bench::start().await;
    let policy = signed(Policy { version: 8, approvers: vec![], callers: vec![] });
    let call = SignedOrder::Policy(serde_json::to_value(&policy).unwrap());
    let applied = bench.done(ApplyOrder { order: call }).await;
    assert!(matches!(applied, AppliedOrder::Policy));
    let taken = bench.neighbours.taken::<ChangePolicy>("keys");
    assert_eq!((taken[0].policy.order.version, taken[0].policy.signatures.len()), (8, 2));

    let epoch = signed(EpochOrder {
        domain: Domain::Accounts,
        change: EpochChange::Retire { epoch: Epoch(1) },
        until: "2012-01-16T10:00:00Z".parse().unwrap(),
        break_glass: None,
    });
    let call = SignedOrder::Epoch(serde_json::to_value(&epoch).unwrap());
    assert!(matches!(bench.done(ApplyOrder { order: call }).await, AppliedOrder::Epoch));
    assert_eq!(bench.neighbours.taken::<ChangeEpoch>("keys")[0].order.order, epoch.order);
    let entries = bench.journal(IncidentId::NONE).await;
    let acts: Vec<_> = entries.iter().map(|e| (e.detail.as_str(), e.stage)).collect();
    assert_eq!(
        acts,
        [("policy", INTENDED), ("policy", DONE), ("epoch", INTENDED), ("epoch", DONE)]
    );
}

#[tokio::test]
async fn a_refusal_of_keys_is_passed_on_and_journalled() {
    let bench = Bench::start().await;
    bench.neighbours.refuse::<ChangePolicy>("keys", POLICY_OUTDATED);
    let policy = signed(Policy { version: 8, approvers: vec![], callers: vec![] });
    let order = SignedOrder::Policy(serde_json::to_value(&policy).unwrap());
    let refused = bench.staff().call(&ApplyOrder { order }).await.unwrap_err();
    assert!(refused.is(POLICY_OUTDATED), "{refused}");
    let entry = bench.journal(IncidentId::NONE).await.pop().unwrap();
    assert_eq!((entry.stage, entry.detail), (FAILED, format!("policy: {}", POLICY_OUTDATED.code)));
}

#[tokio::test]
async fn what_is_no_order_reaches_nobody() {
    let bench = Bench::start().await;
    let nonsense = || serde_json::json!({"order": 7});
    for order in [
        SignedOrder::Policy(nonsense()),
        SignedOrder::Epoch(nonsense()),
        SignedOrder::Warrant(nonsense()),
        SignedOrder::Void(nonsense()),
    ] {
        let refused = bench.refused(ApplyOrder { order }, ProblemType::BAD_REQUEST).await;
        assert!(refused.detail.starts_with("order.signed: "), "{}", refused.detail);
    }
    assert_eq!(bench.journal(IncidentId::NONE).await, []);
    assert_eq!(bench.neighbours.taken::<ChangePolicy>("keys").len(), 0);
}

#[tokio::test]
async fn a_warrant_approves_the_version_that_it_names() {
    let bench = Bench::start().await;
    let incident = bench.scoped_table().await;
    let letter = bench.plan(incident, Audience::Customers).await;
    let draft = bench.done(DraftLetter { letter }).await;
    let WarrantTerms { domain, fields, records, .. } = draft.warrant;
    assert_eq!((domain, records), (Domain::Response, 3));
    assert_eq!(fields, FieldSet::EMPTY.with(Field::BroughtName).with(Field::BroughtEmail));
    let AppliedOrder::Letter(status) = bench.done(warrant_order(&draft.warrant)).await else {
        panic!("the order is for a letter");
    };
    assert_eq!((status.version, status.state), (Some(draft.version), LetterState::Planned));
    let taken = bench.neighbours.taken::<OpenWarrant>("keys");
    assert_eq!(taken[0].warrant.order, warrant(&draft.warrant));
    let approve = |stage| ("letters.approve".to_owned(), stage);
    assert_eq!(bench.last_acts(incident).await, [approve(INTENDED), approve(DONE)]);
    let entry = bench.journal(incident).await.pop().unwrap();
    assert_eq!(entry.detail, format!("letter 1, version {}, by ann and bob", draft.version));
    let stored = bench.store().await.letter(letter).await.unwrap().unwrap();
    assert_eq!(stored.warrant, Some(WARRANT), "the number that keys gave it");
}

#[tokio::test]
async fn a_letter_to_staff_takes_a_warrant_for_nothing() {
    let bench = Bench::start().await;
    let incident = bench.scoped_table().await;
    let letter = bench.plan(incident, Audience::Staff).await;
    let terms = bench.done(DraftLetter { letter }).await.warrant;
    assert_eq!((terms.domain, terms.fields, terms.records), (Domain::Response, FieldSet::EMPTY, 2));
}

/// Every term of the warrant counts: two people signed for other terms.
#[tokio::test]
async fn a_warrant_with_other_terms_is_outdated() {
    let bench = Bench::start().await;
    let incident = bench.scoped_table().await;
    let letter = bench.plan(incident, Audience::Customers).await;
    let staff = bench.plan(incident, Audience::Staff).await;
    let terms = bench.done(DraftLetter { letter }).await.warrant;
    let before = bench.journal(incident).await;
    let good = warrant(&terms);
    let WarrantSubject::Letter { version, .. } = terms.subject else { panic!("no letter") };
    let of = |letter: LetterId, version| WarrantSubject::Letter { letter: letter.0, version };
    for wrong in [
        Warrant { incident: 2, ..good.clone() },
        Warrant { subject: of(letter, Sha256([7; 32])), ..good.clone() },
        Warrant { subject: of(staff, version), ..good.clone() },
        Warrant { subject: WarrantSubject::PaperPost { letter: letter.0 }, ..good.clone() },
        Warrant { caller: "web-ky-1".parse().unwrap(), ..good.clone() },
        Warrant { domain: Domain::Accounts, ..good.clone() },
        Warrant { fields: good.fields.with(Field::BroughtAddress), ..good.clone() },
        Warrant { fields: FieldSet::EMPTY.with(Field::BroughtName), ..good.clone() },
        Warrant { records: 2, ..good.clone() },
        Warrant { records: 4, ..good.clone() },
    ] {
        bench.refused(order(wrong), ORDER_OUTDATED).await;
    }
    let unknown = Warrant { subject: of(LetterId(9), version), ..good.clone() };
    bench.refused(order(unknown), ProblemType::NOT_FOUND).await;
    assert_eq!(bench.neighbours.taken::<OpenWarrant>("keys").len(), 0);
    assert_eq!(bench.journal(incident).await, before);
    assert_eq!(bench.done(ReadLetter { letter }).await.version, None);
    bench.done(order(good)).await;
}

#[tokio::test]
async fn a_letter_that_is_being_sent_gets_no_other_version() {
    let bench = Bench::start().await;
    let (_, letter) = bench.running_letter().await;
    let draft = bench.done(DraftLetter { letter }).await;
    bench.refused(warrant_order(&draft.warrant), LETTER_RUNNING).await;
    bench.done(response_api::PauseLetter { letter }).await;
    bench.done(warrant_order(&draft.warrant)).await;
}

#[tokio::test]
async fn a_letter_that_keys_did_not_approve_is_not_approved() {
    let bench = Bench::start().await;
    let incident = bench.scoped_table().await;
    let letter = bench.plan(incident, Audience::Customers).await;
    let draft = bench.done(DraftLetter { letter }).await;
    bench.neighbours.refuse::<OpenWarrant>("keys", ProblemType::WARRANT_REFUSED);
    bench.refused(warrant_order(&draft.warrant), ProblemType::WARRANT_REFUSED).await;
    let approve = |stage| ("letters.approve".to_owned(), stage);
    assert_eq!(bench.last_acts(incident).await, [approve(INTENDED), approve(FAILED)]);
    assert_eq!(bench.done(ReadLetter { letter }).await.version, None);
}

#[tokio::test]
async fn a_list_of_postal_addresses_takes_a_warrant_of_its_own() {
    let bench = Bench::start().await;
    let incident = bench.scoped_table().await;
    let letter = bench.plan(incident, Audience::Customers).await;
    let terms = bench.done(DraftPaperPost { letter }).await;
    assert_eq!(terms.subject, WarrantSubject::PaperPost { letter: letter.0 });
    assert_eq!(terms.fields, FieldSet::EMPTY.with(Field::BroughtName).with(Field::BroughtAddress));
    let wrong = Warrant { records: terms.records + 1, ..warrant(&terms) };
    bench.refused(order(wrong), ORDER_OUTDATED).await;
    let AppliedOrder::PaperPost(opened) = bench.done(warrant_order(&terms)).await else {
        panic!("the order is for paper post");
    };
    assert_eq!(opened.warrant, WARRANT.to_string());
    let open = |stage| ("letters.post.open".to_owned(), stage);
    let [drafted, intended, done] = bench.last_acts(incident).await;
    assert_eq!(drafted, ("letters.post.draft".to_owned(), None));
    assert_eq!([intended, done], [open(INTENDED), open(DONE)]);

    let read = |warrant: &str| ReadPaperPost { letter, warrant: warrant.to_owned(), from: 0 };
    bench.refused(read("no warrant"), ProblemType::BAD_REQUEST).await;
    let page = bench.done(read(&opened.warrant)).await;
    assert_eq!((page.people.len(), page.without, page.next), (0, 0, None));
    assert_eq!(bench.last_acts(incident).await, [("letters.post.read".to_owned(), None)]);
}

#[tokio::test]
async fn staff_have_no_postal_addresses() {
    let bench = Bench::start().await;
    let incident = bench.scoped_table().await;
    let letter = bench.plan(incident, Audience::Staff).await;
    bench.refused(DraftPaperPost { letter }, ProblemType::CONFLICT).await;
}
