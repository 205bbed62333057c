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
    /// Report a mail that arrived for a decoy; the mail server runs this for each such mail
    Mail(MailArgs),
}

/// `cofferdam decoys mail`
#[derive(Debug, Args)]
pub struct MailArgs {
    /// The recipient on the mail's envelope
    #[arg(long)]
    recipient: String,
    #[command(flatten)]
    estate: EstateArgs,
    /// The caller under whose certificate the command calls accounts
    #[arg(id = "as", long = "as", value_name = "CALLER", default_value = "mail-trap-1")]
    caller: CallerName,
}

/// Reports the mail. Its content is not read, because only its arrival matters.
pub async fn run(command: DecoysCommand) -> Result<ExitCode, CommandError> {
    let DecoysCommand::Mail(MailArgs { recipient, estate, caller }) = command;
    let accounts = estate.client(Compartment::Accounts, &caller)?;
    accounts.call(&ReportMail { recipient: Personal::new(recipient) }).await?;
    Ok(ExitCode::SUCCESS)
}
