//! `cofferdam keys order`: orders about `keys`, each drafted into a file that two people sign.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use cofferdam_core::{Clock, Domain, Epoch, SystemClock};
use cofferdam_wire::load_config;
use staff::order::{next_policy, retirement, rotation};

use crate::command::{CommandError, Common};
use crate::output;

/// `cofferdam keys order`
#[derive(Debug, Subcommand)]
pub enum OrderCommand {
    /// The next policy: grants, budgets, approvers
    Policy {
        /// The policy in full, a TOML file; start from `cofferdam keys policy`
        file: PathBuf,
        #[command(flatten)]
        to: To,
    },
    /// A new master key for a domain; its compartment then re-seals every record
    Rotate {
        /// Whose master key
        #[arg(long, value_enum)]
        domain: DomainName,
        /// How long the compartment may take to re-seal, in hours
        #[arg(long, default_value_t = 24)]
        reseal_hours: u32,
        /// One signature must do, for this reason: it is signed with the order, stands in the
        /// release log, and an alarm rings
        #[arg(long, value_name = "REASON")]
        break_glass: Option<String>,
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

/// Where the order goes.
#[derive(Debug, Args)]
pub struct To {
    /// The order's file, a new one
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    common: Common,
}

/// A domain on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DomainName {
    /// Customers
    Accounts,
    /// Cards
    Payments,
    /// People on a roster
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

/// Drafts the order.
pub async fn run(command: OrderCommand) -> Result<ExitCode, CommandError> {
    let now = SystemClock.now();
    let (file, to) = match command {
        OrderCommand::Policy { file, to } => {
            let policy = load_config(&file)?;
            (next_policy(&to.common.client()?, policy).await?, to)
        }
        OrderCommand::Rotate { domain, reseal_hours, break_glass, to } => {
            let client = to.common.client()?;
            (rotation(&client, domain.into(), reseal_hours, break_glass, now).await?, to)
        }
        OrderCommand::Retire { domain, epoch, to } => {
            (retirement(domain.into(), Epoch(epoch), now), to)
        }
    };
    if to.out.exists() {
        return Err(format!("{} is there already; choose another --out", to.out.display()).into());
    }
    file.write(&to.out)?;
    output::lines(&file.words()?);
    let out = to.out.display();
    output::note(&format!(
        "Two approvers sign it: cofferdam staff sign {out} --approver NAME=KEYFILE"
    ));
    Ok(ExitCode::SUCCESS)
}
