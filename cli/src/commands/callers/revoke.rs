//! `cofferdam callers revoke`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use cofferdam_core::{CallerName, Reason, Sha256};
use cofferdam_wire::public_key;
use response_api::AddRevokedKey;

use super::Revoked;
use crate::options::{CommandError, ResponseArgs};

/// `cofferdam callers revoke`
#[derive(Debug, Args)]
pub struct RevokeArgs {
    /// The caller, by the name in its certificate
    #[arg(value_name = "CALLER")]
    caller: CallerName,
    #[command(flatten)]
    key: KeyArgs,
    /// The reason, without personal data; the release log keeps it
    #[arg(long, value_name = "TEXT")]
    reason: Reason,
    #[command(flatten)]
    response: ResponseArgs,
}

/// The key, or the certificate that has it.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct KeyArgs {
    /// The SHA-256 of the public key (`SubjectPublicKeyInfo`), in hexadecimal
    #[arg(long, value_name = "SHA256")]
    key: Option<Sha256>,
    /// The certificate, in PEM
    #[arg(long, value_name = "FILE")]
    cert: Option<PathBuf>,
}

/// Revokes one key.
pub async fn run(args: RevokeArgs) -> Result<ExitCode, CommandError> {
    let RevokeArgs { caller, key, reason, response } = args;
    let key = match key {
        KeyArgs { key: Some(key), .. } => key,
        KeyArgs { cert: Some(cert), .. } => public_key(&cert)?,
        KeyArgs { .. } => return Err("name the key with --key or --cert".into()),
    };
    let call = AddRevokedKey { caller: caller.clone(), key, reason };
    staff::call(&response.client()?, &call).await?;
    response.print(&Revoked { caller, key }, |done| {
        vec![format!("The key {} of {} is refused everywhere", done.key, done.caller)]
    })?;
    Ok(ExitCode::SUCCESS)
}
