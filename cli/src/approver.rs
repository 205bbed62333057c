//! The approver who signs an order that one person may give, together with the command.

use clap::Args;
use cofferdam_wire::Client;
use keys_api::ApproverSecret;
use staff::approvers::{PersonFile, open_key};
use staff::order::check_owner;

use crate::options::{CommandError, ask_passphrase};

/// The approver and the key.
#[derive(Debug, Args)]
pub struct ApproverArgs {
    /// The approver who signs, and the file with that person's signing key; one signs
    #[arg(long, value_name = "NAME=KEYFILE")]
    approver: Option<PersonFile>,
    /// The file with that person's passphrase [default: ask on the terminal]
    #[arg(long, value_name = "NAME=FILE")]
    passphrase_file: Option<PersonFile>,
}

impl ApproverArgs {
    /// Opens the approver's key, and checks it against the policy in force. `what` is what it signs.
    pub async fn key(&self, client: &Client, what: &str) -> Result<ApproverSecret, CommandError> {
        let Some(approver) = &self.approver else {
            let missing = format!(
                "nothing was done: {what} takes the signature of an approver: give --approver \
                 NAME=KEYFILE"
            );
            return Err(missing.into());
        };
        let passphrase = self.passphrase_file.as_ref().map(|of| of.file.as_path());
        let key = open_key(approver, passphrase, &ask_passphrase)?;
        let policy = staff::keys::policy(client).await?;
        let fault = |e| format!("nothing was done: {}: {e}", approver.file.display());
        check_owner(&key, &policy.approvers).map_err(fault)?;
        Ok(key)
    }
}
