//! `cofferdam staff add`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use cofferdam_core::SystemRng;
use cofferdam_wire::write_secret;
use keys_api::ApproverSecret;
use staff::approvers::passphrase;

use crate::command::{CommandError, ask_passphrase};
use crate::output;

/// The shortest passphrase that is accepted, in characters.
const MIN_PASSPHRASE: usize = 12;

/// `cofferdam staff add`
#[derive(Debug, Args)]
pub struct AddArgs {
    /// The person's name, as it will stand in the policy and in the log
    name: String,
    /// Where the key goes: a new file, which its owner alone may read
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The file with the passphrase, which its owner alone may read; asked for when it is not
    /// given
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

/// Makes the key, and prints the part of the policy that names it.
pub fn run(args: &AddArgs) -> Result<ExitCode, CommandError> {
    let question = format!("A passphrase for {}, {MIN_PASSPHRASE} characters or more: ", args.name);
    let secret = passphrase(args.passphrase_file.as_deref(), &question, &ask_passphrase)?;
    if secret.chars().count() < MIN_PASSPHRASE {
        return Err(format!("a passphrase has {MIN_PASSPHRASE} characters or more").into());
    }
    let key = ApproverSecret::generate(&args.name, &SystemRng);
    write_secret(&args.out, key.to_pem(secret.as_bytes(), &SystemRng)?.as_bytes())?;
    output::note(&format!("The key is in {}. For the policy's approvers:", args.out.display()));
    let public = key.public();
    output::line("[[approvers]]");
    output::line(&format!("name = {:?}", public.name));
    output::line(&format!("public_key = {:?}", public.public_key));
    Ok(ExitCode::SUCCESS)
}
