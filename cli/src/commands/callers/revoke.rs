//! `cofferdam callers revoke`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use cofferdam_core::{CallerName, Reason};
use cofferdam_wire::{certificate_chain, key_of_chain};
use response_api::AddRevokedKey;

use super::Revoked;
use crate::options::{CommandError, ResponseArgs};

/// `cofferdam callers revoke`
#[derive(Debug, Args)]
pub struct RevokeArgs {
    /// The caller, by the name in its certificate
    #[arg(value_name = "CALLER")]
    caller: CallerName,
    /// The certificate whose key is revoked, in PEM, with those between it and the authority
    #[arg(long, value_name = "FILE")]
    cert: PathBuf,
    /// The newer certificate that a compartment has by now
    #[arg(long, value_name = "FILE")]
    newer: Option<PathBuf>,
    /// The reason, without personal data; the release log keeps it
    #[arg(long, value_name = "TEXT")]
    reason: Reason,
    #[command(flatten)]
    response: ResponseArgs,
}

/// Revokes one key.
pub async fn run(args: RevokeArgs) -> Result<ExitCode, CommandError> {
    let RevokeArgs { caller, cert, newer, reason, response } = args;
    let certificate = certificate_chain(&cert)?;
    let key = key_of_chain(&certificate)?;
    let newer = newer.map(|file| certificate_chain(&file)).transpose()?;
    let call = AddRevokedKey { caller: caller.clone(), certificate, newer, reason };
    staff::call(&response.client()?, &call).await?;
    response.print(&Revoked { caller, key }, |done| {
        vec![format!("The key {} of {} is refused everywhere", done.key, done.caller)]
    })?;
    Ok(ExitCode::SUCCESS)
}
