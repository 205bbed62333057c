//! `cofferdam budget`: how much each caller may take, and how much it needs.

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
    /// List each caller's budgets, their use, and how long it would take to drain everything
    List(list::ListArgs),
    /// Derive budgets from what the release log says was needed
    Suggest(suggest::SuggestArgs),
    /// Lower a caller's budget below the policy's, for an incident
    Lower(lower::LowerArgs),
    /// Give a caller the policy's budget back
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
