//! `cofferdam staff show`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use staff::order::{Order, OrderFile};

use crate::command::CommandError;
use crate::output;

/// `cofferdam staff show`
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The order's file
    order: PathBuf,
    /// A new directory for the texts of the letter that the order approves
    #[arg(long, value_name = "DIR")]
    texts: Option<PathBuf>,
}

/// Shows what an order says. A letter's texts are written on this machine, from the version that
/// the signature is for.
pub fn run(args: &ShowArgs) -> Result<ExitCode, CommandError> {
    let order = OrderFile::read(&args.order)?;
    output::lines(&order.words()?);
    match (&args.texts, &order.order) {
        (None, _) => {}
        (Some(dir), Order::Letter(letter)) => letter.write_texts(dir)?,
        (Some(_), _) => {
            return Err(
                format!("{} approves no letter and has no texts", args.order.display()).into()
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}
