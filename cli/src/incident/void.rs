//! `cofferdam incident void`

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use cofferdam_core::{Clock, Record, SystemClock, Timestamp};
use cofferdam_wire::Client;
use jiff::SignedDuration;
use keys_api::{ApproverSecret, Signed, VoidOrder};
use response_api::{IncidentId, VoidCredentials, VoidWhose, Voided};

use super::{Common, StepError, declare, incident_number, table};
use crate::CommandError;
use crate::staff::{self, StaffKey};

/// How long an approval may be carried out.
const VALID: SignedDuration = SignedDuration::from_mins(15);

/// `cofferdam incident void`
#[derive(Debug, Args)]
pub struct VoidArgs {
    /// The incident's number
    #[arg(value_parser = incident_number)]
    incident: IncidentId,
    #[command(flatten)]
    whose: Whose,
    /// With --everybody: only credentials that were set up to then [default: now]
    #[arg(long, value_name = "TIME", value_parser = declare::time, requires = "everybody")]
    older_than: Option<Timestamp>,
    /// Who approves an order over everybody, and the file with that person's key; twice
    #[arg(long = "approver", value_name = "NAME=KEYFILE")]
    approvers: Vec<StaffKey>,
    /// The file with that person's passphrase; who has none is asked
    #[arg(long = "passphrase-file", value_name = "NAME=FILE")]
    passphrases: Vec<StaffKey>,
    /// One approver must do, for this reason: it stands in the release log, and an alarm rings
    #[arg(long, value_name = "REASON", requires = "everybody")]
    break_glass: Option<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Whose {
    /// Everybody's credentials, and every session: two people approve
    #[arg(long)]
    everybody: bool,
    /// Those of whom something was read or presented, by the last scope
    #[arg(long)]
    exposed: bool,
    /// Those in a file, one record number a line
    #[arg(long, value_name = "FILE")]
    records: Option<PathBuf>,
}

/// The approval of an order over everybody.
pub struct VoidApproval<'a> {
    /// Who signs.
    pub approvers: &'a [ApproverSecret],
    /// Now.
    pub now: Timestamp,
    /// Credentials set up to then.
    pub set_before: Timestamp,
    /// Why one person must do.
    pub break_glass: Option<String>,
}

/// Voids all credentials and ends all sessions.
pub async fn everybody(
    client: &Client,
    incident: IncidentId,
    approval: VoidApproval<'_>,
) -> Result<Voided, StepError> {
    let VoidApproval { approvers, now, set_before, break_glass } = approval;
    let needed = if break_glass.is_some() { 1 } else { 2 };
    if approvers.len() < needed {
        return Err(StepError::Approvers(approvers.len()));
    }
    let until = now.saturating_add(VALID).unwrap_or(now);
    let order =
        VoidOrder { incident: incident.0, set_before, until, break_glass: break_glass.clone() };
    let signatures = approvers.iter().map(|person| person.sign(&order)).collect();
    let order = serde_json::to_value(Signed { order, signatures })?;
    let whose = VoidWhose::Everybody { order, set_before, break_glass };
    some(client, incident, whose).await
}

async fn some(
    client: &Client,
    incident: IncidentId,
    whose: VoidWhose,
) -> Result<Voided, StepError> {
    client.call(&VoidCredentials { incident, whose }).await.map_err(StepError::plain)
}

/// Runs the command.
pub async fn run(args: VoidArgs) -> Result<ExitCode, CommandError> {
    let VoidArgs { incident, whose, older_than, approvers, passphrases, break_glass, common } =
        args;
    let client = common.client()?;
    let voided = if whose.everybody {
        let now = SystemClock.now();
        let approvers = staff::open_all(&approvers, &passphrases)?;
        let set_before = older_than.unwrap_or(now);
        let approval = VoidApproval { approvers: &approvers, now, set_before, break_glass };
        everybody(&client, incident, approval).await?
    } else if let Some(file) = &whose.records {
        some(&client, incident, VoidWhose::Only { records: read_records(file)? }).await?
    } else {
        some(&client, incident, VoidWhose::Exposed).await?
    };
    common.print(&voided, |voided| {
        let customers = table::number(voided.customers);
        let mut out = vec![format!(
            "order {}: the credentials of {customers} customers are void",
            voided.order
        )];
        out.push(if whose.everybody {
            let sessions = table::number(voided.sessions);
            format!("{sessions} sessions ended; it held after {:.3} s", voided.seconds)
        } else {
            format!("their sessions are over; it held after {:.3} s", voided.seconds)
        });
        out
    })?;
    Ok(ExitCode::SUCCESS)
}

fn read_records(file: &Path) -> Result<Vec<Record>, CommandError> {
    let text = fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let number = |(line, text): (usize, &str)| {
        let bad = || format!("{}, line {line}: not a record number", file.display()).into();
        text.trim().parse().map(Record).map_err(|_| bad())
    };
    lines.map(number).collect()
}
