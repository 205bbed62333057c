//! `cofferdam evidence verify`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use staff::evidence::check;

use crate::options::{CommandError, OutputArgs};
use crate::output::Progress;
use crate::words;

/// `cofferdam evidence verify`
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The bag's directory
    bag: PathBuf,
    /// The verifier key of the seal, as `evidence export` printed it; repeat it for several keys
    #[arg(long, value_name = "VKEY", required = true)]
    key: Vec<String>,
    #[command(flatten)]
    output: OutputArgs,
}

/// The result of verifying a bag.
#[derive(Serialize, JsonSchema)]
pub struct Verdict {
    /// Every fault of the seal. A bag with a fault proves nothing.
    faults: Vec<String>,
    /// The checks of the seal and the contents that passed, a line each.
    checked: Vec<String>,
    /// The numbers of the journal's entries that are not anchored: they came after the last anchor in
    /// the release log, and only `response` vouches for them.
    not_anchored: Vec<u32>,
}

/// Verifies the seal of a bag and then its contents. Every fault of the seal is named.
pub fn run(args: &VerifyArgs) -> Result<ExitCode, CommandError> {
    let verdict = verdict(&args.bag, &args.key)?;
    args.output.print(&verdict, lines)?;
    if !verdict.faults.is_empty() {
        let (bag, count) = (args.bag.display(), verdict.faults.len());
        return Err(format!("{bag}: {count} faults; the bag proves nothing").into());
    }
    Ok(ExitCode::SUCCESS)
}

fn verdict(bag: &Path, keys: &[String]) -> Result<Verdict, CommandError> {
    let mut bar = Progress::new("bytes checked");
    let verified = cofferdam_bag::verify(bag, keys, &mut |done, total| bar.set(done, total))?;
    drop(bar);
    let sealed = match verified {
        Ok(sealed) => sealed,
        Err(faults) => {
            let faults = faults.iter().map(ToString::to_string).collect();
            return Ok(Verdict { faults, checked: Vec::new(), not_anchored: Vec::new() });
        }
    };
    let mut bar = Progress::new("entries checked");
    let contents = check(bag, &mut |done, total| bar.set(done, total))?;
    drop(bar);
    let seal = format!(
        "{}: {} files, {} bytes, as {} sealed them",
        sealed.name,
        words::number(sealed.files),
        words::number(sealed.bytes),
        sealed.signer
    );
    let checked = std::iter::once(seal).chain(contents.checked).collect();
    Ok(Verdict { faults: Vec::new(), checked, not_anchored: contents.not_anchored })
}

fn lines(verdict: &Verdict) -> Vec<String> {
    let mut lines = [verdict.faults.clone(), verdict.checked.clone()].concat();
    // They are behind the last anchor, so there is no gap between them.
    if let (Some(first), Some(last)) = (verdict.not_anchored.first(), verdict.not_anchored.last()) {
        lines.push(format!("journal, entries {first} to {last}: not anchored"));
    }
    lines
}
