//! `cofferdam order show`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use cofferdam_wire::Client;
use keys_api::Policy;
use staff::order::{Order, OrderFile};

use super::ShownOrder;
use crate::options::{CommandError, ResponseArgs, check_new};
use crate::output;

/// `cofferdam order show`
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The file of the order
    order: PathBuf,
    /// Write the texts of the letter that the order approves into this new directory
    #[arg(long, value_name = "DIR")]
    texts: Option<PathBuf>,
    #[command(flatten)]
    response: ResponseArgs,
}

/// Shows an order in words. A letter's texts are written on this machine, from the version that the
/// signature is for.
pub async fn run(args: ShowArgs) -> Result<ExitCode, CommandError> {
    let ShowArgs { order: path, texts, response } = args;
    let order = OrderFile::read(&path)?;
    match (&texts, &order.order) {
        (None, _) => {}
        (Some(dir), Order::Letter(letter)) => {
            check_new(dir)?;
            letter.write_texts(dir)?;
        }
        (Some(_), _) => {
            return Err(format!("{} approves no letter: it has no texts", path.display()).into());
        }
    }
    let words = words(&order, response.client().ok().as_ref()).await?;
    response.print(&ShownOrder::new(&path, &order, words), ShownOrder::lines)?;
    Ok(ExitCode::SUCCESS)
}

/// Puts an order in words. A policy is shown as the difference to the policy in force, if
/// `response` answers; a signer's machine may reach no estate.
pub async fn words(
    order: &OrderFile,
    response: Option<&Client>,
) -> Result<Vec<String>, CommandError> {
    let in_force = match &order.order {
        Order::Policy(_) => policy_in_force(response).await,
        _ => None,
    };
    if matches!(order.order, Order::Policy(_)) && in_force.is_none() {
        output::note("The policy in force can't be read here: the new one is shown in full.");
    }
    if in_force.is_some() {
        output::note(
            "response told which policy is in force. To sign, the new one is shown beside the policy that \
             you signed last.",
        );
    }
    Ok(order.words(in_force.as_ref())?)
}

/// The policy in force, if `response` answers: a signer's machine may reach no estate.
pub async fn policy_in_force(response: Option<&Client>) -> Option<Policy> {
    match response {
        Some(client) => staff::keys::policy(client).await.ok(),
        None => None,
    }
}
