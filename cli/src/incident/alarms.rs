//! `cofferdam incident alarms`

use std::process::ExitCode;

use clap::Args;
use cofferdam_wire::Client;
use response_api::{FeedAlarm, ReadFeed};

use super::{Common, StepError, table};
use crate::CommandError;

/// `cofferdam incident alarms`
#[derive(Debug, Args)]
pub struct AlarmsArgs {
    /// Only what changed after this sequence number
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    after: u64,
    #[command(flatten)]
    common: Common,
}

/// The alarms after `after`, oldest first. The feed comes in pages: this reads to its end.
pub async fn alarms(client: &Client, after: u64) -> Result<Vec<FeedAlarm>, StepError> {
    let mut all: Vec<FeedAlarm> = Vec::new();
    loop {
        let after = all.last().map_or(after, |alarm| alarm.seq);
        let page = client.call(&ReadFeed { after }).await.map_err(StepError::plain)?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

/// Runs the command.
pub async fn run(args: AlarmsArgs) -> Result<ExitCode, CommandError> {
    let alarms = alarms(&args.common.client()?, args.after).await?;
    args.common.print(&alarms, |alarms| lines(alarms))?;
    Ok(ExitCode::SUCCESS)
}

fn lines(alarms: &[FeedAlarm]) -> Vec<String> {
    if alarms.is_empty() {
        return vec!["no alarm rang".to_owned()];
    }
    let head = ["seq", "last", "kind", "times", "detail"].map(str::to_owned).to_vec();
    let rows = alarms.iter().map(|alarm| {
        vec![
            alarm.seq.to_string(),
            table::instant(alarm.last),
            alarm.kind.clone(),
            table::number(alarm.count),
            alarm.detail.clone(),
        ]
    });
    table::lines(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}
