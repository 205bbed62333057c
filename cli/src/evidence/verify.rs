//! `cofferdam evidence verify`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::checks;
use crate::CommandError;
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

/// Verifies the bag, and what stands in it; whatever is wrong is named.
pub fn run(args: &VerifyArgs) -> Result<ExitCode, CommandError> {
    let mut bar = None;
    let verified = cofferdam_bag::verify(&args.bag, &args.key, &mut |done, total| {
        bar.get_or_insert_with(|| Progress::new("bytes checked", total)).set(done);
    })?;
    if let Some(bar) = bar {
        bar.finish();
    }
    let verified = match verified {
        Ok(verified) => verified,
        Err(faults) => {
            for fault in &faults {
                output::line(&fault.to_string());
            }
            let (bag, count) = (args.bag.display(), faults.len());
            return Err(format!("{bag}: {count} faults; it proves nothing").into());
        }
    };
    output::line(&format!(
        "{}: {} files, {} bytes, as {} sealed them",
        verified.name, verified.files, verified.bytes, verified.signer
    ));
    for line in checks::check(&args.bag)? {
        output::line(&line);
    }
    Ok(ExitCode::SUCCESS)
}
