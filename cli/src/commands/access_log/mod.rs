//! `cofferdam access-log`: logs of other systems that say who read customers' data.

mod add;
mod catalogue;
mod lines;
mod list;
mod mapping;
mod remove;

use std::process::ExitCode;

use clap::Subcommand;

use crate::options::CommandError;

pub use catalogue::Written;

/// `cofferdam access-log`
#[derive(Debug, Subcommand)]
pub enum AccessLogCommand {
    /// Take the catalogue of a PostgreSQL database: what its tables, views and functions are
    Catalogue(catalogue::CatalogueArgs),
    /// Propose a mapping of a database's log from its catalogue, with what is unsure marked
    Mapping(mapping::MappingArgs),
    /// Show what `add` would bring from access logs, without bringing them
    Plan(add::PlanArgs),
    /// Bring access logs; after an interruption, run the same command again to continue
    Add(add::AddArgs),
    /// List the access logs that were brought
    List(list::ListArgs),
    /// Remove an access log, such as one that was brought with the wrong mapping
    Remove(remove::RemoveArgs),
}

/// Runs one of the commands.
pub async fn run(command: AccessLogCommand) -> Result<ExitCode, CommandError> {
    match command {
        AccessLogCommand::Catalogue(args) => catalogue::run(args).await,
        AccessLogCommand::Mapping(args) => mapping::run(&args),
        AccessLogCommand::Plan(args) => add::plan(args).await,
        AccessLogCommand::Add(args) => add::add(args).await,
        AccessLogCommand::List(args) => list::run(args).await,
        AccessLogCommand::Remove(args) => remove::run(args).await,
    }
}
