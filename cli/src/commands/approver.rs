//! `cofferdam approver`: the people who approve orders, and their keys.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use cofferdam_core::SystemRng;
use cofferdam_wire::write_secret;
use keys_api::{ApproverKey, ApproverSecret};
use staff::approvers::passphrase;

use crate::columns;
use crate::options::{CommandError, OutputArgs, ResponseArgs, ask_passphrase, check_new};
use crate::output;

/// The length of the shortest passphrase that is accepted, in characters.
const MIN_PASSPHRASE: usize = 12;

/// `cofferdam approver`
#[derive(Debug, Subcommand)]
pub enum ApproverCommand {
    /// Make a signing key for one person, in a file that a passphrase protects
    Add(AddArgs),
    /// List the people who may sign under the policy in force
    List(ListArgs),
}

/// `cofferdam approver add`
#[derive(Debug, Args)]
pub struct AddArgs {
    /// The person's name, as the policy and the release log will show it
    name: String,
    /// The file for the signing key; it must be new, and only its owner will be able to read it
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The file with the passphrase, readable by its owner alone [default: ask on the terminal]
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

/// `cofferdam approver list`
#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    response: ResponseArgs,
}

/// Runs one of the commands.
pub async fn run(command: ApproverCommand) -> Result<ExitCode, CommandError> {
    match command {
        ApproverCommand::Add(args) => add(&args),
        ApproverCommand::List(args) => list(args).await,
    }
}

/// Makes the key, and prints the part of the policy that names its owner.
fn add(args: &AddArgs) -> Result<ExitCode, CommandError> {
    check_new(&args.out)?;
    let question = format!("A passphrase for {}, {MIN_PASSPHRASE} characters or more: ", args.name);
    let secret = passphrase(args.passphrase_file.as_deref(), &question, &ask_passphrase)?;
    if secret.chars().count() < MIN_PASSPHRASE {
        return Err(format!("a passphrase has {MIN_PASSPHRASE} characters or more").into());
    }
    let key = ApproverSecret::generate(&args.name, &SystemRng);
    write_secret(&args.out, key.to_pem(secret.as_bytes(), &SystemRng)?.as_bytes())?;
    output::note(&format!("The key is in {}. For the policy's approvers:", args.out.display()));
    args.output.print(&key.public(), |public| {
        vec![
            "[[approvers]]".to_owned(),
            format!("name = {:?}", public.name),
            format!("public_key = {:?}", public.public_key),
        ]
    })?;
    output::next("cofferdam order draft policy FILE --out ORDER");
    Ok(ExitCode::SUCCESS)
}

async fn list(args: ListArgs) -> Result<ExitCode, CommandError> {
    let policy = staff::keys::policy(&args.response.client()?).await?;
    let row = |of: &ApproverKey| vec![of.name.clone(), of.public_key.clone()];
    args.response.print(&policy.approvers, |all| {
        columns::listing(["name", "public key"], all, row, "nobody may sign")
    })?;
    Ok(ExitCode::SUCCESS)
}
