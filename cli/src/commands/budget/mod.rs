//! `cofferdam budget`: the budget of each caller, and the budget that it needs.

mod list;
mod lower;
mod measure;
mod suggest;

use std::process::ExitCode;

use clap::Subcommand;

use crate::options::CommandError;

pub use lower::BudgetState;
pub use suggest::Suggestion;

/// `cofferdam budget`
#[derive(Debug, Subcommand)]
pub enum BudgetCommand {
    /// List each caller's budgets, their use, and the hours to drain everything
    List(list::ListArgs),
    /// Suggest budgets from the use that the release log shows
    Suggest(suggest::SuggestArgs),
    /// Lower a caller's budget below the policy's, for an incident
    Lower(lower::LowerArgs),
    /// Restore a caller's budget to the policy's
    Restore(lower::RestoreArgs),
}

/// Runs one of the commands.
pub async fn run(command: BudgetCommand) -> Result<ExitCode, CommandError> {
    match command {
        BudgetCommand::List(args) => list::run(args).await,
        BudgetCommand::Suggest(args) => suggest::run(&args),
        BudgetCommand::Lower(args) => lower::lower(args).await,
        BudgetCommand::Restore(args) => lower::restore(args).await,
    }
}
