//! One letter to everybody, timed.

use std::fs;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use cofferdam_wire::Client;
use response_api::{
    DeclareIncident, LedgerState, LetterId, LetterState, People, ReadLedger, ReadLetter,
    ScopeIncident,
};

use crate::estate::Running;

/// What was measured.
pub struct Told {
    pub letters: u64,
    /// People in every other state.
    pub others: Vec<(&'static str, u64)>,
    pub seconds: f64,
    pub planning: f64,
    pub memory: Vec<(String, f64)>,
    pub disk_mb: f64,
    pub counts_ms: f64,
    pub row_ms: f64,
}

/// Letters to customers on their way.
pub struct Begun {
    staff: Client,
    pub child: Child,
    planning: f64,
}

const LETTER: LetterId = LetterId(2);

impl Begun {
    pub async fn is_running(&self) -> bool {
        let status = self.staff.call(&ReadLetter { letter: LETTER }).await;
        status.is_ok_and(|status| status.state == LetterState::Running)
    }
}

/// Declares, scopes, writes to staff, then to everybody: until the first letters to customers go.
pub async fn begin(estate: &Running) -> Begun {
    let staff = estate.response();
    let incident = staff.call(&declare()).await.unwrap().incident;
    staff.call(&ScopeIncident { incident, from_log: false }).await.unwrap();
    assert!(letters(estate, "staff").wait().unwrap().success(), "letters to staff failed");
    let planned = Instant::now();
    let child = letters(estate, "customers");
    let mut begun = Begun { staff, child, planning: 0.0 };
    while !begun.is_running().await {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    begun.planning = planned.elapsed().as_secs_f64();
    begun
}

/// Writes to everybody.
pub async fn send(estate: &Running, customers: u32) -> Told {
    let mut sending = begin(estate).await;
    let begun = Instant::now();
    while sending.is_running().await {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let seconds = begun.elapsed().as_secs_f64();
    assert!(sending.child.wait().unwrap().success(), "letters to customers failed");
    let (staff, look) = (&sending.staff, ReadLetter { letter: LETTER });
    let status = staff.call(&look).await.unwrap();
    let counts = Instant::now();
    staff.call(&look).await.unwrap();
    let counts_ms = counts.elapsed().as_secs_f64() * 1_000.0;
    Told {
        letters: status.of(LedgerState::Accepted),
        others: LedgerState::ALL
            .into_iter()
            .filter(|state| *state != LedgerState::Accepted && status.of(*state) > 0)
            .map(|state| (state.as_str(), status.of(state)))
            .collect(),
        seconds,
        planning: sending.planning,
        memory: estate.memory(),
        disk_mb: size(&estate.dir.join("response")) as f64 / 1e6,
        counts_ms,
        row_ms: row(staff, LETTER, customers).await,
    }
}

fn declare() -> DeclareIncident {
    DeclareIncident {
        title: "one app server".to_owned(),
        fallen: vec!["web-ky-1".parse().unwrap()],
        from: "2012-01-14T22:00:00Z".parse().unwrap(),
        to: None,
        found: "a measurement".to_owned(),
        people: People::Accounts,
    }
}

fn letters(estate: &Running, audience: &str) -> Child {
    let mut command = estate.command(&["incident", "letters", "1", "--audience", audience]);
    for name in ["ann", "bob"] {
        let of = |end: &str| format!("{name}={}/staff/{name}.{end}", estate.dir.display());
        command.args(["--approver", &of("pem"), "--passphrase-file", &of("passphrase")]);
    }
    command.spawn().unwrap()
}

/// The median time to read one person's row, over people spread over all.
async fn row(staff: &Client, letter: LetterId, customers: u32) -> f64 {
    let mut times = Vec::new();
    for n in 0..200 {
        let place = u64::from(customers) * (n * 7 % 200) / 200;
        let from = u32::try_from(place).unwrap();
        let call = ReadLedger { letter, from, limit: 1, state: None };
        let begun = Instant::now();
        staff.call(&call).await.unwrap();
        times.push(begun.elapsed().as_secs_f64() * 1_000.0);
    }
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn size(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).unwrap().flatten();
    let of = |entry: fs::DirEntry| {
        let meta = entry.metadata().unwrap();
        if meta.is_dir() { size(&entry.path()) } else { meta.len() }
    };
    entries.map(of).sum()
}
