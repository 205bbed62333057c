//! `cofferdam <compartment> serve`: one compartment in this process, confined before it starts.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use cofferdam_core::{Clock, Rng, SystemClock, SystemRng};
use cofferdam_custody::Custody;
use cofferdam_sandbox::Sandbox;
use cofferdam_wire::{LogFormat, Shutdown, init_logging, load_config};
use estate::Compartment;
use keys_client::{HalfConfig, HalfError, StateError};
use keys_server::ceremony::CeremonyError;
use tokio::io::AsyncReadExt;

use super::halves::{self, HalvesArgs};
use super::restore::{self, RestoreArgs};
use super::unseal::{self, UnsealArgs};
use crate::options::CommandError;

/// The options of a compartment's server.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The compartment's configuration, a TOML file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    #[command(flatten)]
    stop: StopArgs,
}

/// The end of a server other than SIGTERM and Ctrl-C.
#[derive(Debug, Args)]
pub struct StopArgs {
    /// Stop when standard input ends: `up` holds the other end, so that no compartment outlives
    /// `up`
    #[arg(long, hide = true)]
    stop_with_stdin: bool,
}

macro_rules! serve_command {
    ($($name:ident, $compartment:ident, $what:literal;)*) => {$(
        #[doc = $what]
        #[derive(Debug, Subcommand)]
        pub enum $name {
            /// Run the compartment until SIGTERM or Ctrl-C
            Serve(ServeArgs),
            /// Compare the database with the newest one that keys knows, and go on with it if the
            /// newest is lost
            Restore(RestoreArgs),
            /// Make the secrets of the compartment's halves of keys that the configuration names and
            /// the database does not know
            Init(HalvesArgs),
            /// Give a custodian's share of a half to the starting compartment
            Unseal(UnsealArgs),
        }

        impl $name {
            /// Runs one of the commands, except `serve`: a server starts before the async runtime.
            pub async fn run(self) -> Result<ExitCode, CommandError> {
                let compartment = Compartment::$compartment;
                match self {
                    Self::Serve(_) => Err("a server is started before the async runtime".into()),
                    Self::Restore(args) => restore::run(compartment, args).await,
                    Self::Init(args) => halves::run(compartment, args).await,
                    Self::Unseal(args) => unseal::run(compartment, args).await,
                }
            }
        }
    )*};
}

serve_command! {
    AccountsCommand, Accounts, "The accounts compartment.";
    PaymentsCommand, Payments, "The payments compartment.";
    ResponseCommand, Response, "The response compartment.";
}

/// The commands of the development mail sink.
#[derive(Debug, Subcommand)]
pub enum SinkCommand {
    /// Run the mail sink until SIGTERM or Ctrl-C
    Serve {
        /// The directory for mail that arrives
        #[arg(long)]
        dir: PathBuf,
        /// The loopback address and port to listen on
        #[arg(long)]
        listen: SocketAddr,
        #[command(flatten)]
        stop: StopArgs,
    },
}

/// A compartment that is confined and ready to run with its configuration.
pub enum Server {
    /// The keys compartment, with its configuration.
    Keys(Box<keys_server::Config>, StopArgs),
    /// The accounts compartment, with its configuration.
    Accounts(Box<accounts_server::Config>, StopArgs),
    /// The payments compartment, with its configuration.
    Payments(Box<payments_server::Config>, StopArgs),
    /// The response compartment, with its configuration.
    Response(Box<response_server::Config>, StopArgs),
}

impl Server {
    /// Reads the configuration and confines the process, which must have no other thread yet.
    pub fn confine(compartment: Compartment, args: ServeArgs) -> Result<Self, CommandError> {
        let ServeArgs { config, stop } = args;
        let (server, sandbox, format) = match compartment {
            Compartment::Keys => {
                let config: keys_server::Config = load_config(&config)?;
                let (sandbox, format) = (config.sandbox()?, config.log_format);
                (Self::Keys(Box::new(config), stop), sandbox, format)
            }
            Compartment::Accounts => {
                let config: accounts_server::Config = load_config(&config)?;
                check_halves(compartment, &config.halves)?;
                let (sandbox, format) = (config.sandbox()?, config.log_format);
                (Self::Accounts(Box::new(config), stop), sandbox, format)
            }
            Compartment::Payments => {
                let config: payments_server::Config = load_config(&config)?;
                check_halves(compartment, &config.halves)?;
                let (sandbox, format) = (config.sandbox()?, config.log_format);
                (Self::Payments(Box::new(config), stop), sandbox, format)
            }
            Compartment::Response => {
                let config: response_server::Config = load_config(&config)?;
                check_halves(compartment, &config.halves)?;
                let (sandbox, format) = (config.sandbox()?, config.log_format);
                (Self::Response(Box::new(config), stop), sandbox, format)
            }
        };
        enter_sandbox(sandbox, format)?;
        Ok(server)
    }

    /// Runs the compartment until SIGTERM, Ctrl-C, or the end of standard input if `up` started it.
    pub async fn run(self) -> Result<ExitCode, CommandError> {
        match self {
            Self::Keys(config, stop) => {
                keys_server::serve(*config, clock(), rng(), stop.wait()).await.map_err(advise)?;
            }
            Self::Accounts(config, stop) => {
                let served = accounts_server::serve(*config, clock(), rng(), stop.wait()).await;
                served.map_err(|e| match e {
                    accounts_server::StartError::State(e) => advise_restore("accounts", e),
                    accounts_server::StartError::Half(e) => advise_init("accounts", e),
                    other => other.into(),
                })?;
            }
            Self::Payments(config, stop) => {
                let served = payments_server::serve(*config, clock(), rng(), stop.wait()).await;
                served.map_err(|e| match e {
                    payments_server::StartError::State(e) => advise_restore("payments", e),
                    payments_server::StartError::Half(e) => advise_init("payments", e),
                    other => other.into(),
                })?;
            }
            Self::Response(config, stop) => {
                let served = response_server::serve(*config, clock(), rng(), stop.wait()).await;
                served.map_err(|e| match e {
                    response_server::StartError::State(e) => advise_restore("response", e),
                    response_server::StartError::Half(e) => advise_init("response", e),
                    other => other.into(),
                })?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Names the command that holds the ceremony of `keys`, if it was not held.
fn advise(error: keys_server::StartError) -> CommandError {
    use keys_server::StartError::{NoPolicy, Secrets};
    match error {
        NoPolicy | Secrets(CeremonyError::Missing(_)) => {
            format!("{error}; run: cofferdam keys init --config FILE --policy FILE").into()
        }
        other => other.into(),
    }
}

/// Names the command that shows what a database lacks, if it is not the newest.
fn advise_restore(compartment: &str, error: StateError) -> CommandError {
    match error {
        StateError::NotNewest(_) => {
            format!("{error}; run: cofferdam {compartment} restore --config FILE").into()
        }
        other => other.into(),
    }
}

/// Names the command that makes a half, if the file of its secret is not there. The sandbox would name
/// the file alone.
fn check_halves(compartment: Compartment, halves: &[HalfConfig]) -> Result<(), CommandError> {
    for HalfConfig { from_epoch, custody } in halves {
        if let Custody::File { root_key } = custody
            && !root_key.exists()
        {
            let file = root_key.display();
            return Err(format!(
                "{file} is not there, the secret of the half from epoch {from_epoch}; if it was never \
                 made, run: cofferdam {compartment} init --config FILE; else bring its backup back"
            )
            .into());
        }
    }
    Ok(())
}

/// Names the command that makes a half, if one was not made.
fn advise_init(compartment: &str, error: HalfError) -> CommandError {
    match error {
        HalfError::NotMade(_) => {
            format!("{error}; run: cofferdam {compartment} init --config FILE").into()
        }
        other => other.into(),
    }
}

fn enter_sandbox(sandbox: Sandbox, format: LogFormat) -> Result<(), CommandError> {
    init_logging(format);
    let confinement = sandbox.enter()?;
    if confinement.is_complete() {
        tracing::info!(%confinement, "locked in");
    } else {
        tracing::warn!(%confinement, "locked in as far as this system can");
    }
    Ok(())
}

/// Runs the mail sink until SIGTERM or Ctrl-C.
pub async fn run_sink(command: SinkCommand) -> Result<ExitCode, CommandError> {
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

pub fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

fn rng() -> Arc<dyn Rng> {
    Arc::new(SystemRng)
}
