//! `cofferdam order sign`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use keys_api::Policy;
use staff::approvers::{PersonFile, open_keys};
use staff::order::{Order, OrderFault, OrderFile, note_signed, signed_last};

use super::{ShownOrder, show};
use crate::options::{CommandError, ResponseArgs, ask_passphrase};
use crate::output;

/// `cofferdam order sign`
#[derive(Debug, Args)]
pub struct SignArgs {
    /// The order's file; the signature is added to it
    order: PathBuf,
    /// The person who signs, and the file with that person's signing key
    #[arg(long = "approver", value_name = "NAME=KEYFILE", required = true)]
    approvers: Vec<PersonFile>,
    /// The file with that person's passphrase [default: ask on the terminal]
    #[arg(long = "passphrase-file", value_name = "NAME=FILE")]
    passphrases: Vec<PersonFile>,
    #[command(flatten)]
    response: ResponseArgs,
}

/// Shows the order in words, and signs it, unless a key is not the named approver's.
pub async fn run(args: SignArgs) -> Result<ExitCode, CommandError> {
    let SignArgs { order: path, approvers, passphrases, response } = args;
    let mut order = OrderFile::read(&path)?;
    let client = response.client().ok();
    let words = order.words(signed_before(&order, &approvers)?.as_ref())?;
    for line in &words {
        output::note(line);
    }
    let in_force = show::policy_in_force(client.as_ref()).await;
    if in_force.is_none() {
        output::note(
            "The policy in force can't be read here: nobody checked whose keys these are.",
        );
    }
    let known = in_force.as_ref().map(|policy| policy.approvers.as_slice());
    for approver in open_keys(&approvers, &passphrases, &ask_passphrase)? {
        order.check_signer(&approver, known).map_err(|e| place(&approvers, approver.name(), &e))?;
        order.sign(&approver);
    }
    order.write(&path)?;
    if let Order::Policy(signed) = &order.order {
        for approver in &approvers {
            note_signed(&approver.file, &signed.order)?;
        }
    }
    response.print(&ShownOrder::new(&path, &order, words), |shown| {
        shown.lines().into_iter().last().into_iter().collect()
    })?;
    let file = path.display();
    output::next(&if order.awaits_second_signature() {
        format!("a second person: cofferdam order sign {file} --approver NAME=KEYFILE")
    } else {
        format!("cofferdam order apply {file}")
    });
    Ok(ExitCode::SUCCESS)
}

/// The policy that the signer signed last, beside which the next one is shown. What `response` says is in
/// force may be made up, if it fell.
fn signed_before(
    order: &OrderFile,
    approvers: &[PersonFile],
) -> Result<Option<Policy>, CommandError> {
    let (Order::Policy(_), Some(first)) = (&order.order, approvers.first()) else {
        return Ok(None);
    };
    let before = signed_last(&first.file)?;
    if before.is_none() {
        output::note("This key signed no policy here before: the new one is shown in full.");
    }
    Ok(before)
}

/// The message about a signer, with the file of the key.
fn place(approvers: &[PersonFile], name: &str, fault: &OrderFault) -> CommandError {
    let file = approvers.iter().find(|of| of.name == name).map(|of| of.file.display().to_string());
    format!("nothing was signed: {}: {fault}", file.unwrap_or_default()).into()
}
