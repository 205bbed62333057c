//! `cofferdam decoys`: mail that arrives for customers that don't exist.

use std::path::PathBuf;
use std::process::ExitCode;

use accounts_api::ReportMail;
use clap::Subcommand;
use cofferdam_core::{CallerName, Personal};
use estate::{Compartment, Estate};

use crate::command::CommandError;

/// `cofferdam decoys`
#[derive(Debug, Subcommand)]
pub enum DecoysCommand {
    /// Take one mail for a decoy's mail domain: run by the mail server for each that arrives
    Mail {
        /// To whom it came, as the envelope says
        #[arg(long)]
        recipient: String,
        /// The estate's directory
        #[arg(long, value_name = "DIR", default_value = "./estate")]
        dir: PathBuf,
        /// The caller whose certificate is shown
        #[arg(long = "as", value_name = "CALLER", default_value = "mail-trap-1")]
        caller: CallerName,
    },
}

/// Runs the command. It does not read the mail: only the fact that it came matters.
pub async fn run(command: DecoysCommand) -> Result<ExitCode, CommandError> {
    let DecoysCommand::Mail { recipient, dir, caller } = command;
    let accounts = Estate::open(&dir)?.client(Compartment::Accounts, &caller)?;
    accounts.call(&ReportMail { recipient: Personal::new(recipient) }).await?;
    Ok(ExitCode::SUCCESS)
}
