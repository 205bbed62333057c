//! The HTTP kit of every compartment: mutual TLS, in which the client certificate names the caller;
//! RFC 9457 problem documents; a request log without personal data; the table of routes and its
//! OpenAPI document; and a typed client for the calls of the `api` crates.
//!
//! May touch: sockets, certificate files, configuration files and secret files. Knows no database
//! and no particular route. Called by: every server and the CLI.

mod body;
mod client;
mod config;
mod health;
mod identity;
mod issued;
mod logging;
mod metrics;
mod openapi;
mod problem;
mod revoked;
mod routes;
mod server;
mod server_check;
mod tasks;

pub use body::{Answer, Body, MAX_BODY};
pub use client::{CallError, Client, WARNING};
pub use cofferdam_core::ProblemType;
pub use config::{ConfigError, load_config, read_secret, write_secret};
pub use health::{Ailment, Health};
pub use identity::{Identity, IdentityError, TlsFiles, certificate_chain, dns_names};
pub use issued::{Issued, NotIssued, key_of_chain};
pub use logging::{LogFormat, init_logging};
pub use metrics::{init_metrics, render_metrics};
pub use openapi::About;
pub use problem::Problem;
pub use revoked::RevokedKeys;
pub use routes::Routes;
pub use server::{Caller, Listener, Peer, RefusedClient, ServeError, Shutdown, serve_anybody};
pub use tasks::{TaskLost, blocking, to_the_end};
