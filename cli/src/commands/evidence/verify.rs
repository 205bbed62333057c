//! `cofferdam evidence verify`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use staff::evidence::check;

use crate::command::CommandError;
use crate::output::{self, Progress};

/// `cofferdam evidence verify`
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The bag's directory
    bag: PathBuf,
    /// The verifier key that it was sealed with, as the export said it; repeat it for several
    #[arg(long, value_name = "VKEY", required = true)]
    key: Vec<String>,
}

/// Verifies the seal of a bag and then its contents. Every fault of the seal is named.
pub fn run(args: &VerifyArgs) -> Result<ExitCode, CommandError> {
    let mut bar = Progress::new("bytes checked");
    let verified =
        cofferdam_bag::verify(&args.bag, &args.key, &mut |done, total| bar.set(done, total))?;
    drop(bar);
    let verified = match verified {
        Ok(verified) => verified,
        Err(faults) => {
            for fault in &faults {
                output::line(&fault.to_string());
            }
            let (bag, count) = (args.bag.display(), faults.len());
            return Err(format!("{bag}: {count} faults; the bag proves nothing").into());
        }
    };
    output::line(&format!(
        "{}: {} files, {} bytes, as {} sealed them",
        verified.name, verified.files, verified.bytes, verified.signer
    ));
    let mut bar = Progress::new("entries checked");
    let checked = check(&args.bag, &mut |done, total| bar.set(done, total))?;
    drop(bar);
    output::lines(&checked);
    Ok(ExitCode::SUCCESS)
}
