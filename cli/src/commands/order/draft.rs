//! `cofferdam order draft`: each kind of order, drafted into a file that two people sign.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use cofferdam_core::{Clock, Domain, Epoch, Reason, SystemClock, SystemRng, Timestamp};
use cofferdam_wire::{Client, load_config};
use response_api::{IncidentId, LetterId};
use roaring::RoaringBitmap;
use staff::order::{
    OrderError, OrderFile, exposed_customers, letter, next_policy, paper_post, retirement,
    rotation, void_everybody, void_set,
};

use super::{ShownOrder, show};
use crate::options::{
    CommandError, ResponseArgs, check_new, incident_number, instant, letter_number, read_records,
};
use crate::output;

/// `cofferdam order draft`
#[derive(Debug, Subcommand)]
pub enum DraftCommand {
    /// Draft the approval of a letter as it would be written now
    Letter {
        /// The letter's number
        #[arg(value_parser = letter_number)]
        letter: LetterId,
        #[command(flatten)]
        to: To,
    },
    /// Draft a warrant to read the postal addresses of people whom a letter did not reach
    PaperPost {
        /// The letter's number
        #[arg(value_parser = letter_number)]
        letter: LetterId,
        #[command(flatten)]
        to: To,
    },
    /// Draft an order that voids the credentials of everybody, or of any number of customers, and ends
    /// their sessions
    Void {
        /// The incident's number
        #[arg(long, value_parser = incident_number)]
        incident: IncidentId,
        /// Void only credentials that were set up to this instant [default: now]
        #[arg(long, value_name = "TIME", value_parser = instant)]
        older_than: Option<Timestamp>,
        #[command(flatten)]
        whose: Whose,
        #[command(flatten)]
        alone: BreakGlass,
        #[command(flatten)]
        to: To,
    },
    /// Draft the next policy: grants, budgets, approvers
    Policy {
        /// The whole policy, a TOML file; start from the output of `cofferdam policy show`
        file: PathBuf,
        #[command(flatten)]
        to: To,
    },
    /// Draft an order that makes a new master key. `accounts` and `payments` then re-seal every record;
    /// `response` re-seals nothing: bring the table again
    Rotate {
        /// The domain of the master key
        #[arg(long, value_enum)]
        domain: DomainName,
        /// The time that the compartment has for re-sealing, in hours
        #[arg(long, default_value_t = 24)]
        reseal_hours: u32,
        #[command(flatten)]
        alone: BreakGlass,
        #[command(flatten)]
        to: To,
    },
    /// Draft an order that destroys an old master key: records still sealed under it stay closed
    /// for ever
    Retire {
        /// The domain of the master key
        #[arg(long, value_enum)]
        domain: DomainName,
        /// The number of the old epoch
        #[arg(long)]
        epoch: u16,
        #[command(flatten)]
        to: To,
    },
}

/// The file for an order.
#[derive(Debug, Args)]
pub struct To {
    /// The file for the order; it must be new
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    response: ResponseArgs,
}

/// The customers of a void order; everybody without an option.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct Whose {
    /// Only the customers of whom a field was read or presented in the last scope
    #[arg(long)]
    exposed: bool,
    /// Only the customers in this file, which has one record number a line
    #[arg(long, value_name = "FILE")]
    records: Option<PathBuf>,
}

impl Whose {
    /// The customers; `None` for everybody.
    async fn records(
        &self,
        client: &Client,
        incident: IncidentId,
    ) -> Result<Option<RoaringBitmap>, CommandError> {
        match &self.records {
            Some(file) => {
                let records = read_records(file)?;
                Ok(Some(records.iter().map(|record| record.0).collect()))
            }
            None if self.exposed => Ok(Some(exposed_customers(client, incident).await?)),
            None => Ok(None),
        }
    }
}

/// The option that lets one signature suffice.
#[derive(Debug, Args)]
pub struct BreakGlass {
    /// Let one signature suffice, for this reason: it is signed with the order, the release log
    /// keeps it, and an alarm rings
    #[arg(long, value_name = "REASON", value_parser = Reason::for_glass)]
    break_glass: Option<Reason>,
}

impl BreakGlass {
    fn reason(&self) -> Option<String> {
        self.break_glass.as_ref().map(ToString::to_string)
    }
}

/// A domain, as an option's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DomainName {
    /// The domain of customers
    Accounts,
    /// The domain of cards
    Payments,
    /// The domain of the brought table
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

/// Drafts an order, and shows what two people will sign.
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
        DraftCommand::Void { incident, older_than, whose, alone, .. } => {
            let (reason, set_before) = (alone.reason(), older_than.unwrap_or(now));
            match whose.records(client, *incident).await? {
                None => Ok(void_everybody(*incident, set_before, reason, now)),
                Some(records) => void_set(*incident, &records, set_before, reason, now),
            }
        }
        DraftCommand::Policy { file, .. } => next_policy(client, load_config(file)?).await,
        DraftCommand::Rotate { domain, reseal_hours, alone, .. } => {
            let reason = alone.reason();
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
