//! `cofferdam callers renew`

use std::process::ExitCode;

use clap::Args;
use cofferdam_core::{CallerName, Clock as _, Reason, SystemClock};
use cofferdam_wire::key_of_chain;
use estate::OLD_CERTIFICATE;
use response_api::AddRevokedKey;

use super::Revoked;
use crate::options::{CommandError, ResponseArgs};

/// `cofferdam callers renew`
#[derive(Debug, Args)]
pub struct RenewArgs {
    /// The caller, by the name in its certificate
    #[arg(value_name = "CALLER")]
    caller: CallerName,
    /// The reason, without personal data; the release log keeps it
    #[arg(long, value_name = "TEXT")]
    reason: Reason,
    #[command(flatten)]
    response: ResponseArgs,
}

/// Makes the new key first, so that a caller which renews itself can call afterwards.
pub async fn run(args: RenewArgs) -> Result<ExitCode, CommandError> {
    let RenewArgs { caller, reason, response } = args;
    let estate = response.estate()?;
    let own = estate.dir.join("callers").join(caller.as_str());
    let certificate = estate::renew_caller(&estate, &caller, SystemClock.now())?;
    let key = key_of_chain(&certificate)?;
    let call = AddRevokedKey { caller: caller.clone(), certificate, newer: None, reason };
    if let Err(e) = staff::call(&response.client()?, &call).await {
        return Err(format!(
            "{caller} has a new key, but the old one is in force: {e}; then run: \
             cofferdam callers revoke {caller} --cert {} --reason TEXT",
            own.join(OLD_CERTIFICATE).display()
        )
        .into());
    }
    response.print(&Revoked { caller, key }, |done| {
        vec![
            format!("{} has a new key and certificate in {}", done.caller, own.display()),
            format!("The old key {} is refused everywhere", done.key),
        ]
    })?;
    Ok(ExitCode::SUCCESS)
}
