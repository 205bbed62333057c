//! `cofferdam manual`: man pages, shell completions, and the schema of every JSON result.

mod results;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::Cli;
use crate::options::{CommandError, check_new};
use crate::output;

#[cfg(test)]
pub use results::COMMANDS;
pub use results::schemas;

/// The name of the file with the schemas.
const SCHEMAS: &str = "results.schema.json";

/// `cofferdam manual`
#[derive(Debug, Args)]
pub struct ManualArgs {
    /// The directory for the files; it must be new
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Writes `man/`, `completions/` and the schemas.
pub fn run(args: &ManualArgs) -> Result<ExitCode, CommandError> {
    check_new(&args.out)?;
    let (man, completions) = (args.out.join("man"), args.out.join("completions"));
    for dir in [&man, &completions] {
        make(dir)?;
    }
    let pages = clap_mangen::generate_to(Cli::command(), &man);
    pages.map_err(|e| format!("{}: {e}", man.display()))?;
    for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
        clap_complete::generate_to(shell, &mut Cli::command(), "cofferdam", &completions)
            .map_err(|e| format!("{}: {e}", completions.display()))?;
    }
    let path = args.out.join(SCHEMAS);
    fs::write(&path, schemas()?).map_err(|e| format!("{}: {e}", path.display()))?;
    output::line(&format!(
        "man pages, completions for bash, fish and zsh, and {SCHEMAS} are in {}",
        args.out.display()
    ));
    Ok(ExitCode::SUCCESS)
}

fn make(dir: &Path) -> Result<(), CommandError> {
    Ok(fs::create_dir_all(dir).map_err(|e| format!("{}: {e}", dir.display()))?)
}
