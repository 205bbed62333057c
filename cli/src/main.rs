//! The `cofferdam` binary: one subcommand a compartment, the whole estate (`up`), the drill, and
//! the commands of the response.
//!
//! May touch: everything. It only parses arguments and shows results; the work is done by the
//! servers, `estate`, `staff` and `drill`. Called by: people; `up` and `drill` start it again for
//! each compartment.

mod approver;
mod columns;
mod commands;
mod confirm;
#[cfg(test)]
mod documented;
mod options;
mod output;
mod words;

use std::process::ExitCode;

use clap::Parser;

use commands::{Command, Task};

/// Accounts and cards in watertight compartments, and the response when one of them floods.
#[derive(Debug, Parser)]
#[command(name = "cofferdam", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    // A server confines itself before the runtime starts threads, because existing threads stay
    // free.
    let task = match Task::confine(Cli::parse().command) {
        Ok(task) => task,
        Err(e) => return output::fail(&e.to_string()),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => return output::fail(&format!("the async runtime does not start: {e}")),
    };
    let ended = runtime.block_on(task.run());
    // A thread that reads standard input can't be interrupted, so the shutdown does not wait for
    // it.
    runtime.shutdown_background();
    match ended {
        Ok(code) => code,
        Err(e) => output::fail(&e.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn every_command_is_well_formed() {
        super::Cli::command().debug_assert();
    }
}
