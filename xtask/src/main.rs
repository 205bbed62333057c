//! Repository checks that no compiler makes: the dependencies between crates, and the form of
//! migrations and OpenAPI documents.
//!
//! May touch: the work tree. Called by: `./test`, and people before a commit.

mod migrations;
mod openapi;
mod walls;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    check: Check,
}

#[derive(Debug, Subcommand)]
enum Check {
    /// Compare the real dependency graph with the walls of the design and with its golden file
    Walls {
        /// Write the golden file anew
        #[arg(long)]
        bless: bool,
    },
    /// Compare the OpenAPI documents with the types of the servers' calls
    Openapi {
        /// Write the documents anew
        #[arg(long)]
        bless: bool,
    },
    /// Compare the migrations of the two backends with each other
    Migrations,
}

fn main() -> ExitCode {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let found = match Cli::parse().check {
        Check::Walls { bless } => walls::check(&root, bless),
        Check::Openapi { bless } => openapi::check(&root, bless),
        Check::Migrations => migrations::check(&root),
    };
    match found {
        Ok(()) => ExitCode::SUCCESS,
        Err(faults) => {
            for fault in &faults {
                say(fault);
            }
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "a check says what it found")]
fn say(fault: &str) {
    eprintln!("{fault}");
}
