//! The Postfix that `./test` starts. It has one log and relays all mail to one address, so only one
//! test may use it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::SmtpSink;

/// A Postfix and the sink to which it relays. The sink stops with this value.
#[derive(Debug)]
pub struct Postfix {
    /// The address at which Postfix accepts mail.
    pub address: SocketAddr,
    /// The path of Postfix's log.
    pub log: PathBuf,
    /// The file to which the sink appends every message.
    pub arrived: PathBuf,
    _sink: SmtpSink,
}

impl Postfix {
    /// Starts a sink for the Postfix that `COFFERDAM_TEST_POSTFIX` names. The sink stores mail in
    /// `dir`.
    #[must_use]
    pub fn start(dir: &Path) -> Self {
        let variable =
            |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("run ./test or set {name}"));
        let arrived = dir.join("arrived");
        let sink = variable("COFFERDAM_TEST_SINK").parse().unwrap();
        Self {
            address: variable("COFFERDAM_TEST_POSTFIX").parse().unwrap(),
            log: variable("COFFERDAM_TEST_POSTFIX_LOG").into(),
            _sink: SmtpSink::start(sink, Some(&arrived)),
            arrived,
        }
    }
}
