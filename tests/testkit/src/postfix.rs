//! The Postfix that `./test` starts. It has one log and hands everything on to one address, so one
//! test alone may use it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::SmtpSink;

/// A Postfix, and a sink behind it; the latter ends with this value.
#[derive(Debug)]
pub struct Postfix {
    /// Where it takes letters.
    pub address: SocketAddr,
    /// Its log.
    pub log: PathBuf,
    /// The file with everything that arrived behind it, one message after the other.
    pub arrived: PathBuf,
    _sink: SmtpSink,
}

impl Postfix {
    /// Puts a sink behind the Postfix that `COFFERDAM_TEST_POSTFIX` names. What arrives is kept
    /// in `dir`.
    #[must_use]
    pub fn start(dir: &Path) -> Self {
        let of = |name: &str| {
            std::env::var(name).unwrap_or_else(|_| panic!("run ./test, or set {name}"))
        };
        let arrived = dir.join("arrived");
        let sink = of("COFFERDAM_TEST_SINK").parse().unwrap();
        Self {
            address: of("COFFERDAM_TEST_POSTFIX").parse().unwrap(),
            log: of("COFFERDAM_TEST_POSTFIX_LOG").into(),
            _sink: SmtpSink::start(sink, Some(&arrived)),
            arrived,
        }
    }
}
