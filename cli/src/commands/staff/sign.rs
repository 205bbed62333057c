//! `cofferdam staff sign`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use staff::approvers::{PersonFile, open_keys};
use staff::order::OrderFile;

use crate::command::{CommandError, ask_passphrase};
use crate::output;

/// `cofferdam staff sign`
#[derive(Debug, Args)]
pub struct SignArgs {
    /// The order's file; the signature is added to it
    order: PathBuf,
    /// Who signs, and the file with that person's key
    #[arg(long = "approver", value_name = "NAME=KEYFILE", required = true)]
    approvers: Vec<PersonFile>,
    /// The file with that person's passphrase; who has none is asked
    #[arg(long = "passphrase-file", value_name = "NAME=FILE")]
    passphrases: Vec<PersonFile>,
}

/// Shows what the order says, and signs it.
pub fn run(args: &SignArgs) -> Result<ExitCode, CommandError> {
    let mut order = OrderFile::read(&args.order)?;
    output::lines(&order.words()?);
    for approver in open_keys(&args.approvers, &args.passphrases, &ask_passphrase)? {
        order.sign(&approver);
        output::note(&format!("{} has signed.", approver.name()));
    }
    order.write(&args.order)?;
    Ok(ExitCode::SUCCESS)
}
