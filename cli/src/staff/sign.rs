//! `cofferdam staff sign`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{StaffKey, open_all};
use crate::keys::OrderFile;
use crate::{CommandError, output};

/// `cofferdam staff sign`
#[derive(Debug, Args)]
pub struct SignArgs {
    /// The order's file; the signature is added to it
    order: PathBuf,
    /// Who signs, and the file with that person's key
    #[arg(long = "approver", value_name = "NAME=KEYFILE", required = true)]
    approvers: Vec<StaffKey>,
    /// The file with that person's passphrase; who has none is asked
    #[arg(long = "passphrase-file", value_name = "NAME=FILE")]
    passphrases: Vec<StaffKey>,
}

/// Shows what is signed, and signs it.
pub fn run(args: &SignArgs) -> Result<ExitCode, CommandError> {
    let mut order = OrderFile::read(&args.order)?;
    order.words().iter().for_each(|line| output::line(line));
    for approver in open_all(&args.approvers, &args.passphrases)? {
        order.sign(&approver);
        output::note(&format!("{} has signed.", approver.name()));
    }
    order.write(&args.order)?;
    Ok(ExitCode::SUCCESS)
}
