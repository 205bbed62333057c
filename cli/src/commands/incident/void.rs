//! `cofferdam incident void`

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use cofferdam_core::{Clock, Record, SystemClock, Timestamp};
use response_api::{IncidentId, VoidCredentials, VoidWhose};
use staff::approvers::{PersonFile, open_keys};
use staff::contain::{VoidApproval, void_everybody};

use crate::command::{CommandError, Common, ask_passphrase, incident_number, instant};
use crate::table;

/// `cofferdam incident void`
#[derive(Debug, Args)]
pub struct VoidArgs {
    /// The incident's number
    #[arg(value_parser = incident_number)]
    incident: IncidentId,
    #[command(flatten)]
    whose: Whose,
    /// With --everybody: only credentials that were set up to then [default: now]
    #[arg(long, value_name = "TIME", value_parser = instant, requires = "everybody")]
    older_than: Option<Timestamp>,
    /// Who approves an order over everybody, and the file with that person's key; twice
    #[arg(long = "approver", value_name = "NAME=KEYFILE")]
    approvers: Vec<PersonFile>,
    /// The file with that person's passphrase; who has none is asked
    #[arg(long = "passphrase-file", value_name = "NAME=FILE")]
    passphrases: Vec<PersonFile>,
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

/// Voids credentials.
pub async fn run(args: VoidArgs) -> Result<ExitCode, CommandError> {
    let VoidArgs { incident, whose, older_than, approvers, passphrases, break_glass, common } =
        args;
    let client = common.client()?;
    let voided = if whose.everybody {
        let now = SystemClock.now();
        let approvers = open_keys(&approvers, &passphrases, &ask_passphrase)?;
        let set_before = older_than.unwrap_or(now);
        let approval = VoidApproval { approvers: &approvers, now, set_before, break_glass };
        void_everybody(&client, incident, approval).await?
    } else {
        let some = match &whose.records {
            Some(file) => VoidWhose::Only { records: read_records(file)? },
            None => VoidWhose::Exposed,
        };
        staff::call(&client, &VoidCredentials { incident, whose: some }).await?
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
