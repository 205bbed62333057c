//! One letter to every customer, timed.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use cofferdam_core::{Clock, SystemClock, SystemRng};
use cofferdam_wire::Client;
use estate::{APPROVERS, Compartment};
use response_api::{
    Audience, DeclareIncident, IncidentId, LedgerState, LetterId, LetterState, LetterStatus,
    People, ReadLedger, ReadLetter, ScopeIncident,
};
use staff::approvers::open_directory;
use staff::letters::{Approval, send};
use tokio::task::JoinHandle;

use crate::site::Site;

/// The figures of one letter.
pub struct Sent {
    pub letters: u64,
    /// The number of people in every other state.
    pub others: Vec<(&'static str, u64)>,
    pub seconds: f64,
    pub planning: f64,
    pub memory: Vec<(Compartment, f64)>,
    pub disk_mb: f64,
    pub counts_ms: f64,
    pub row_ms: f64,
}

/// Letters to customers, under way.
pub struct Sending {
    client: Client,
    letters: JoinHandle<LetterStatus>,
    planning: f64,
}

const LETTER: LetterId = LetterId(2);

impl Sending {
    pub async fn is_running(&self) -> bool {
        let status = self.client.call(&ReadLetter { letter: LETTER }).await;
        status.is_ok_and(|status| status.state == LetterState::Running)
    }

    /// Stops following the letter. `response` continues to send it.
    pub fn stop_following(self) {
        self.letters.abort();
    }
}

/// Declares, scopes, writes to staff and then to every customer, until the first letter to a
/// customer leaves.
pub async fn begin(site: &Site) -> Sending {
    let client = site.staff();
    let incident = client.call(&declare()).await.unwrap().incident;
    client.call(&ScopeIncident { incident, from_log: false }).await.unwrap();
    write_letters(site, incident, Audience::Staff).await.unwrap();
    let planned = Instant::now();
    let letters = write_letters(site, incident, Audience::Customers);
    let mut sending = Sending { client, letters, planning: 0.0 };
    while !sending.is_running().await {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    sending.planning = planned.elapsed().as_secs_f64();
    sending
}

/// Writes to every customer.
pub async fn write_to_all(site: &Site, customers: u32) -> Sent {
    let sending = begin(site).await;
    let begun = Instant::now();
    while sending.is_running().await {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let seconds = begun.elapsed().as_secs_f64();
    let Sending { client, letters, planning } = sending;
    let status = letters.await.unwrap();
    assert_eq!(status.open(), 0, "letters to customers are left: {status:?}");
    let counts = Instant::now();
    client.call(&ReadLetter { letter: LETTER }).await.unwrap();
    let counts_ms = counts.elapsed().as_secs_f64() * 1_000.0;
    Sent {
        letters: status.of(LedgerState::Accepted),
        others: LedgerState::ALL
            .into_iter()
            .filter(|state| *state != LedgerState::Accepted && status.of(*state) > 0)
            .map(|state| (state.as_str(), status.of(state)))
            .collect(),
        seconds,
        planning,
        memory: site.memory(),
        disk_mb: size(&site.dir.join("response")) as f64 / 1e6,
        counts_ms,
        row_ms: row(&client, LETTER, customers).await,
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
        unlisted: vec![],
    }
}

/// Plans, approves and sends a letter, and follows it, in a task of its own.
fn write_letters(
    site: &Site,
    incident: IncidentId,
    audience: Audience,
) -> JoinHandle<LetterStatus> {
    let (client, staff) = (site.staff(), site.dir.join("staff"));
    tokio::spawn(async move {
        let approval = Approval {
            approvers: &open_directory(&staff, &APPROVERS).unwrap(),
            now: SystemClock.now(),
            rng: &SystemRng,
            before_staff: None,
        };
        send(&client, incident, audience, &approval, |_| ()).await.unwrap()
    })
}

/// The median time to read one person's row, over people spread over the whole ledger.
async fn row(client: &Client, letter: LetterId, customers: u32) -> f64 {
    let mut times = Vec::new();
    for n in 0..200 {
        let place = u64::from(customers) * (n * 7 % 200) / 200;
        let from = u32::try_from(place).unwrap();
        let call = ReadLedger { letter, from, limit: 1, state: None };
        let begun = Instant::now();
        client.call(&call).await.unwrap();
        times.push(begun.elapsed().as_secs_f64() * 1_000.0);
    }
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The number of bytes in the files below a directory.
fn size(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).unwrap().flatten();
    let of = |entry: fs::DirEntry| {
        let meta = entry.metadata().unwrap();
        if meta.is_dir() { size(&entry.path()) } else { meta.len() }
    };
    entries.map(of).sum()
}
