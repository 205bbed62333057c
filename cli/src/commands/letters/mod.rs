//! `cofferdam letters`: one letter, step by step. `cofferdam incident letters` takes them all.

mod common;
mod post;
pub mod show;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use cofferdam_core::{Clock, SystemClock, SystemRng};
use response_api::{
    ApproveLetter, DraftLetter, IncidentId, LetterVariant, PauseLetter, ReadLetter, ResumeProvider,
    StartLetter, StopLetter,
};
use staff::order::{LetterOrder, Order, OrderFile, recipients};
use staff::{settle, warrant};

use common::{OneLetter, check_new};
use show::To;

use crate::command::{CommandError, Common, incident_number};
use crate::output::{self, Progress};
use crate::table;

/// `cofferdam letters`
#[derive(Debug, Subcommand)]
pub enum LettersCommand {
    /// Write a row for everybody of an incident: the letter's number
    Plan(PlanArgs),
    /// Write a version: every text that somebody would get, checked, and the order that approves it
    Draft(DraftArgs),
    /// Hand in the order that two people signed
    Approve(ApproveArgs),
    /// Send an approved letter, or let one go on, and follow it
    Start(StartArgs),
    /// Let a letter, or one mail provider's mailboxes, rest
    Pause(PauseArgs),
    /// Write to a mail provider's mailboxes again
    Resume(ResumeArgs),
    /// End a letter before its time
    Stop(StopArgs),
    /// How a letter stands, and how long still
    Status(OneLetter),
    /// Settle what is in doubt from the relay's own log
    Settle(SettleArgs),
    /// Those whom no e-mail reached, as a list for a printer
    #[command(subcommand)]
    Post(post::PostCommand),
}

/// `cofferdam letters plan`
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// The incident's number
    #[arg(value_parser = incident_number)]
    incident: IncidentId,
    /// To whom
    #[arg(long, value_enum)]
    audience: To,
    #[command(flatten)]
    common: Common,
}

/// `cofferdam letters draft`
#[derive(Debug, Args)]
pub struct DraftArgs {
    #[command(flatten)]
    one: OneLetter,
    /// The order for two people to sign, a new file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// A new directory for the texts, to read before signing
    #[arg(long, value_name = "DIR")]
    texts: Option<PathBuf>,
}

/// `cofferdam letters approve`
#[derive(Debug, Args)]
pub struct ApproveArgs {
    #[command(flatten)]
    one: OneLetter,
    /// The order with two signatures
    order: PathBuf,
}

/// `cofferdam letters start`
#[derive(Debug, Args)]
pub struct StartArgs {
    #[command(flatten)]
    one: OneLetter,
    /// Write to customers though staff have not been told, for this reason; it is journalled
    #[arg(long, value_name = "REASON")]
    before_staff: Option<String>,
    /// Do not follow it
    #[arg(long)]
    detach: bool,
}

/// `cofferdam letters pause`
#[derive(Debug, Args)]
pub struct PauseArgs {
    #[command(flatten)]
    one: OneLetter,
    /// Only the mailboxes of this mail provider
    #[arg(long)]
    provider: Option<String>,
}

/// `cofferdam letters resume`
#[derive(Debug, Args)]
pub struct ResumeArgs {
    #[command(flatten)]
    one: OneLetter,
    /// Whose mailboxes
    #[arg(long)]
    provider: String,
}

/// `cofferdam letters stop`
#[derive(Debug, Args)]
pub struct StopArgs {
    #[command(flatten)]
    one: OneLetter,
    /// Why; it is journalled
    #[arg(long)]
    reason: String,
}

/// `cofferdam letters settle`
#[derive(Debug, Args)]
pub struct SettleArgs {
    #[command(flatten)]
    one: OneLetter,
    /// The relay's log (Postfix), oldest file first
    #[arg(long = "log", required = true, value_name = "FILE")]
    logs: Vec<PathBuf>,
    /// The log is whole since the letter began: what it does not name is sent again
    #[arg(long)]
    complete: bool,
}

/// Runs one of the commands.
pub async fn run(command: LettersCommand) -> Result<ExitCode, CommandError> {
    match command {
        LettersCommand::Plan(args) => plan(args).await,
        LettersCommand::Draft(args) => draft(args).await,
        LettersCommand::Approve(args) => approve(args).await,
        LettersCommand::Start(args) => start(args).await,
        LettersCommand::Settle(args) => settle(args).await,
        LettersCommand::Post(command) => post::run(command).await,
        LettersCommand::Pause(PauseArgs { one, provider }) => {
            one.call_and_show(&PauseLetter { letter: one.letter, provider }).await
        }
        LettersCommand::Resume(ResumeArgs { one, provider }) => {
            one.call_and_show(&ResumeProvider { letter: one.letter, provider }).await
        }
        LettersCommand::Stop(StopArgs { one, reason }) => {
            one.call_and_show(&StopLetter { letter: one.letter, reason }).await
        }
        LettersCommand::Status(one) => one.call_and_show(&ReadLetter { letter: one.letter }).await,
    }
}

async fn plan(args: PlanArgs) -> Result<ExitCode, CommandError> {
    let client = args.common.client()?;
    let audience = args.audience.into();
    let plan = staff::letters::plan(&client, args.incident, audience, show::planning).await?;
    args.common.print(&plan, |plan| {
        vec![format!("letter {}: {} people", plan.letter, table::number(plan.people))]
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn draft(args: DraftArgs) -> Result<ExitCode, CommandError> {
    check_new(&args.out)?;
    let call = DraftLetter { letter: args.one.letter };
    let draft = staff::call(&args.one.common.client()?, &call).await?;
    let warrant = warrant::draw_up(draft.warrant.clone(), SystemClock.now(), &SystemRng);
    let order = LetterOrder { warrant, body: draft.body.clone() };
    if let Some(dir) = &args.texts {
        order.write_texts(dir)?;
    }
    OrderFile { order: Order::Letter(order) }.write(&args.out)?;
    args.one.common.print(&draft, |draft| {
        let head = format!("letter {}, version {}", draft.letter, draft.version);
        std::iter::once(head).chain(draft.variants.iter().map(variant)).collect()
    })?;
    let out = args.out.display();
    output::note(&format!(
        "Two approvers read and sign it: cofferdam staff show {out} --texts DIR; cofferdam staff sign \
         {out} --approver NAME=KEYFILE; then: cofferdam letters approve {} {out}",
        draft.letter
    ));
    Ok(ExitCode::SUCCESS)
}

fn variant(of: &LetterVariant) -> String {
    let recipients = recipients(&of.language, &of.jurisdiction, of.fields);
    format!("  {:>10} people: {recipients}", of.people)
}

async fn approve(args: ApproveArgs) -> Result<ExitCode, CommandError> {
    let Order::Letter(order) = OrderFile::read(&args.order)?.order else {
        return Err(format!("{} approves no letter", args.order.display()).into());
    };
    let warrant = serde_json::to_value(order.warrant)?;
    args.one.call_and_show(&ApproveLetter { letter: args.one.letter, warrant }).await
}

async fn start(args: StartArgs) -> Result<ExitCode, CommandError> {
    let client = args.one.common.client()?;
    let call = StartLetter { letter: args.one.letter, before_staff: args.before_staff };
    let mut status = staff::call(&client, &call).await?;
    if args.detach {
        args.one.common.print(&status, show::lines)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut bar = Progress::new(show::BAR);
    status =
        staff::letters::follow(&client, status, |status| show::sending(&mut bar, status)).await?;
    drop(bar);
    show::conclude(&args.one.common, &status)
}

async fn settle(args: SettleArgs) -> Result<ExitCode, CommandError> {
    let SettleArgs { one, logs, complete } = args;
    let settled = settle::settle(&one.common.client()?, one.letter, &logs, complete).await?;
    one.common.print(&settled, |settled| {
        let head = format!(
            "{} were accepted by the relay, {} are planned again",
            settled.accepted, settled.planned
        );
        std::iter::once(head).chain(show::lines(&settled.status)).collect()
    })?;
    Ok(ExitCode::SUCCESS)
}
