//! The question before a step that can't be undone.

use std::io::{BufRead, IsTerminal};

use clap::Args;

use crate::options::CommandError;
use crate::output;

/// The question before a step that can't be undone, and the option that answers it.
#[derive(Debug, Args)]
pub struct Confirm {
    /// Go ahead without asking
    #[arg(long)]
    yes: bool,
}

impl Confirm {
    /// Shows what a step will do, and asks for a yes. Without a terminal, the step is refused
    /// unless `--yes` is given.
    pub fn ask(&self, step: &[String]) -> Result<(), CommandError> {
        let Some((first, rest)) = step.split_first() else { return Ok(()) };
        output::note(&format!("This will {first}"));
        for line in rest {
            output::note(line);
        }
        if self.yes {
            return Ok(());
        }
        if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
            return Err("nothing was done: the step can't be undone, and there is no terminal to \
                        ask on; add --yes to do it"
                .into());
        }
        output::ask("Go on? Type yes: ");
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer)?;
        if answer.trim() == "yes" { Ok(()) } else { Err("nothing was done".into()) }
    }
}
