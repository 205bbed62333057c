//! Scoping an incident: gathering the evidence, judging it, and keeping the exposure.
//!
//! The rules are in `response-exposure`. Two gatherers bring the evidence: one for the customers of
//! `accounts`, one for the people of the brought table. A source that does not answer becomes a
//! doubt, and the scope goes on.

mod accounts;
mod pages;
mod person;
mod table;

use std::sync::Arc;

use cofferdam_core::Timestamp;
use cofferdam_wire::Problem;
use response_api::{Exposure, Incident, JournalAct, People};
use response_exposure::{Evidence, FallenHosts, Window};

use crate::app::App;
use crate::logs::FileLog;
use crate::loops::check_journals;
use crate::staff::Author;
use crate::store::Act;

pub use accounts::release_log_windows;
pub use pages::write_pages;
pub use person::person;
pub use table::open_logs;

/// The evidence, with the logs from which it was read, and the window in each.
struct Gathered {
    evidence: Evidence,
    logs: Vec<(FileLog, Window)>,
}

/// Computes the exposure of an incident, and keeps it. With `from_log`, every entry is read as well
/// as the indexes.
pub async fn scope(
    app: &Arc<App>,
    incident: &Incident,
    by: &Author,
    from_log: bool,
) -> Result<Exposure, Problem> {
    let gathered = match incident.people {
        People::Accounts => accounts::gather(app, incident, from_log).await?,
        People::Table => table::gather(app, incident, from_log).await?,
    };
    let Gathered { mut evidence, logs } = gathered;
    check_journals(app).await?;
    evidence.findings.doubts.extend(app.anchoring.doubts());
    let (exposure, levels) = evidence.judge();
    let act = scoped(app, &exposure, by);
    if !app.store.set_exposure(incident, (&exposure, &levels), &act).await? {
        app.open_incident(incident.incident).await?;
        return Err(Problem::conflict(
            "the incident was amended while it was scoped; scope it again",
        ));
    }
    app.people.forget_levels().await;
    let (app, hosts) = (app.clone(), FallenHosts::of(incident));
    let (id, computed) = (incident.incident, exposure.computed);
    tokio::spawn(async move {
        if let Err(problem) = write_pages(&app, (id, computed), hosts, logs).await {
            let incident = id.0;
            tracing::error!(incident, %problem, "one person's exposure will be slow to find");
        }
    });
    Ok(exposure)
}

fn scoped(app: &App, exposure: &Exposure, by: &Author) -> Act {
    let people = exposure.people;
    let entries: u64 = exposure.logs.iter().map(|log| log.size).sum();
    let detail = format!(
        "{} read ({} of them only while signed in), {} presented, {} known to have a field unset, \
         {} reachable of {} customers; log of {entries} entries",
        people.read,
        exposure.while_signed_in,
        people.presented,
        people.known_unset,
        people.reachable,
        exposure.customers
    );
    app.act(exposure.incident, by, JournalAct::Scope, detail)
}

/// The end of the window that an exposure covers: the incident's own, or now.
fn until(incident: &Incident, now: Timestamp) -> Timestamp {
    incident.to.unwrap_or(now)
}
