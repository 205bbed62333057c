//! `cofferdam access-log catalogue`

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use staff::import::{CATALOGUE_QUERY, TakenCatalogue, take_catalogue};

use crate::options::{CommandError, OutputArgs, check_new};
use crate::{output, words};

/// `cofferdam access-log catalogue`
#[derive(Debug, Args)]
pub struct CatalogueArgs {
    /// The database, as `postgres://USER@HOST/NAME`; any role can read its catalogue
    #[arg(long, value_name = "URL", required_unless_present = "psql")]
    from: Option<String>,
    /// Write the statements for psql instead, to take the catalogue where this program is not:
    /// `psql -X -q -A -t -f FILE URL > catalogue.json`
    #[arg(long, conflicts_with = "from")]
    psql: bool,
    /// The file to write
    #[arg(long, value_name = "FILE", default_value = "catalogue.json")]
    out: PathBuf,
    #[command(flatten)]
    output: OutputArgs,
}

/// A file that was written.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Written {
    /// The path of the file that was written.
    pub file: PathBuf,
    /// The catalogue in it; nothing if it has the statements for psql.
    pub catalogue: Option<TakenCatalogue>,
}

/// Takes a catalogue, or writes the statements that take one.
pub async fn run(args: CatalogueArgs) -> Result<ExitCode, CommandError> {
    let CatalogueArgs { from, psql: _, out, output } = args;
    check_new(&out)?;
    let (catalogue, text) = match &from {
        Some(url) => {
            let (taken, text) = take_catalogue(url).await?;
            (Some(taken), text)
        }
        None => (None, CATALOGUE_QUERY.to_owned()),
    };
    fs::write(&out, text).map_err(|e| format!("{}: {e}", out.display()))?;
    output.print(&Written { file: out, catalogue }, lines)?;
    output::next("cofferdam access-log mapping --catalogue FILE --table NAME");
    Ok(ExitCode::SUCCESS)
}

fn lines(written: &Written) -> Vec<String> {
    let file = written.file.display();
    match &written.catalogue {
        Some(TakenCatalogue { database, taken, relations, functions }) => vec![format!(
            "{file}: the catalogue of {} at {}, with {} relations and {} functions",
            staff::printable(database),
            words::instant(*taken),
            words::number(*relations as u64),
            words::number(*functions as u64),
        )],
        None => vec![format!("{file}: psql -X -q -A -t -f {file} URL > catalogue.json")],
    }
}
