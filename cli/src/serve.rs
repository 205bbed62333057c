//! `cofferdam <compartment> serve`: one compartment in this process.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use cofferdam_core::{Clock, Rng, SystemClock, SystemRng};
use cofferdam_wire::{LogFormat, Shutdown, init_logging, load_config};
use tokio::io::AsyncReadExt;

use crate::CommandError;

/// How a compartment is run.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The compartment's configuration, a TOML file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    #[command(flatten)]
    stop: StopArgs,
}

/// When to stop, besides SIGTERM and Ctrl-C.
#[derive(Debug, Args)]
pub struct StopArgs {
    /// Stop when standard input ends: `up` holds the other end, so that no compartment outlives it
    #[arg(long, hide = true)]
    stop_with_stdin: bool,
}

macro_rules! serve_command {
    ($($name:ident, $what:literal;)*) => {$(
        #[doc = $what]
        #[derive(Debug, Subcommand)]
        pub enum $name {
            /// Run it until SIGTERM or Ctrl-C
            Serve(ServeArgs),
        }
    )*};
}

serve_command! {
    KeysCommand, "The keys compartment.";
    AccountsCommand, "The accounts compartment.";
    PaymentsCommand, "The payments compartment.";
    ResponseCommand, "The response compartment.";
}

/// The development mail sink.
#[derive(Debug, Subcommand)]
pub enum SinkCommand {
    /// Run it until SIGTERM or Ctrl-C
    Serve {
        /// Where arriving mail is stored
        #[arg(long)]
        dir: PathBuf,
        /// The loopback address to listen on
        #[arg(long)]
        listen: SocketAddr,
        #[command(flatten)]
        stop: StopArgs,
    },
}

/// Runs `keys`.
pub async fn keys(command: KeysCommand) -> Result<ExitCode, CommandError> {
    let KeysCommand::Serve(args) = command;
    let config: keys_server::Config = load_config(&args.config)?;
    init_logging(config.log_format);
    keys_server::serve(config, clock(), rng(), args.stop.wait()).await?;
    Ok(ExitCode::SUCCESS)
}

/// Runs `accounts`.
pub async fn accounts(command: AccountsCommand) -> Result<ExitCode, CommandError> {
    let AccountsCommand::Serve(args) = command;
    let config: accounts_server::Config = load_config(&args.config)?;
    init_logging(config.log_format);
    accounts_server::serve(config, clock(), rng(), args.stop.wait()).await?;
    Ok(ExitCode::SUCCESS)
}

/// Runs `payments`.
pub async fn payments(command: PaymentsCommand) -> Result<ExitCode, CommandError> {
    let PaymentsCommand::Serve(args) = command;
    let config: payments_server::Config = load_config(&args.config)?;
    init_logging(config.log_format);
    payments_server::serve(config, clock(), rng(), args.stop.wait()).await?;
    Ok(ExitCode::SUCCESS)
}

/// Runs `response`.
pub async fn response(command: ResponseCommand) -> Result<ExitCode, CommandError> {
    let ResponseCommand::Serve(args) = command;
    let config: response_server::Config = load_config(&args.config)?;
    init_logging(config.log_format);
    response_server::serve(config, clock(), rng(), args.stop.wait()).await?;
    Ok(ExitCode::SUCCESS)
}

/// Runs the mail sink.
pub async fn sink(command: SinkCommand) -> Result<ExitCode, CommandError> {
    let SinkCommand::Serve { dir, listen, stop } = command;
    init_logging(LogFormat::Text);
    let listener = cofferdam_mail::sink::bind(listen).await?;
    cofferdam_mail::sink::serve(&dir, listener, stop.wait()).await?;
    Ok(ExitCode::SUCCESS)
}

impl StopArgs {
    async fn wait(self) {
        tokio::select! {
            () = Shutdown.requested() => {}
            () = stdin_ends(), if self.stop_with_stdin => {}
        }
    }
}

async fn stdin_ends() {
    let mut stdin = tokio::io::stdin();
    let mut byte = [0];
    while matches!(stdin.read(&mut byte).await, Ok(1)) {}
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

fn rng() -> Arc<dyn Rng> {
    Arc::new(SystemRng)
}
