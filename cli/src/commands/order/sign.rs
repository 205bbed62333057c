//! `cofferdam order sign`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use staff::approvers::{PersonFile, open_keys};
use staff::order::OrderFile;

use super::{ShownOrder, show};
use crate::options::{CommandError, ResponseArgs, ask_passphrase};
use crate::output;

/// `cofferdam order sign`
#[derive(Debug, Args)]
pub struct SignArgs {
    /// The order's file; the signature is added to it
    order: PathBuf,
    /// The person who signs, and the file with that person's signing key
    #[arg(long = "approver", value_name = "NAME=KEYFILE", required = true)]
    approvers: Vec<PersonFile>,
    /// The file with that person's passphrase [default: ask on the terminal]
    #[arg(long = "passphrase-file", value_name = "NAME=FILE")]
    passphrases: Vec<PersonFile>,
    #[command(flatten)]
    response: ResponseArgs,
}

/// Shows the order in words, and signs it.
pub async fn run(args: SignArgs) -> Result<ExitCode, CommandError> {
    let SignArgs { order: path, approvers, passphrases, response } = args;
    let mut order = OrderFile::read(&path)?;
    let words = show::words(&order, response.client().ok().as_ref()).await?;
    for line in &words {
        output::note(line);
    }
    for approver in open_keys(&approvers, &passphrases, &ask_passphrase)? {
        order.sign(&approver);
    }
    order.write(&path)?;
    response.print(&ShownOrder::new(&path, &order, words), |shown| {
        shown.lines().into_iter().last().into_iter().collect()
    })?;
    let file = path.display();
    output::next(&if order.awaits_second_signature() {
        format!("a second person: cofferdam order sign {file} --approver NAME=KEYFILE")
    } else {
        format!("cofferdam order apply {file}")
    });
    Ok(ExitCode::SUCCESS)
}
