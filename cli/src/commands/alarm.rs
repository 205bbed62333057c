//! `cofferdam alarm`: the alarms of `keys` and `response`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use response_api::Alarm;
use staff::incident::alarms;

use crate::options::{CommandError, ResponseArgs};
use crate::{columns, words};

/// `cofferdam alarm`
#[derive(Debug, Subcommand)]
pub enum AlarmCommand {
    /// List the alarms, oldest first
    List(ListArgs),
}

/// `cofferdam alarm list`
#[derive(Debug, Args)]
pub struct ListArgs {
    /// List only the alarms that changed after this sequence number
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    after: u64,
    #[command(flatten)]
    response: ResponseArgs,
}

/// Lists the alarms that changed after a sequence number.
pub async fn run(command: AlarmCommand) -> Result<ExitCode, CommandError> {
    let AlarmCommand::List(args) = command;
    let alarms = alarms(&args.response.client()?, args.after).await?;
    args.response.print(&alarms, |alarms| {
        let head = ["seq", "last", "kind", "times", "detail"];
        columns::listing(head, alarms, row, "no alarm rang")
    })?;
    Ok(ExitCode::SUCCESS)
}

fn row(alarm: &Alarm) -> Vec<String> {
    vec![
        alarm.seq.to_string(),
        words::instant(alarm.last),
        alarm.kind.clone(),
        words::number(alarm.count),
        alarm.detail.clone(),
    ]
}
