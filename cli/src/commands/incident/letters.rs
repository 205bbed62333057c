//! `cofferdam incident letters`

use std::process::ExitCode;

use clap::Args;
use cofferdam_core::{Clock, SystemClock, SystemRng};
use response_api::IncidentId;
use staff::approvers::{PersonFile, open_keys};
use staff::letters::{Approval, LetterProgress, send};

use crate::command::{CommandError, Common, ask_passphrase, incident_number};
use crate::commands::letters::show::{self, To};
use crate::output::Progress;

/// `cofferdam incident letters`
#[derive(Debug, Args)]
pub struct LettersArgs {
    /// The incident's number
    #[arg(value_parser = incident_number)]
    incident: IncidentId,
    /// To whom; customers only after staff
    #[arg(long, value_enum)]
    audience: To,
    /// Who approves what the letter says, and the file with that person's key; twice
    #[arg(long = "approver", value_name = "NAME=KEYFILE")]
    approvers: Vec<PersonFile>,
    /// The file with that person's passphrase; who has none is asked
    #[arg(long = "passphrase-file", value_name = "NAME=FILE")]
    passphrases: Vec<PersonFile>,
    /// Write to customers though staff have not been told, for this reason; it is journalled
    #[arg(long, value_name = "REASON")]
    before_staff: Option<String>,
    #[command(flatten)]
    common: Common,
}

/// Plans, approves and sends a letter. Fails while a row is without an outcome.
pub async fn run(args: LettersArgs) -> Result<ExitCode, CommandError> {
    let client = args.common.client()?;
    let keys = open_keys(&args.approvers, &args.passphrases, &ask_passphrase)?;
    let approval = Approval {
        approvers: &keys,
        now: SystemClock.now(),
        rng: &SystemRng,
        before_staff: args.before_staff.clone(),
    };
    let mut bar = Progress::new(show::BAR);
    let progress = |progress: LetterProgress<'_>| match progress {
        LetterProgress::Planning(plan) => show::planning(plan),
        LetterProgress::Sending(status) => show::sending(&mut bar, status),
    };
    let sent = send(&client, args.incident, args.audience.into(), &approval, progress).await;
    drop(bar);
    show::conclude(&args.common, &sent?)
}
