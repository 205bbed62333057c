//! `cofferdam letters post`: the list of those whom no e-mail reached, for a printer.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use cofferdam_core::{Clock, SystemClock, SystemRng};
use response_api::DraftPost;
use staff::order::{Order, OrderFile};
use staff::post::{PostCounts, write_list};
use staff::warrant;

use super::common::{OneLetter, check_new};
use crate::command::CommandError;
use crate::output::{self, Progress};

/// `cofferdam letters post`
#[derive(Debug, Subcommand)]
pub enum PostCommand {
    /// The order that two people sign, to read the addresses of those whom no e-mail reached
    Draft(DraftPostArgs),
    /// Write the list under the order that two people signed
    Export(ExportPostArgs),
}

/// `cofferdam letters post draft`
#[derive(Debug, Args)]
pub struct DraftPostArgs {
    #[command(flatten)]
    one: OneLetter,
    /// The order for two people to sign, a new file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// `cofferdam letters post export`
#[derive(Debug, Args)]
pub struct ExportPostArgs {
    #[command(flatten)]
    one: OneLetter,
    /// The order with two signatures
    order: PathBuf,
    /// The list, a new CSV file that only its owner can read
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Runs one of the commands.
pub async fn run(command: PostCommand) -> Result<ExitCode, CommandError> {
    match command {
        PostCommand::Draft(args) => draft(args).await,
        PostCommand::Export(args) => export(args).await,
    }
}

async fn draft(args: DraftPostArgs) -> Result<ExitCode, CommandError> {
    check_new(&args.out)?;
    let call = DraftPost { letter: args.one.letter };
    let terms = staff::call(&args.one.common.client()?, &call).await?;
    if terms.records == 0 {
        output::note("the letter reached everybody: there is nobody to write to by post");
        return Ok(ExitCode::SUCCESS);
    }
    let records = terms.records;
    let warrant = warrant::draw_up(terms, SystemClock.now(), &SystemRng);
    OrderFile { order: Order::Warrant(warrant) }.write(&args.out)?;
    let (letter, out) = (args.one.letter, args.out.display());
    output::note(&format!(
        "{records} people were not reached. Two approvers sign: cofferdam staff sign {out} \
         --approver NAME=KEYFILE; then: cofferdam letters post export {letter} {out} --out LIST.csv"
    ));
    Ok(ExitCode::SUCCESS)
}

async fn export(args: ExportPostArgs) -> Result<ExitCode, CommandError> {
    check_new(&args.out)?;
    let Order::Warrant(signed) = OrderFile::read(&args.order)?.order else {
        return Err(format!("{} is no warrant for a list", args.order.display()).into());
    };
    let (letter, client) = (args.one.letter, args.one.common.client()?);
    let mut bar = Progress::new("people");
    let progress = &mut |done, total| bar.set(done, total);
    let counts = write_list(&client, letter, signed, &args.out, progress).await?;
    drop(bar);
    let PostCounts { written, same, without } = counts;
    output::note(&format!(
        "{written} in {}, {same} more at the same name and address, {without} decoys or without \
         an address",
        args.out.display()
    ));
    Ok(ExitCode::SUCCESS)
}
