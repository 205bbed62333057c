//! `cofferdam budgets`: how much each caller may take, and how much it needs.

mod measure;
mod show;
mod suggest;

use std::process::ExitCode;

use clap::Subcommand;

use crate::command::CommandError;

/// `cofferdam budgets`
#[derive(Debug, Subcommand)]
pub enum BudgetsCommand {
    /// Show each caller's budget, its use, and how long it would take to drain everything
    Show(show::ShowArgs),
    /// Derive budgets from what the release log says was needed
    Suggest(suggest::SuggestArgs),
}

/// Runs one of the commands.
pub async fn run(command: BudgetsCommand) -> Result<ExitCode, CommandError> {
    match command {
        BudgetsCommand::Show(args) => show::run(args).await,
        BudgetsCommand::Suggest(args) => suggest::run(&args),
    }
}
