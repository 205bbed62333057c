//! `cofferdam keys apply`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::OrderFile;
use crate::incident::Common;
use crate::{CommandError, output};

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
    args.common.client()?.call(&order.to_give()?).await?;
    order.words().first().into_iter().for_each(|line| output::line(line));
    output::note("It holds from now on; the release log names who signed.");
    Ok(ExitCode::SUCCESS)
}
