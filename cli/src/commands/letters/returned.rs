//! `cofferdam letters returned`

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use response_api::{
    DecideReturned, LetterStatus, ReadReturned, ReturnedDecision, ReturnedMail, ReturnedText,
};
use schemars::JsonSchema;
use serde::Serialize;
use staff::printable;

use super::lines;
use crate::options::{CommandError, LetterArgs, OutputArgs};
use crate::{columns, output, words};

/// `cofferdam letters returned`
#[derive(Debug, Subcommand)]
pub enum ReturnedCommand {
    /// List the people from whose letters something came back that nothing understood
    List(ListArgs),
    /// Show a message that came back; the journal notes it
    Show(ShowArgs),
    /// Decide whether a letter arrived, from what came back
    Decide(DecideArgs),
    /// Read a file as returned mail, without an estate: what kind it is, and which letter it names
    Read(ReadArgs),
}

/// `cofferdam letters returned list`
#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    of: LetterArgs,
    /// The first person: a record number, or a place in the staff list
    #[arg(long, value_name = "N", default_value_t = 0)]
    from: u32,
    /// List people too about whom somebody has decided
    #[arg(long)]
    decided: bool,
}

/// `cofferdam letters returned show`
#[derive(Debug, Args)]
pub struct ShowArgs {
    #[command(flatten)]
    of: LetterArgs,
    /// The person, as `letters returned list` names it
    #[arg(long, value_name = "N")]
    person: u32,
    /// The number of the message, from 0
    #[arg(long, value_name = "N", default_value_t = 0)]
    number: u32,
}

/// `cofferdam letters returned decide`
#[derive(Debug, Args)]
pub struct DecideArgs {
    #[command(flatten)]
    of: LetterArgs,
    /// The person, as `letters returned list` names it
    #[arg(long, value_name = "N")]
    person: u32,
    /// How many messages you saw, as `letters returned list` counts them: if another one came since,
    /// nothing is decided
    #[arg(long, value_name = "N")]
    seen: u32,
    /// The fate of the letter
    #[arg(long, value_enum)]
    decision: Became,
}

/// A decision, as an option's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Became {
    /// It arrived: its reader answered, say
    Arrived,
    /// It did not arrive: the person is on the list for paper post
    NotReached,
}

/// `cofferdam letters returned read`
#[derive(Debug, Args)]
pub struct ReadArgs {
    /// The file: a message as it arrived, or a notification of Amazon SES as JSON
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    output: OutputArgs,
}

/// The reading of a file as returned mail: its kind, its status and the letter that it names.
#[derive(Serialize, JsonSchema)]
pub struct ReadMail {
    /// `bounce`, `delayed`, `delivered`, `complaint`, `auto-reply` or `other`.
    kind: &'static str,
    /// The enhanced status code of a failure (RFC 3463).
    status: Option<String>,
    /// The class of a failure: `hard`, `soft` (given up after a temporary one) or `delay`.
    class: Option<&'static str>,
    /// The return path of the letter, if the message names it.
    return_path: Option<String>,
    /// The Message-ID of the letter without brackets, if the message names it.
    message_id: Option<String>,
}

/// Runs one of the commands.
pub async fn run(command: ReturnedCommand) -> Result<ExitCode, CommandError> {
    match command {
        ReturnedCommand::List(args) => list(args).await,
        ReturnedCommand::Show(args) => show(args).await,
        ReturnedCommand::Decide(args) => decide(args).await,
        ReturnedCommand::Read(args) => read(&args),
    }
}

async fn list(args: ListArgs) -> Result<ExitCode, CommandError> {
    let ListArgs { of, from, decided } = args;
    let client = of.response.client()?;
    let people = staff::returned::list(&client, of.letter, from, decided).await?;
    of.response.print(&people, |people| {
        let head = ["person", "messages", "kept", "last", "decision"];
        columns::listing(head, people, row, "nothing came back that was not understood")
    })?;
    Ok(ExitCode::SUCCESS)
}

fn row(of: &ReturnedMail) -> Vec<String> {
    let decision = of.decision.map_or("none yet", |decision| match decision {
        ReturnedDecision::Arrived => "arrived",
        ReturnedDecision::NotReached => "not reached",
    });
    vec![
        of.person.to_string(),
        of.messages.to_string(),
        of.kept.to_string(),
        words::instant(of.last),
        decision.to_owned(),
    ]
}

async fn show(args: ShowArgs) -> Result<ExitCode, CommandError> {
    let ShowArgs { of, person, number } = args;
    let call = ReadReturned { letter: of.letter, person, number };
    let mail = staff::call(&of.response.client()?, &call).await?;
    // The text is a stranger's: nothing in it may steer the terminal.
    of.response.print(&mail, |mail| mail.text.expose().lines().map(printable).collect())?;
    output::next(&after(&of, &mail));
    Ok(ExitCode::SUCCESS)
}

/// The command that comes after a message was shown: the next message that is kept, or else the
/// decision.
fn after(of: &LetterArgs, mail: &ReturnedText) -> String {
    let ReturnedText { person, number, messages, kept, .. } = mail;
    let (letter, next) = (of.letter, number.saturating_add(1));
    if next < *kept {
        return format!(
            "cofferdam letters returned show {letter} --person {person} --number {next}"
        );
    }
    format!(
        "cofferdam letters returned decide {letter} --person {person} --seen {messages} \
         --decision not-reached"
    )
}

async fn decide(args: DecideArgs) -> Result<ExitCode, CommandError> {
    let DecideArgs { of, person, seen, decision } = args;
    let decision = match decision {
        Became::Arrived => ReturnedDecision::Arrived,
        Became::NotReached => ReturnedDecision::NotReached,
    };
    let call = DecideReturned { letter: of.letter, person, seen, decision };
    let status: LetterStatus = staff::call(&of.response.client()?, &call).await?;
    of.response.print(&status, lines::lines)?;
    Ok(ExitCode::SUCCESS)
}

fn read(args: &ReadArgs) -> Result<ExitCode, CommandError> {
    let bytes = fs::read(&args.file);
    let bytes = bytes.map_err(|e| format!("{}: {e}; give a file", args.file.display()))?;
    let report = cofferdam_mail::read_returned(&bytes);
    let mail = ReadMail {
        kind: report.what.kind(),
        status: report.what.status().map(str::to_owned),
        class: report.what.class(),
        return_path: report.original_return_path,
        message_id: report.original_message_id,
    };
    args.output.print(&mail, |mail| {
        let cell = |name: &str, value: Option<&str>| {
            vec![name.to_owned(), printable(value.unwrap_or("not named"))]
        };
        columns::aligned(&[
            cell("kind", Some(mail.kind)),
            cell("status", mail.status.as_deref().or(Some("none"))),
            cell("class", mail.class.or(Some("none"))),
            cell("return path", mail.return_path.as_deref()),
            cell("message id", mail.message_id.as_deref()),
        ])
    })?;
    Ok(ExitCode::SUCCESS)
}
