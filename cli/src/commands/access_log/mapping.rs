//! `cofferdam access-log mapping`

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use staff::import::propose_mapping;

use crate::options::{CommandError, OutputArgs, check_new};
use crate::output;

/// `cofferdam access-log mapping`
#[derive(Debug, Args)]
pub struct MappingArgs {
    /// The catalogue, as `access-log catalogue` or psql wrote it; the mapping names it
    #[arg(long, value_name = "FILE")]
    catalogue: PathBuf,
    /// The table of the customers, as public.customer
    #[arg(long, value_name = "NAME")]
    table: String,
    /// The mapping to write, beside the catalogue
    #[arg(long, value_name = "FILE", default_value = "log.toml")]
    out: PathBuf,
    #[command(flatten)]
    output: OutputArgs,
}

/// Proposes a mapping.
pub fn run(args: &MappingArgs) -> Result<ExitCode, CommandError> {
    check_new(&args.out)?;
    let text = propose_mapping(&args.catalogue, &args.table)?;
    fs::write(&args.out, text).map_err(|e| format!("{}: {e}", args.out.display()))?;
    args.output.print(&args.out, |out| {
        vec![format!(
            "{} is a proposal: read it as a whole, and decide what it marks",
            out.display()
        )]
    })?;
    output::next("cofferdam access-log plan FILE --mapping FILE");
    Ok(ExitCode::SUCCESS)
}
