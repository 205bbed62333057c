//! `cofferdam keys order`: an order as a file, which goes from hand to hand to be signed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use cofferdam_core::{Clock, Domain, Epoch, SystemClock, WarrantSubject};
use cofferdam_wire::{Client, load_config};
use jiff::SignedDuration;
use keys_api::{ApproverSecret, DomainEpochs, EpochChange, EpochOrder, Policy, Signed, Warrant};
use response_api::{DomainState, GiveOrder, KeysView, OrderKind, ReadKeys};
use serde::{Deserialize, Serialize};

use super::policy;
use crate::incident::Common;
use crate::incident::table::printable;
use crate::letters::LetterOrder;
use crate::{CommandError, output};

/// How long an order may wait to be carried out.
const HOURS: i64 = 24;

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

/// An order with the signatures so far, as it stands in its file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderFile {
    /// What is ordered.
    #[serde(flatten)]
    pub wanted: Wanted,
}

/// What is ordered.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", content = "signed", rename_all = "snake_case")]
pub enum Wanted {
    /// The next policy.
    Policy(Signed<Policy>),
    /// A new epoch, or the end of an old one.
    Epoch(Signed<EpochOrder>),
    /// The approval of a letter's version.
    Letter(LetterOrder),
    /// A warrant by itself, as for a list of addresses.
    Warrant(Signed<Warrant>),
}

impl OrderFile {
    /// Reads an order.
    pub fn read(path: &Path) -> Result<Self, CommandError> {
        let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        let order: Self = serde_json::from_str(&text)
            .map_err(|e| format!("{} is no order: {e}", path.display()))?;
        order.check().map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(order)
    }

    /// Nobody is to sign a letter unseen: it comes with its texts, and they are those it names.
    fn check(&self) -> Result<(), CommandError> {
        match &self.wanted {
            Wanted::Letter(letter) => letter.check(),
            Wanted::Warrant(Signed { order, .. })
                if matches!(order.subject, WarrantSubject::Letter { .. }) =>
            {
                Err("the order approves a letter, and its texts are not in it".into())
            }
            _ => Ok(()),
        }
    }

    /// Writes it back.
    pub fn write(&self, path: &Path) -> Result<(), CommandError> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()).into())
    }

    /// Adds a signature, in the place of one by the same person.
    pub fn sign(&mut self, by: &ApproverSecret) {
        let (signatures, new) = match &mut self.wanted {
            Wanted::Policy(signed) => (&mut signed.signatures, by.sign(&signed.order)),
            Wanted::Epoch(signed) => (&mut signed.signatures, by.sign(&signed.order)),
            Wanted::Letter(LetterOrder { warrant: signed, .. }) | Wanted::Warrant(signed) => {
                (&mut signed.signatures, by.sign(&signed.order))
            }
        };
        signatures.retain(|signature| signature.approver != new.approver);
        signatures.push(new);
    }

    /// What `response` carries to `keys`.
    pub fn to_give(&self) -> Result<GiveOrder, CommandError> {
        let (kind, signed) = match &self.wanted {
            Wanted::Policy(signed) => (OrderKind::Policy, serde_json::to_value(signed)?),
            Wanted::Epoch(signed) => (OrderKind::Epoch, serde_json::to_value(signed)?),
            Wanted::Letter(_) => {
                return Err("this approves a letter: cofferdam letters approve".into());
            }
            Wanted::Warrant(_) => {
                return Err("this is for a list: cofferdam letters post export".into());
            }
        };
        Ok(GiveOrder { kind, signed })
    }

    /// The order in words, for whoever is to sign it.
    pub fn words(&self) -> Vec<String> {
        self.said().iter().map(|line| printable(line)).collect()
    }

    fn said(&self) -> Vec<String> {
        match &self.wanted {
            Wanted::Policy(signed) => {
                let policy = &signed.order;
                let mut out = vec![format!("Policy, version {}:", policy.version)];
                let text = toml::to_string(policy).unwrap_or_default();
                out.extend(text.lines().map(|line| format!("  {line}")));
                out
            }
            Wanted::Epoch(signed) => vec![epoch_words(&signed.order)],
            Wanted::Letter(letter) => {
                let mut out = vec![warrant_words(&letter.warrant.order)];
                out.extend(letter.lines().unwrap_or_default());
                out
            }
            Wanted::Warrant(signed) => vec![warrant_words(&signed.order)],
        }
    }
}

fn warrant_words(order: &Warrant) -> String {
    let fields: Vec<_> = order.fields.iter().map(|of| of.to_string()).collect();
    let fields = if fields.is_empty() { "nothing".into() } else { fields.join(", ") };
    format!(
        "Approve {}: until {}, {} may read {fields} of {} records",
        order.subject, order.until, order.caller, order.records
    )
}

fn epoch_words(order: &EpochOrder) -> String {
    let EpochOrder { domain, change, until, break_glass } = order;
    let alone = break_glass
        .as_ref()
        .map_or_else(String::new, |reason| format!("; ONE signature must do, since: {reason}"));
    match change {
        EpochChange::Start { epoch, reseal_until } => format!(
            "A new master key for {domain}, epoch {}; until {reseal_until} its records may be \
             re-sealed; to be carried out by {until}{alone}",
            epoch.0
        ),
        EpochChange::Retire { epoch } => format!(
            "Destroy the master key of {domain}, epoch {}: what is still sealed under it stays \
             closed for ever; to be carried out by {until}",
            epoch.0
        ),
    }
}

/// Writes the order down.
pub async fn run(command: OrderCommand) -> Result<ExitCode, CommandError> {
    let (wanted, to) = match command {
        OrderCommand::Policy { file, to } => (next_policy(&file, &to).await?, to),
        OrderCommand::Rotate { domain, reseal_hours, break_glass, to } => {
            (rotation(domain.into(), reseal_hours, break_glass, &to).await?, to)
        }
        OrderCommand::Retire { domain, epoch, to } => {
            let change = EpochChange::Retire { epoch: Epoch(epoch) };
            (epoch_order(domain.into(), change, None), to)
        }
    };
    if to.out.exists() {
        return Err(format!("{} is there already; choose another --out", to.out.display()).into());
    }
    let file = OrderFile { wanted };
    file.write(&to.out)?;
    file.words().iter().for_each(|line| output::line(line));
    let out = to.out.display();
    output::note(&format!(
        "Two approvers sign it: cofferdam staff sign {out} --approver NAME=KEYFILE"
    ));
    Ok(ExitCode::SUCCESS)
}

/// The policy in the file as the next one.
async fn next_policy(file: &Path, to: &To) -> Result<Wanted, CommandError> {
    let mut order: Policy = load_config(file)?;
    order.version = policy::in_force(&to.common.client()?).await?.version + 1;
    order.check()?;
    Ok(Wanted::Policy(Signed { order, signatures: Vec::new() }))
}

async fn rotation(
    domain: Domain,
    reseal_hours: u32,
    break_glass: Option<String>,
    to: &To,
) -> Result<Wanted, CommandError> {
    let current = current_epoch(&to.common.client()?, domain).await?;
    let epoch = current.0.checked_add(1).ok_or("there are no more epochs")?;
    let reseal_until = SystemClock.now() + SignedDuration::from_hours(reseal_hours.into());
    let change = EpochChange::Start { epoch: Epoch(epoch), reseal_until };
    Ok(epoch_order(domain, change, break_glass))
}

async fn current_epoch(response: &Client, domain: Domain) -> Result<Epoch, CommandError> {
    let states = response.call(&ReadKeys { view: KeysView::Epochs }).await?;
    let states: Vec<DomainState> = serde_json::from_value(states)?;
    let state = states.into_iter().find(|state| state.domain == domain);
    let state = state.ok_or_else(|| format!("this keys has no master key for {domain}"))?;
    let epochs: DomainEpochs = serde_json::from_value(state.epochs)?;
    Ok(epochs.current)
}

fn epoch_order(domain: Domain, change: EpochChange, break_glass: Option<String>) -> Wanted {
    let until = SystemClock.now() + SignedDuration::from_hours(HOURS);
    let order = EpochOrder { domain, change, until, break_glass };
    Wanted::Epoch(Signed { order, signatures: Vec::new() })
}
