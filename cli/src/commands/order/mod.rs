//! `cofferdam order`: orders, which two people sign. An order is a file that goes from hand to
//! hand.

mod apply;
mod draft;
mod show;
mod sign;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use schemars::JsonSchema;
use serde::Serialize;
use staff::order::OrderFile;

use crate::options::CommandError;

/// `cofferdam order`
#[derive(Debug, Subcommand)]
pub enum OrderCommand {
    /// Draft an order into a file that two people sign
    #[command(subcommand)]
    Draft(draft::DraftCommand),
    /// Show an order in words, and the people who signed it
    Show(show::ShowArgs),
    /// Sign an order, after showing it
    Sign(sign::SignArgs),
    /// Carry out an order that two people signed
    Apply(apply::ApplyArgs),
}

/// The file of an order, and its content in words.
#[derive(Serialize, JsonSchema)]
pub struct ShownOrder {
    /// The path of the order's file.
    file: PathBuf,
    /// The order in words, a line each.
    order: Vec<String>,
    /// The people who signed so far.
    signers: Vec<String>,
}

impl ShownOrder {
    fn new(file: &Path, order: &OrderFile, words: Vec<String>) -> Self {
        let signers = order.signers().into_iter().map(str::to_owned).collect();
        Self { file: file.to_owned(), order: words, signers }
    }

    fn lines(&self) -> Vec<String> {
        let signers = match self.signers.as_slice() {
            [] => "nobody signed it yet".to_owned(),
            all => format!("signed by {}", all.join(" and ")),
        };
        let mut out = self.order.clone();
        out.push(staff::printable(&signers));
        out
    }
}

/// Runs one of the commands.
pub async fn run(command: OrderCommand) -> Result<ExitCode, CommandError> {
    match command {
        OrderCommand::Draft(command) => draft::run(command).await,
        OrderCommand::Show(args) => show::run(args).await,
        OrderCommand::Sign(args) => sign::run(args).await,
        OrderCommand::Apply(args) => apply::run(args).await,
    }
}
