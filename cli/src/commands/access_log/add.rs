//! `cofferdam access-log plan` and `add`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use cofferdam_core::Timestamp;
use staff::import::{Coverage, bring_access_logs, plan_access_logs};
use staff::printable;

use super::lines;
use crate::options::{CommandError, OutputArgs, ResponseArgs, instant};
use crate::output::{self, Progress};

/// `cofferdam access-log plan`
#[derive(Debug, Args)]
pub struct PlanArgs {
    #[command(flatten)]
    logs: LogArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// `cofferdam access-log add`
#[derive(Debug, Args)]
pub struct AddArgs {
    #[command(flatten)]
    logs: LogArgs,
    #[command(flatten)]
    response: ResponseArgs,
}

/// The access logs that a command reads, and the mapping that explains their lines.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a statement of its own")]
struct LogArgs {
    /// The access logs, oldest first; each file continues the one before it
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The mapping, a TOML file that explains the lines (see docs/imports.md)
    #[arg(long, value_name = "FILE")]
    mapping: PathBuf,
    /// The instant from which the logs are complete [default: the first line's instant]
    #[arg(long, value_name = "TIME", value_parser = instant)]
    covers_from: Option<Timestamp>,
    /// The instant up to which the logs are complete [default: the last line's instant]
    #[arg(long, value_name = "TIME", value_parser = instant)]
    covers_to: Option<Timestamp>,
    /// State that nothing is missing between the files (journalled); not needed if their names count
    #[arg(long)]
    joined: bool,
    /// State that the logs were shipped off their host as they grew (journalled): only then do they
    /// tell anything about that host if it fell
    #[arg(long)]
    shipped: bool,
    /// State that no definition but those in the logs came between them and the catalogue
    /// (journalled); not needed if the logs reach up to it and show definitions
    #[arg(long)]
    unchanged: bool,
    /// State that the logs hold every read (journalled); not needed if their lines show it
    #[arg(long)]
    reads_logged: bool,
    /// Accept that no line names a table of the mapping, and that what the lines name counts for
    /// everybody
    #[arg(long)]
    unnamed: bool,
}

impl LogArgs {
    const fn coverage(&self) -> Coverage {
        Coverage {
            from: self.covers_from,
            to: self.covers_to,
            joined: self.joined,
            shipped: self.shipped,
            unchanged: self.unchanged,
            reads_logged: self.reads_logged,
            unnamed: self.unnamed,
        }
    }
}

/// Shows the accesses that logs hold, without bringing them.
pub async fn plan(args: PlanArgs) -> Result<ExitCode, CommandError> {
    let PlanArgs { logs, output } = args;
    let mut bar = Progress::new("reading access logs");
    let progress = &mut |done, total| bar.set(done, total);
    let planned = plan_access_logs(&logs.files, &logs.mapping, logs.coverage(), progress).await?;
    drop(bar);
    tell_unnamed(&planned.unnamed_tables);
    output.print(&planned.logs, |planned| {
        planned.iter().flat_map(|of| lines::planned(of, logs.coverage())).collect()
    })?;
    output::next("cofferdam access-log add FILE --mapping FILE");
    Ok(ExitCode::SUCCESS)
}

/// Brings access logs. After an interruption, the same command continues with the rest.
pub async fn add(args: AddArgs) -> Result<ExitCode, CommandError> {
    let AddArgs { logs, response } = args;
    let client = response.client()?;
    let mut bar = Progress::new("importing access logs");
    let progress = &mut |done, total| bar.set(done, total);
    let brought =
        bring_access_logs(&client, &logs.files, &logs.mapping, logs.coverage(), progress).await?;
    drop(bar);
    tell_unnamed(&brought.unnamed_tables);
    response.print(&brought.logs, |logs| logs.iter().flat_map(lines::brought).collect())?;
    output::next(
        "cofferdam incident declare --people table --fallen NAME --from TIME --title TEXT --found TEXT",
    );
    Ok(ExitCode::SUCCESS)
}

/// Tells the tables that no line names: a name may be misspelt, or nobody used the table.
fn tell_unnamed(tables: &[String]) {
    for table in tables {
        output::note(&format!("note: no line of any file names the table {}", printable(table)));
    }
}
