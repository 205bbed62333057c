//! `cofferdam paper-post`: the people whom no e-mail reached, as a list for a printer.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use staff::paper_post::{ListCounts, write_list};

use crate::options::{CommandError, LetterArgs, check_new};
use crate::output::Progress;
use crate::words;

/// `cofferdam paper-post`
#[derive(Debug, Subcommand)]
#[command(after_help = "Two people sign before addresses are read: \
                        cofferdam order draft paper-post LETTER --out FILE")]
pub enum PaperPostCommand {
    /// Write the list of people whom a letter did not reach, with their postal addresses
    Export(ExportArgs),
}

/// `cofferdam paper-post export`
#[derive(Debug, Args)]
pub struct ExportArgs {
    #[command(flatten)]
    of: LetterArgs,
    /// The number of the warrant, as `order apply` printed it
    #[arg(long, value_name = "NUMBER")]
    warrant: String,
    /// The CSV file for the list; it must be new, and only its owner will be able to read it
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Writes the list under the warrant that two people signed.
pub async fn run(command: PaperPostCommand) -> Result<ExitCode, CommandError> {
    let PaperPostCommand::Export(ExportArgs { of, warrant, out }) = command;
    check_new(&out)?;
    let client = of.response.client()?;
    let mut bar = Progress::new("people");
    let progress = &mut |done, total| bar.set(done, total);
    let counts = write_list(&client, of.letter, &warrant, &out, progress).await?;
    drop(bar);
    of.response.print(&counts, |counts| {
        let ListCounts { written, same, without } = *counts;
        let [written, same, without] = [written, same, without].map(words::number);
        vec![format!(
            "{written} in {}, {same} more at the same name and address, {without} decoys or \
             without an address",
            out.display()
        )]
    })?;
    Ok(ExitCode::SUCCESS)
}
