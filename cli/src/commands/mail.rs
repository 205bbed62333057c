//! `cofferdam mail`: what must be ready before letters are sent.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use cofferdam_mail::{DkimAlgorithm, DkimKey, generate_dkim_key};
use cofferdam_wire::write_secret;

use crate::command::CommandError;
use crate::output;

/// `cofferdam mail`
#[derive(Debug, Subcommand)]
pub enum MailCommand {
    /// Make a key that signs letters, and say what to publish
    DkimKey(DkimKeyArgs),
}

/// `cofferdam mail dkim-key`
#[derive(Debug, Args)]
pub struct DkimKeyArgs {
    /// The domain that signs: the one in the letters' sender, or one above it
    #[arg(long)]
    domain: String,
    /// Which of the domain's keys it is
    #[arg(long)]
    selector: String,
    /// The key's file, a new one
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Which kind; Ed25519 goes beside RSA, never alone
    #[arg(long, value_enum, default_value_t = Kind::Rsa)]
    algorithm: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// 2048 bits
    Rsa,
    Ed25519,
}

/// Runs a command.
pub fn run(command: MailCommand) -> Result<ExitCode, CommandError> {
    let MailCommand::DkimKey(args) = command;
    let algorithm = match args.algorithm {
        Kind::Rsa => DkimAlgorithm::Rsa,
        Kind::Ed25519 => DkimAlgorithm::Ed25519,
    };
    let pem = generate_dkim_key(algorithm)?;
    let key = DkimKey::from_pem(&args.domain, &args.selector, pem.as_bytes(), &args.out)?;
    write_secret(&args.out, pem.as_bytes())?;
    output::line(&format!("{}._domainkey.{}. TXT", args.selector, args.domain));
    output::line(&key.record()?);
    Ok(ExitCode::SUCCESS)
}
