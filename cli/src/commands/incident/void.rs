//! `cofferdam incident void`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use cofferdam_core::Timestamp;
use response_api::{VoidCredentials, VoidWhose, Voided};

use crate::confirm::Confirm;
use crate::options::{CommandError, IncidentArgs, instant, read_records};
use crate::{output, words};

/// `cofferdam incident void`
#[derive(Debug, Args)]
#[command(
    after_help = "More than a tenth of the customers in 24 hours, and everybody, take an order \
                        that two people sign: cofferdam order draft void, with --exposed or --records \
                        for some"
)]
pub struct VoidArgs {
    #[command(flatten)]
    of: IncidentArgs,
    #[command(flatten)]
    whose: Whose,
    /// Void also passwords that were set since an earlier order of this incident, up to this
    /// instant [default: now, without such passwords]
    #[arg(long, value_name = "TIME", value_parser = instant)]
    older_than: Option<Timestamp>,
    #[command(flatten)]
    confirm: Confirm,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Whose {
    /// Void the credentials of everybody of whom a field was read or presented in the last scope
    #[arg(long)]
    exposed: bool,
    /// Void the credentials of the customers in this file, which has one record number a line
    #[arg(long, value_name = "FILE")]
    records: Option<PathBuf>,
}

/// Voids the credentials of some customers after a question.
pub async fn run(args: VoidArgs) -> Result<ExitCode, CommandError> {
    let VoidArgs { of, whose, older_than, confirm } = args;
    let (client, incident) = (of.response.client()?, of.incident);
    let (whose, who) = match &whose.records {
        Some(file) => {
            let records = read_records(file)?;
            let who = format!("the {} customers in {}", records.len(), file.display());
            (VoidWhose::Only { records }, who)
        }
        None => (VoidWhose::Exposed, "everybody with a field read or presented".to_owned()),
    };
    let since = older_than
        .map_or_else(String::new, |time| format!(", also those set since an order, up to {time}"));
    confirm.ask(&[format!(
        "void the credentials of {who}{since}, and end their sessions, for incident {incident}: \
         they must set a new password"
    )])?;
    let call = VoidCredentials { incident, whose, set_before: older_than };
    let voided = staff::call(&client, &call).await?;
    of.response.print(&voided, lines)?;
    output::next(&format!("cofferdam letters plan --incident {incident} --audience staff"));
    Ok(ExitCode::SUCCESS)
}

fn lines(voided: &Voided) -> Vec<String> {
    let mut out = vec![format!(
        "order {}: the credentials of {} customers are void and {} sessions ended; it held after \
         {:.3} s",
        voided.order,
        words::number(voided.customers),
        words::number(voided.sessions),
        voided.seconds
    )];
    if voided.left_out > 0 {
        out.push(format!(
            "{} customers were left out: they set their password since an earlier order of this \
             incident; to void it too, give --older-than",
            words::number(voided.left_out)
        ));
    }
    if voided.created_since > 0 {
        out.push(format!(
            "{} customers came since the last order over everybody, and had nothing to void",
            words::number(voided.created_since)
        ));
    }
    out
}
