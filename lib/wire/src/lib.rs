//! The HTTP kit that every compartment is built with: mutual TLS where the client certificate is
//! the caller, RFC 9457 problem documents, a request log without personal data, and a typed
//! client for the calls of the `api` crates; and the sandbox that a server locks itself in.
//!
//! May touch: sockets, certificate and configuration files. Knows no database and no route.
//! Called by: every server, and the CLI.

mod body;
mod client;
mod config;
mod identity;
mod logging;
mod metrics;
mod problem;
mod sandbox;
mod server;

pub use body::{Answer, Body, MAX_BODY};
pub use client::{CallError, Client};
pub use config::{ConfigError, load_config, read_secret, write_secret};
pub use identity::{Identity, IdentityError, TlsFiles};
pub use logging::{LogFormat, init_logging};
pub use metrics::{init_metrics, render_metrics};
pub use problem::{Problem, ProblemKind};
pub use sandbox::{Confinement, Landlock, Sandbox, SandboxError, beside};
pub use server::{
    Caller, Listener, Peer, RefusedClient, ServeError, Shutdown, call_route, serve_anybody,
};
