//! `cofferdam order draft`: each kind of order, drafted into a file that two people sign.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use cofferdam_core::{Clock, Domain, Epoch, SystemClock, SystemRng, Timestamp};
use cofferdam_wire::{Client, load_config};
use response_api::{IncidentId, LetterId};
use staff::order::{
    OrderError, OrderFile, letter, next_policy, paper_post, retirement, rotation, void_everybody,
};

use super::{ShownOrder, show};
use crate::options::{
    CommandError, ResponseArgs, check_new, incident_number, instant, letter_number,
};
use crate::output;

/// `cofferdam order draft`
#[derive(Debug, Subcommand)]
pub enum DraftCommand {
    /// Approve a letter as it would be written now
    Letter {
        /// The letter's number
        #[arg(value_parser = letter_number)]
        letter: LetterId,
        #[command(flatten)]
        to: To,
    },
    /// Read the postal addresses of people whom a letter did not reach
    PaperPost {
        /// The letter's number
        #[arg(value_parser = letter_number)]
        letter: LetterId,
        #[command(flatten)]
        to: To,
    },
    /// Void everybody's credentials, and end every session
    Void {
        /// The incident's number
        #[arg(long, value_parser = incident_number)]
        incident: IncidentId,
        /// Only credentials that were set up to then [default: now]
        #[arg(long, value_name = "TIME", value_parser = instant)]
        older_than: Option<Timestamp>,
        #[command(flatten)]
        alone: BreakGlass,
        #[command(flatten)]
        to: To,
    },
    /// Put the next policy into force: grants, budgets, approvers
    Policy {
        /// The policy in full, a TOML file; start from `cofferdam policy show`
        file: PathBuf,
        #[command(flatten)]
        to: To,
    },
    /// Make a new master key for a domain; its compartment then re-seals every record
    Rotate {
        /// Whose master key
        #[arg(long, value_enum)]
        domain: DomainName,
        /// How long the compartment may take to re-seal, in hours
        #[arg(long, default_value_t = 24)]
        reseal_hours: u32,
        #[command(flatten)]
        alone: BreakGlass,
        #[command(flatten)]
        to: To,
    },
    /// Destroy the master key of an old epoch: what is still sealed under it stays closed for ever
    Retire {
        /// Whose master key
        #[arg(long, value_enum)]
        domain: DomainName,
        /// Which epoch
        #[arg(long)]
        epoch: u16,
        #[command(flatten)]
        to: To,
    },
}

/// Where an order goes.
#[derive(Debug, Args)]
pub struct To {
    /// The order's file, a new one
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    response: ResponseArgs,
}

/// The way past the second signature.
#[derive(Debug, Args)]
pub struct BreakGlass {
    /// One signature must do, for this reason: it is signed with the order, stands in the release
    /// log, and an alarm rings
    #[arg(long, value_name = "REASON")]
    break_glass: Option<String>,
}

/// A domain on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DomainName {
    /// Customers
    Accounts,
    /// Cards
    Payments,
    /// People of the brought table
    Response,
}

impl From<DomainName> for Domain {
    fn from(name: DomainName) -> Self {
        match name {
            DomainName::Accounts => Self::Accounts,
            DomainName::Payments => Self::Payments,
            DomainName::Response => Self::Response,
        }
    }
}

/// Drafts an order, and shows what two people are to sign.
pub async fn run(command: DraftCommand) -> Result<ExitCode, CommandError> {
    let to = command.to();
    check_new(&to.out)?;
    let client = to.response.client()?;
    let order = drafted(&command, &client).await?;
    let to = command.to();
    order.write(&to.out)?;
    let words = show::words(&order, Some(&client)).await?;
    to.response.print(&ShownOrder::new(&to.out, &order, words), ShownOrder::lines)?;
    let out = to.out.display();
    let signers = if order.breaks_glass() {
        "an approver"
    } else {
        "two approvers, each on a machine of their own"
    };
    output::next(&format!(
        "{signers}: cofferdam order show {out}; cofferdam order sign {out} --approver NAME=KEYFILE"
    ));
    output::next(&format!("cofferdam order apply {out}"));
    Ok(ExitCode::SUCCESS)
}

async fn drafted(command: &DraftCommand, client: &Client) -> Result<OrderFile, CommandError> {
    let now = SystemClock.now();
    let order: Result<OrderFile, OrderError> = match command {
        DraftCommand::Letter { letter: of, .. } => letter(client, *of, now, &SystemRng).await,
        DraftCommand::PaperPost { letter: of, .. } => {
            paper_post(client, *of, now, &SystemRng).await
        }
        DraftCommand::Void { incident, older_than, alone, .. } => {
            let reason = alone.break_glass.clone();
            Ok(void_everybody(*incident, older_than.unwrap_or(now), reason, now))
        }
        DraftCommand::Policy { file, .. } => next_policy(client, load_config(file)?).await,
        DraftCommand::Rotate { domain, reseal_hours, alone, .. } => {
            let reason = alone.break_glass.clone();
            rotation(client, (*domain).into(), *reseal_hours, reason, now).await
        }
        DraftCommand::Retire { domain, epoch, .. } => {
            Ok(retirement((*domain).into(), Epoch(*epoch), now))
        }
    };
    Ok(order?)
}

impl DraftCommand {
    const fn to(&self) -> &To {
        match self {
            Self::Letter { to, .. }
            | Self::PaperPost { to, .. }
            | Self::Void { to, .. }
            | Self::Policy { to, .. }
            | Self::Rotate { to, .. }
            | Self::Retire { to, .. } => to,
        }
    }
}
