//! Options and values that several commands share.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::{fs, io};

use clap::Args;
use cofferdam_core::{CallerName, Record, Timestamp};
use cofferdam_custody::Quorum;
use cofferdam_wire::Client;
use estate::{Compartment, Estate};
use response_api::{IncidentId, JOURNAL_NOT_ANCHORED, LetterId};
use serde::Serialize;

use crate::output;

/// The message of a command that failed: what happened, where, and what to do.
pub type CommandError = Box<dyn std::error::Error + Send + Sync>;

/// The note beside the result of an act whose journal is not anchored yet.
const NOT_ANCHORED: &str = "the act is done, and its journal is not anchored yet: keys does not \
                            answer; response anchors it as soon as keys is back";

/// The option that names an estate.
#[derive(Debug, Args)]
pub struct EstateArgs {
    /// The directory of the estate
    #[arg(long, value_name = "DIR", env = "COFFERDAM_DIR", default_value = "./cofferdam-estate")]
    pub dir: PathBuf,
}

impl EstateArgs {
    /// Makes a client of a compartment, with the certificate of a caller.
    pub fn client(&self, to: Compartment, caller: &CallerName) -> Result<Client, CommandError> {
        Ok(Estate::open(&self.dir)?.client(to, caller)?)
    }
}

/// The options that say how many custodians keep a secret.
#[derive(Debug, Args)]
pub struct QuorumArgs {
    /// The number of custodians who get a share of the secret, if custodians keep it
    #[arg(long, default_value_t = 3)]
    custodians: u8,
    /// The number of shares that every start of the compartment needs
    #[arg(long, default_value_t = 2)]
    threshold: u8,
}

impl QuorumArgs {
    /// The custodians and the threshold.
    pub const fn quorum(&self) -> Quorum {
        Quorum { custodians: self.custodians, threshold: self.threshold }
    }
}

/// The option that chooses the form of a result.
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// Print the result as JSON, by the schema that `cofferdam manual` writes
    #[arg(long)]
    pub json: bool,
}

impl OutputArgs {
    /// Prints a result, as JSON with `--json` and as `lines` otherwise.
    pub fn print<T: Serialize>(
        &self,
        result: &T,
        lines: impl FnOnce(&T) -> Vec<String>,
    ) -> Result<(), CommandError> {
        if self.json {
            output::json(result)?;
        } else {
            output::lines(&lines(result));
        }
        Ok(())
    }
}

/// The options of every command that asks `response`.
#[derive(Debug, Args)]
pub struct ResponseArgs {
    #[command(flatten)]
    estate: EstateArgs,
    /// The caller under whose certificate the command calls response
    #[arg(id = "as", long = "as", value_name = "CALLER", default_value = "operator-1")]
    caller: CallerName,
    #[command(flatten)]
    output: OutputArgs,
}

impl ResponseArgs {
    /// Opens the estate on this machine.
    pub fn estate(&self) -> Result<Estate, CommandError> {
        Ok(Estate::open(&self.estate.dir)?)
    }

    /// Makes a client of the estate's `response`. If an act is not anchored yet, it says so once.
    pub fn client(&self) -> Result<Client, CommandError> {
        let told = AtomicBool::new(false);
        let client = self.estate.client(Compartment::Response, &self.caller)?;
        Ok(client.on_warning(move |code| {
            if code == JOURNAL_NOT_ANCHORED && !told.swap(true, Ordering::Relaxed) {
                output::note(NOT_ANCHORED);
            }
        }))
    }

    /// Prints a result, as JSON with `--json` and as `lines` otherwise.
    pub fn print<T: Serialize>(
        &self,
        result: &T,
        lines: impl FnOnce(&T) -> Vec<String>,
    ) -> Result<(), CommandError> {
        self.output.print(result, lines)
    }
}

/// An incident, and the options of a command that asks `response` about it.
#[derive(Debug, Args)]
pub struct IncidentArgs {
    /// The incident's number
    #[arg(value_parser = incident_number)]
    pub incident: IncidentId,
    #[command(flatten)]
    pub response: ResponseArgs,
}

/// A letter, and the options of a command that asks `response` about it.
#[derive(Debug, Args)]
pub struct LetterArgs {
    /// The letter's number
    #[arg(value_parser = letter_number)]
    pub letter: LetterId,
    #[command(flatten)]
    pub response: ResponseArgs,
}

/// Parses the number of an incident, 1 or more.
pub fn incident_number(text: &str) -> Result<IncidentId, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(IncidentId(number)),
        _ => Err("an incident's number is 1 or more; see `cofferdam incident list`".to_owned()),
    }
}

/// Parses the number of a letter, 1 or more.
pub fn letter_number(text: &str) -> Result<LetterId, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(LetterId(number)),
        _ => Err("a letter's number is 1 or more; see `cofferdam letters list`".to_owned()),
    }
}

/// Parses an instant in UTC, as `2012-01-13T20:00:00Z`.
pub fn instant(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "a time is written as 2012-01-13T20:00:00Z".to_owned())
}

/// Refuses to write over a file or directory.
pub fn check_new(out: &Path) -> Result<(), CommandError> {
    if out.exists() {
        return Err(format!("{} is there already; choose another name", out.display()).into());
    }
    Ok(())
}

/// Asks for a passphrase on the terminal, without showing it.
pub fn ask_passphrase(question: &str) -> io::Result<String> {
    rpassword::prompt_password(question)
}

/// Reads a file with one record number a line.
pub fn read_records(file: &Path) -> Result<Vec<Record>, CommandError> {
    let text = fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let number = |(line, text): (usize, &str)| {
        let bad = || format!("{}, line {line}: not a record number", file.display()).into();
        text.trim().parse().map(Record).map_err(|_| bad())
    };
    lines.map(number).collect()
}
