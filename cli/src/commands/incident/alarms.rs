//! `cofferdam incident alarms`

use std::process::ExitCode;

use clap::Args;
use response_api::FeedAlarm;
use staff::incident::alarms;

use crate::command::{CommandError, Common};
use crate::table;

/// `cofferdam incident alarms`
#[derive(Debug, Args)]
pub struct AlarmsArgs {
    /// Only what changed after this sequence number
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    after: u64,
    #[command(flatten)]
    common: Common,
}

/// Lists the alarms.
pub async fn run(args: AlarmsArgs) -> Result<ExitCode, CommandError> {
    let alarms = alarms(&args.common.client()?, args.after).await?;
    args.common.print(&alarms, |alarms| lines(alarms))?;
    Ok(ExitCode::SUCCESS)
}

fn lines(alarms: &[FeedAlarm]) -> Vec<String> {
    if alarms.is_empty() {
        return vec!["no alarm rang".to_owned()];
    }
    let row = |alarm: &FeedAlarm| {
        vec![
            alarm.seq.to_string(),
            table::instant(alarm.last),
            alarm.kind.clone(),
            table::number(alarm.count),
            alarm.detail.clone(),
        ]
    };
    table::headed(["seq", "last", "kind", "times", "detail"], alarms.iter().map(row))
}
