//! `cofferdam decoys`: mail that arrives for customers that don't exist.

use std::process::ExitCode;

use accounts_api::ReportMail;
use clap::{Args, Subcommand};
use cofferdam_core::{CallerName, Personal};
use estate::Compartment;

use crate::options::{CommandError, EstateArgs};

/// `cofferdam decoys`
#[derive(Debug, Subcommand)]
pub enum DecoysCommand {
    /// Take one mail for a decoy's mail domain: run by the mail server for each that arrives
    Mail(MailArgs),
}

/// `cofferdam decoys mail`
#[derive(Debug, Args)]
pub struct MailArgs {
    /// To whom it came, as the envelope says
    #[arg(long)]
    recipient: String,
    #[command(flatten)]
    estate: EstateArgs,
    /// The caller whose certificate is shown
    #[arg(id = "as", long = "as", value_name = "CALLER", default_value = "mail-trap-1")]
    caller: CallerName,
}

/// Runs the command. It does not read the mail: only the fact that it came matters.
pub async fn run(command: DecoysCommand) -> Result<ExitCode, CommandError> {
    let DecoysCommand::Mail(MailArgs { recipient, estate, caller }) = command;
    let accounts = estate.client(Compartment::Accounts, &caller)?;
    accounts.call(&ReportMail { recipient: Personal::new(recipient) }).await?;
    Ok(ExitCode::SUCCESS)
}
