//! `cofferdam keys apply`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use staff::order::OrderFile;

use crate::command::{CommandError, Common};
use crate::output;

/// `cofferdam keys apply`
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// The order, with two signatures
    order: PathBuf,
    #[command(flatten)]
    common: Common,
}

/// Carries the order to `keys`, which checks both signatures.
pub async fn run(args: ApplyArgs) -> Result<ExitCode, CommandError> {
    let order = OrderFile::read(&args.order)?;
    order.apply(&args.common.client()?).await?;
    if let Some(head) = order.words()?.first() {
        output::line(head);
    }
    output::note("It holds from now on; the release log names who signed.");
    Ok(ExitCode::SUCCESS)
}
