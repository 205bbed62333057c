//! `cofferdam dkim-key`: the keys under which letters are signed (RFC 6376).

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use cofferdam_mail::{DkimAlgorithm, DkimKey, generate_dkim_key};
use cofferdam_wire::write_secret;
use schemars::JsonSchema;
use serde::Serialize;

use crate::options::{CommandError, OutputArgs};
use crate::output;

/// `cofferdam dkim-key`
#[derive(Debug, Subcommand)]
pub enum DkimKeyCommand {
    /// Make a key that signs letters, and print the DNS record to publish
    Add(AddArgs),
}

/// `cofferdam dkim-key add`
#[derive(Debug, Args)]
pub struct AddArgs {
    /// The domain that signs: the mail domain of the letters' sender, or one above it
    #[arg(long)]
    domain: String,
    /// The selector: the name under which this key of the domain is published
    #[arg(long)]
    selector: String,
    /// The file for the key; it must be new
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The kind of key; an Ed25519 key is used beside an RSA key, never alone
    #[arg(long, value_enum, default_value_t = Kind::Rsa)]
    algorithm: Kind,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// RSA with 2048 bits
    Rsa,
    Ed25519,
}

/// The record to publish in the DNS.
#[derive(Serialize, JsonSchema)]
pub struct DnsRecord {
    /// The name of the record in the DNS.
    name: String,
    /// The text of the TXT record.
    txt: String,
}

/// Makes a key, and prints the record to publish.
pub fn run(command: DkimKeyCommand) -> Result<ExitCode, CommandError> {
    let DkimKeyCommand::Add(args) = command;
    let algorithm = match args.algorithm {
        Kind::Rsa => DkimAlgorithm::Rsa,
        Kind::Ed25519 => DkimAlgorithm::Ed25519,
    };
    let pem = generate_dkim_key(algorithm)?;
    let key = DkimKey::from_pem(&args.domain, &args.selector, pem.as_bytes(), &args.out)?;
    write_secret(&args.out, pem.as_bytes())?;
    let name = format!("{}._domainkey.{}.", args.selector, args.domain);
    let record = DnsRecord { name, txt: key.record()? };
    args.output.print(&record, |of| vec![format!("{} TXT", of.name), of.txt.clone()])?;
    output::note(&format!("The key is in {}.", args.out.display()));
    output::next("publish the record, and name the key under [[letters.dkim]] of response.toml");
    Ok(ExitCode::SUCCESS)
}
