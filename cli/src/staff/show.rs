//! `cofferdam staff show`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::keys::OrderFile;
use crate::keys::order::Wanted;
use crate::{CommandError, output};

/// `cofferdam staff show`
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The order's file
    order: PathBuf,
    /// A new directory for the texts of the letter that the order approves
    #[arg(long, value_name = "DIR")]
    texts: Option<PathBuf>,
}

/// Shows what an order says. A letter's texts are written on this machine, from what the signature
/// would be for.
pub fn run(args: &ShowArgs) -> Result<ExitCode, CommandError> {
    let order = OrderFile::read(&args.order)?;
    order.words().iter().for_each(|line| output::line(line));
    match (&args.texts, &order.wanted) {
        (None, _) => {}
        (Some(dir), Wanted::Letter(letter)) => letter.write(dir)?,
        (Some(_), _) => {
            return Err(
                format!("{} approves no letter: it has no texts", args.order.display()).into()
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}
