//! `cofferdam customers`: customers of an older shop, for `accounts`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use cofferdam_core::CallerName;
use estate::Compartment;
use staff::import::{ImportSummary, default_rejects, import_customers};

use crate::options::{CommandError, EstateArgs, OutputArgs};
use crate::output::Progress;
use crate::words;

/// `cofferdam customers`
#[derive(Debug, Subcommand)]
pub enum CustomersCommand {
    /// Import customers from a CSV file; after an interruption, run it again to continue
    Add(AddArgs),
}

/// `cofferdam customers add`
#[derive(Debug, Args)]
pub struct AddArgs {
    /// A CSV file; its header row names these columns in any order:
    /// `name,email,phone,billing_address,shipping_address,card_last4,country,region,language,minor,password_scheme,password_salt,password_hash`;
    /// the hash is in hexadecimal
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    estate: EstateArgs,
    /// The caller under whose certificate the command calls accounts
    #[arg(id = "as", long = "as", value_name = "CALLER", default_value = "import-1")]
    caller: CallerName,
    /// The list of rejected rows, by line and reason [default: FILE.rejects.csv]
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

/// Imports customers, and prints the counts.
pub async fn run(command: CustomersCommand) -> Result<ExitCode, CommandError> {
    let CustomersCommand::Add(args) = command;
    let client = args.estate.client(Compartment::Accounts, &args.caller)?;
    let rejects = args.rejects.unwrap_or_else(|| default_rejects(&args.file));
    let mut bar = Progress::new("importing customers");
    let progress = &mut |done, total| bar.set(done, total);
    let summary = import_customers(&client, &args.file, &rejects, progress).await?;
    drop(bar);
    args.output.print(&summary, lines)?;
    Ok(ExitCode::SUCCESS)
}

fn lines(summary: &ImportSummary) -> Vec<String> {
    let ImportSummary { created, already_there, rejected, rejects, seconds, .. } = summary;
    let list = if *rejected == 0 { String::new() } else { format!("  see {}", rejects.display()) };
    let [created, already_there, rejected] =
        [created, already_there, rejected].map(|n| words::number(*n));
    vec![
        format!("created        {created}"),
        format!("already there  {already_there}"),
        format!("rejected       {rejected}{list}"),
        format!("seconds        {seconds:.1}"),
    ]
}
