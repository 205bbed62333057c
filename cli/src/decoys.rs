//! `cofferdam decoys`: what comes to customers that don't exist.

use std::path::PathBuf;
use std::process::ExitCode;

use accounts_api::ReportMail;
use clap::Subcommand;
use cofferdam_core::{CallerName, Personal};

use crate::CommandError;
use crate::connect::Estate;

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

/// Runs the command. The mail itself is not read: that it came is all.
pub async fn run(command: DecoysCommand) -> Result<ExitCode, CommandError> {
    let DecoysCommand::Mail { recipient, dir, caller } = command;
    let accounts = Estate::open(&dir)?.accounts(&caller)?;
    accounts.call(&ReportMail { recipient: Personal::new(recipient) }).await?;
    Ok(ExitCode::SUCCESS)
}
