//! `cofferdam letters`: one letter, step by step. `cofferdam incident letters` takes them all.

mod post;
mod texts;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use cofferdam_core::{Clock, SystemClock, SystemRng};
use cofferdam_mail::{RelayLog, RelayLogLine};
use cofferdam_wire::Client;
use keys_api::Signed;
use response_api::{
    ApproveLetter, DraftLetter, IncidentId, LedgerState, LetterId, PauseLetter, ReadLedger,
    ReadLetter, Relayed, ResumeProvider, SettleLetter, StartLetter, StopLetter,
};

use crate::incident::{Common, StepError, incident_number, letters, table};
use crate::keys::order::{OrderFile, Wanted};
use crate::{CommandError, output};

pub use texts::LetterOrder;

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
    Status(One),
    /// Settle what is in doubt from the relay's own log
    Settle(SettleArgs),
    /// Those whom no e-mail reached, as a list for a printer
    #[command(subcommand)]
    Post(post::PostCommand),
}

/// One letter.
#[derive(Debug, Args)]
pub struct One {
    /// The letter's number, as `incident letters` and `letters status` say it
    #[arg(value_parser = letter_number)]
    letter: LetterId,
    #[command(flatten)]
    common: Common,
}

/// `cofferdam letters plan`
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// The incident's number
    #[arg(value_parser = incident_number)]
    incident: IncidentId,
    /// To whom
    #[arg(long, value_enum)]
    audience: letters::To,
    #[command(flatten)]
    common: Common,
}

/// `cofferdam letters draft`
#[derive(Debug, Args)]
pub struct DraftArgs {
    #[command(flatten)]
    one: One,
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
    one: One,
    /// The order with two signatures
    order: PathBuf,
}

/// `cofferdam letters start`
#[derive(Debug, Args)]
pub struct StartArgs {
    #[command(flatten)]
    one: One,
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
    one: One,
    /// Only the mailboxes of this mail provider
    #[arg(long)]
    provider: Option<String>,
}

/// `cofferdam letters resume`
#[derive(Debug, Args)]
pub struct ResumeArgs {
    #[command(flatten)]
    one: One,
    /// Whose mailboxes
    #[arg(long)]
    provider: String,
}

/// `cofferdam letters stop`
#[derive(Debug, Args)]
pub struct StopArgs {
    #[command(flatten)]
    one: One,
    /// Why; it is journalled
    #[arg(long)]
    reason: String,
}

/// `cofferdam letters settle`
#[derive(Debug, Args)]
pub struct SettleArgs {
    #[command(flatten)]
    one: One,
    /// The relay's log (Postfix), oldest file first
    #[arg(long = "log", required = true, value_name = "FILE")]
    logs: Vec<PathBuf>,
    /// The log is whole since the letter began: what it does not name is sent again
    #[arg(long)]
    complete: bool,
}

fn letter_number(text: &str) -> Result<LetterId, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(LetterId(number)),
        _ => Err("a letter's number is 1 or more".to_owned()),
    }
}

/// Runs a command.
pub async fn run(command: LettersCommand) -> Result<ExitCode, CommandError> {
    match command {
        LettersCommand::Plan(args) => plan(args).await,
        LettersCommand::Draft(args) => draft(args).await,
        LettersCommand::Approve(args) => approve(args).await,
        LettersCommand::Start(args) => start(args).await,
        LettersCommand::Settle(args) => settle(args).await,
        LettersCommand::Post(command) => post::run(command).await,
        LettersCommand::Pause(PauseArgs { one, provider }) => {
            one.call(&PauseLetter { letter: one.letter, provider }).await
        }
        LettersCommand::Resume(ResumeArgs { one, provider }) => {
            one.call(&ResumeProvider { letter: one.letter, provider }).await
        }
        LettersCommand::Stop(StopArgs { one, reason }) => {
            one.call(&StopLetter { letter: one.letter, reason }).await
        }
        LettersCommand::Status(one) => one.call(&ReadLetter { letter: one.letter }).await,
    }
}

impl One {
    /// Makes a call that is answered with how the letter stands, and shows that.
    async fn call<C>(&self, call: &C) -> Result<ExitCode, CommandError>
    where
        C: cofferdam_core::Call<Answer = response_api::LetterStatus> + Sync,
    {
        let status = self.common.client()?.call(call).await.map_err(StepError::plain)?;
        self.common.print(&status, letters::lines)?;
        Ok(ExitCode::SUCCESS)
    }
}

async fn plan(args: PlanArgs) -> Result<ExitCode, CommandError> {
    let client = args.common.client()?;
    let plan = letters::plan(&client, args.incident, args.audience.into()).await?;
    args.common.print(&plan, |plan| {
        vec![format!("letter {}: {} people", plan.letter, table::number(plan.people))]
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn draft(args: DraftArgs) -> Result<ExitCode, CommandError> {
    check_new(&args.out)?;
    let client = args.one.common.client()?;
    let call = DraftLetter { letter: args.one.letter };
    let draft = client.call(&call).await.map_err(StepError::plain)?;
    let order = letters::warrant(draft.warrant.clone(), SystemClock.now(), &SystemRng);
    let warrant = Signed { order, signatures: Vec::new() };
    let order = LetterOrder { warrant, body: draft.body.clone() };
    if let Some(dir) = &args.texts {
        order.write(dir)?;
    }
    OrderFile { wanted: Wanted::Letter(order) }.write(&args.out)?;
    args.one.common.print(&draft, |draft| {
        let head = format!("letter {}, version {}", draft.letter, draft.version);
        let line = |of: &response_api::LetterVariant| {
            let whom = texts::whom(&of.language, &of.jurisdiction, of.fields);
            format!("  {:>10} people: {whom}", of.people)
        };
        std::iter::once(head).chain(draft.variants.iter().map(line)).collect()
    })?;
    let out = args.out.display();
    output::note(&format!(
        "Two approvers read and sign it: cofferdam staff show {out} --texts DIR; cofferdam staff sign \
         {out} --approver NAME=KEYFILE; then: cofferdam letters approve {} {out}",
        draft.letter
    ));
    Ok(ExitCode::SUCCESS)
}

fn check_new(out: &Path) -> Result<(), CommandError> {
    if out.exists() {
        return Err(format!("{} is there already; choose another --out", out.display()).into());
    }
    Ok(())
}

async fn approve(args: ApproveArgs) -> Result<ExitCode, CommandError> {
    let Wanted::Letter(order) = OrderFile::read(&args.order)?.wanted else {
        return Err(format!("{} approves no letter", args.order.display()).into());
    };
    let warrant = serde_json::to_value(order.warrant)?;
    args.one.call(&ApproveLetter { letter: args.one.letter, warrant }).await
}

async fn start(args: StartArgs) -> Result<ExitCode, CommandError> {
    let client = args.one.common.client()?;
    let call = StartLetter { letter: args.one.letter, before_staff: args.before_staff };
    let mut status = client.call(&call).await.map_err(StepError::plain)?;
    if args.detach {
        args.one.common.print(&status, letters::lines)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut bar = None;
    status = letters::follow(&client, status, letters::bar_of(&mut bar)).await?;
    if let Some(bar) = bar {
        bar.finish();
    }
    letters::conclude(&args.one.common, &status)
}

/// The Message-IDs of what is in doubt: a log has millions of others.
async fn doubted(client: &Client, letter: LetterId) -> Result<BTreeSet<String>, StepError> {
    let (mut ids, mut from) = (BTreeSet::new(), 0);
    loop {
        let call = ReadLedger { letter, from, limit: PAGE, state: Some(LedgerState::InDoubt) };
        let rows = client.call(&call).await.map_err(StepError::plain)?;
        let Some(last) = rows.last() else { return Ok(ids) };
        from = last.person.saturating_add(1);
        ids.extend(rows.into_iter().map(|row| row.message_id));
    }
}

/// Rows of one page of the ledger.
const PAGE: u32 = 10_000;
/// Messages that one call settles.
const AT_ONCE: usize = 50_000;

async fn settle(args: SettleArgs) -> Result<ExitCode, CommandError> {
    let client = args.one.common.client()?;
    let letter = args.one.letter;
    let doubted = doubted(&client, letter).await?;
    let mut log = RelayLog::default();
    let mut accepted = 0;
    let mut relayed = Vec::new();
    for path in &args.logs {
        let file = std::fs::File::open(path).map_err(|e| format!("{}: {e}", path.display()))?;
        for line in BufReader::new(file).split(b'\n') {
            let line = line.map_err(|e| format!("{}: {e}", path.display()))?;
            let Some(RelayLogLine { queue_id, message_id }) = log.read(&line) else { continue };
            if !doubted.contains(&message_id) {
                continue;
            }
            relayed.push(Relayed { message_id, queue_id });
            if relayed.len() == AT_ONCE {
                let relayed = std::mem::take(&mut relayed);
                let call = SettleLetter { letter, relayed, complete: false };
                accepted += client.call(&call).await.map_err(StepError::plain)?.accepted;
            }
        }
    }
    let call = SettleLetter { letter, relayed, complete: args.complete };
    let mut settled = client.call(&call).await.map_err(StepError::plain)?;
    settled.accepted += accepted;
    args.one.common.print(&settled, |settled| {
        let head = format!(
            "{} were accepted by the relay, {} are planned again",
            settled.accepted, settled.planned
        );
        std::iter::once(head).chain(letters::lines(&settled.status)).collect()
    })?;
    Ok(ExitCode::SUCCESS)
}
