//! Every call that shows personal data is journalled, whatever page it reads.

use cofferdam_core::{Call, CustomerNumber, Field, Record};
use response_api::*;

use crate::bench::Bench;

/// The calls that show no personal data, or that are acts and journalled as such. A new call is
/// added here, or is a view.
const NO_VIEWS: &[&str] = &[
    ApplyOrder::PATH,
    BeginAccessLog::PATH,
    FinishAccessLog::PATH,
    ImportAccessLog::PATH,
    ListAccessLogs::PATH,
    RemoveAccessLog::PATH,
    ListAlarms::PATH,
    ListAnchors::PATH,
    SealBag::PATH,
    LowerBudget::PATH,
    FreezeCaller::PATH,
    ReadHolds::PATH,
    ListCallers::PATH,
    VoidCredentials::PATH,
    ListEpochs::PATH,
    AmendIncident::PATH,
    CloseIncident::PATH,
    DeclareIncident::PATH,
    ListIncidents::PATH,
    ScopeIncident::PATH,
    ReadJournal::PATH,
    DraftLetter::PATH,
    ListLetters::PATH,
    PauseLetter::PATH,
    PlanLetter::PATH,
    ReadLetter::PATH,
    SettleLetter::PATH,
    StartLetter::PATH,
    StopLetter::PATH,
    TestLetter::PATH,
    PublishNotice::PATH,
    DraftPaperPost::PATH,
    ReadPolicy::PATH,
    AddRevokedKey::PATH,
    PauseProvider::PATH,
    ResumeProvider::PATH,
    MakeReport::PATH,
    DecideReturned::PATH,
    BeginTable::PATH,
    FinishTable::PATH,
    ImportTable::PATH,
    ReadTable::PATH,
];

/// The entries of both journals that a view may stand in.
async fn entries(bench: &Bench, incident: IncidentId) -> usize {
    bench.journal(incident).await.len() + bench.journal(IncidentId::NONE).await.len()
}

#[tokio::test]
async fn every_view_of_personal_data_is_journalled() {
    let bench = Bench::start().await;
    let incident = bench.scoped_table().await;
    let letter = bench.plan(incident, Audience::Customers).await;
    let mut seen = Vec::new();
    macro_rules! viewed {
        ($($call:expr),* $(,)?) => {$({
            let before = entries(&bench, incident).await;
            let call = $call;
            // An answer that fails may have shown something.
            let _ = bench.staff().call(&call).await;
            let path = path(&call);
            assert_eq!(entries(&bench, incident).await, before + 1, "{path} left no entry");
            seen.push(path);
        })*};
    }
    viewed![
        ReadLedger { letter, from: 0, limit: 1, state: None },
        ListReturned { letter, from: 0, decided: true },
        ReadReturned { letter, person: 0, number: 0 },
        ReadPaperPost { letter, warrant: String::new(), from: 0 },
        ReadExposure { incident, level: Level::Read, field: Field::Phone },
        DraftVoidOrder { incident },
        ListEvidence { incident, log: 0, from: 0 },
        ReadGrounds { incident },
        ReadPerson { incident, record: Record(0) },
        ResolveCustomerNumber { incident, number: CustomerNumber(0) },
        FindPerson { key: "1".to_owned() },
    ];
    let before = entries(&bench, incident).await;
    bench.done(ReadLedger { letter, from: 1, limit: 1, state: None }).await;
    assert_eq!(entries(&bench, incident).await, before + 1, "a later page left no entry");
    seen.sort_unstable();
    let mut views = response_server::views();
    views.sort_unstable();
    assert_eq!(seen, views);
    let mut all = [seen.as_slice(), NO_VIEWS].concat();
    all.sort_unstable();
    let mut paths = response_server::paths();
    paths.sort_unstable();
    assert_eq!(all, paths, "decide whether a new call shows personal data");
}

const fn path<C: Call>(_: &C) -> &'static str {
    C::PATH
}
