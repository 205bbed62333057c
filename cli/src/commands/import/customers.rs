//! `cofferdam import customers`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use cofferdam_core::CallerName;
use estate::{Compartment, Estate};
use staff::import::{ImportSummary, default_rejects, import_customers};

use crate::command::CommandError;
use crate::output::{self, Progress};

/// `cofferdam import customers`
#[derive(Debug, Args)]
pub struct ImportCustomersArgs {
    /// A CSV file with the header row
    /// `name,email,phone,billing_address,shipping_address,card_last4,country,region,language,minor,password_scheme,password_salt,password_hash`
    /// in any order; the hash in hexadecimal
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The estate's directory
    #[arg(long, value_name = "DIR", default_value = "./estate")]
    dir: PathBuf,
    /// The caller whose certificate is shown
    #[arg(long = "as", value_name = "CALLER", default_value = "import-1")]
    caller: CallerName,
    /// Where rows that were not imported are listed, by line and reason [default: FILE.rejects.csv]
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

/// Imports customers.
pub async fn run(args: ImportCustomersArgs) -> Result<ExitCode, CommandError> {
    let client = Estate::open(&args.dir)?.client(Compartment::Accounts, &args.caller)?;
    let rejects = args.rejects.unwrap_or_else(|| default_rejects(&args.file));
    let mut bar = Progress::new("importing customers");
    let progress = &mut |done, total| bar.set(done, total);
    let summary = import_customers(&client, &args.file, &rejects, progress).await?;
    drop(bar);
    if args.json {
        output::json(&summary)?;
    } else {
        print(&summary);
    }
    Ok(ExitCode::SUCCESS)
}

fn print(summary: &ImportSummary) {
    let ImportSummary { created, already_there, rejected, rejects, seconds, .. } = summary;
    output::line(&format!("created        {created}"));
    output::line(&format!("already there  {already_there}"));
    output::line(&format!("rejected       {rejected}  see {}", rejects.display()));
    output::line(&format!("seconds        {seconds:.1}"));
}
