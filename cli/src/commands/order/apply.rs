//! `cofferdam order apply`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use cofferdam_core::WarrantSubject;
use keys_api::EpochChange;
use response_api::AppliedOrder;
use staff::order::{Order, OrderFile, VoidSetOrder};

use super::{ShownOrder, show};
use crate::commands::letters;
use crate::confirm::Confirm;
use crate::options::{CommandError, ResponseArgs};
use crate::{output, words};

/// `cofferdam order apply`
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// The order's file, with its signatures
    order: PathBuf,
    #[command(flatten)]
    confirm: Confirm,
    #[command(flatten)]
    response: ResponseArgs,
}

/// Has `response` carry the order out. `keys` checks both signatures.
pub async fn run(args: ApplyArgs) -> Result<ExitCode, CommandError> {
    let ApplyArgs { order: path, confirm, response } = args;
    let client = response.client()?;
    let order = OrderFile::read(&path)?;
    if let Some(policy) = show::policy_in_force(Some(&client)).await {
        let fault = |e| format!("nothing was done: {}: {e}", path.display());
        order.check_signatures(&policy.approvers).map_err(fault)?;
    }
    let shown = ShownOrder::new(&path, &order, show::words(&order, Some(&client)).await?);
    let mut step = vec![format!("carry out the order in {}:", path.display())];
    step.extend(shown.lines());
    confirm.ask(&step)?;
    let applied = order.apply(&client).await?;
    response.print(&applied, lines)?;
    next(&order, &applied);
    Ok(ExitCode::SUCCESS)
}

fn lines(applied: &AppliedOrder) -> Vec<String> {
    match applied {
        AppliedOrder::Policy => vec!["the policy is in force".to_owned()],
        AppliedOrder::Epoch => vec!["the epoch is changed".to_owned()],
        AppliedOrder::Letter(status) => {
            vec![format!("letter {} is approved: {}", status.letter, letters::summary(status))]
        }
        AppliedOrder::PaperPost(opened) => {
            vec![format!("the addresses are open under warrant {}", opened.warrant)]
        }
        AppliedOrder::Void(voided) => vec![format!(
            "order {}: the credentials of {} customers are void and {} sessions ended; it held \
             after {:.3} s",
            voided.order,
            words::number(voided.customers),
            words::number(voided.sessions),
            voided.seconds
        )],
    }
}

fn next(order: &OrderFile, applied: &AppliedOrder) {
    match (applied, &order.order) {
        (AppliedOrder::Letter(status), _) => {
            output::next(&format!("cofferdam letters start {}", status.letter));
        }
        (AppliedOrder::PaperPost(opened), Order::Warrant(warrant)) => {
            if let WarrantSubject::PaperPost { letter } = warrant.order.subject {
                let number = &opened.warrant;
                output::next(&format!(
                    "cofferdam paper-post export {letter} --warrant {number} --out list.csv"
                ));
            }
        }
        (AppliedOrder::Void(_), Order::Void(void) | Order::VoidSet(VoidSetOrder { void, .. })) => {
            output::next(&format!(
                "cofferdam letters plan --incident {} --audience staff",
                void.order.incident
            ));
        }
        (AppliedOrder::Epoch, Order::Epoch(epoch)) => output::next(match epoch.order.change {
            EpochChange::Start { .. } => "cofferdam epoch list --wait",
            EpochChange::Retire { .. } => "cofferdam epoch list",
        }),
        (AppliedOrder::Policy, _) => output::next("cofferdam policy show"),
        _ => {}
    }
}
