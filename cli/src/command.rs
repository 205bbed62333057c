//! The common part of commands: options, values, and errors.

use std::io;
use std::path::PathBuf;

use clap::Args;
use cofferdam_core::{CallerName, Timestamp};
use cofferdam_wire::Client;
use estate::{Compartment, Estate};
use response_api::IncidentId;
use serde::Serialize;

use crate::output;

/// Why a command did not do its work: a message that says what happened, where, and what to do.
pub type CommandError = Box<dyn std::error::Error + Send + Sync>;

/// The options of every command that asks `response`.
#[derive(Debug, Args)]
pub struct Common {
    /// The estate's directory
    #[arg(long, value_name = "DIR", default_value = "./estate")]
    dir: PathBuf,
    /// The caller whose certificate is shown
    #[arg(long = "as", value_name = "CALLER", default_value = "operator-1")]
    identity: CallerName,
    /// Print the answer as JSON
    #[arg(long)]
    pub json: bool,
}

impl Common {
    /// A client of the estate's `response`.
    pub fn client(&self) -> Result<Client, CommandError> {
        Ok(Estate::open(&self.dir)?.client(Compartment::Response, &self.identity)?)
    }

    /// Prints an answer, as JSON with `--json` and as `lines` otherwise.
    pub fn print<T: Serialize>(
        &self,
        answer: &T,
        lines: impl FnOnce(&T) -> Vec<String>,
    ) -> Result<(), CommandError> {
        if self.json {
            output::json(answer)?;
        } else {
            output::lines(&lines(answer));
        }
        Ok(())
    }
}

/// Parses the number of an incident.
pub fn incident_number(text: &str) -> Result<IncidentId, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(IncidentId(number)),
        _ => Err("an incident's number is 1 or more; see `cofferdam incident list`".to_owned()),
    }
}

/// Parses an instant.
pub fn instant(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "a time is written as 2012-01-13T20:00:00Z".to_owned())
}

/// Asks for a passphrase on the terminal, without showing it.
pub fn ask_passphrase(question: &str) -> io::Result<String> {
    rpassword::prompt_password(question)
}
