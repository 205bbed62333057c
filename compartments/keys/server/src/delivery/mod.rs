//! Alarms leave the process: to webhooks, by mail, to syslog.
//!
//! [`Sink::deliver`] tells one place of one alarm. An error means that the alarm may not have
//! arrived: whoever calls repeats it until it is `Ok`, so every place hears of every alarm at
//! least once. What arrives twice has the same webhook-id, Message-ID, or `seq`.

mod mail;
mod syslog;
#[cfg(test)]
mod tests;
mod text;
mod webhook;

use std::path::PathBuf;

use cofferdam_core::Timestamp;
use cofferdam_mail::SendError;
use cofferdam_wire::ConfigError;
use keys_api::Alarm;
use serde::{Deserialize, Serialize};

use mail::Mail;
use syslog::Syslog;
use text::Origin;
use webhook::Webhook;

/// `[[alarms]]` in `keys.toml`: one place to which alarms go.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "to", rename_all = "snake_case", deny_unknown_fields)]
pub enum SinkConfig {
    /// A web server that takes signed requests (<https://www.standardwebhooks.com>).
    Webhook {
        /// What the place is called here; each has a name of its own.
        name: String,
        /// `https://…`; `http://…` to this machine only.
        url: String,
        /// The file with the secret that both sides know, `whsec_` and base64; mode 0600.
        secret_file: PathBuf,
        /// Whom to trust with certificates, PEM; `None`: whom the system trusts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ca: Option<PathBuf>,
    },
    /// People with mailboxes.
    Mail {
        /// What the place is called here; each has a name of its own.
        name: String,
        /// The SMTP relay: `HOST:PORT`.
        relay: String,
        /// The sender's address.
        from: String,
        /// The readers' addresses.
        recipients: Vec<String>,
    },
    /// A syslog daemon that reads RFC 5424.
    Syslog {
        /// What the place is called here; each has a name of its own.
        name: String,
        /// The path of a datagram socket, as `/dev/log`, or `udp://HOST:PORT`. Over UDP nobody
        /// says whether an alarm arrived.
        address: String,
    },
}

impl SinkConfig {
    /// What the place is called.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Webhook { name, .. } | Self::Mail { name, .. } | Self::Syslog { name, .. } => {
                name
            }
        }
    }

    /// The TCP port to which it connects, for the sandbox.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        match self {
            Self::Webhook { url, .. } => webhook::port(url),
            Self::Mail { relay, .. } => text::host_port(relay).map(|(_, port)| port),
            Self::Syslog { .. } => None,
        }
    }
}

/// One place to which alarms go, ready to be told.
#[derive(Debug)]
pub struct Sink {
    name: String,
    way: Way,
}

#[derive(Debug)]
enum Way {
    Webhook(Box<Webhook>),
    Mail(Box<Mail>),
    Syslog(Syslog),
}

/// Why a place can't be told of alarms, or was not told of one. Quotes no URL, no address of a
/// person and no secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeliveryError {
    /// Its entry in the configuration can't be used.
    #[error("[[alarms]] {sink:?}: {cause}")]
    Config {
        /// What the place is called.
        sink: String,
        /// What is wrong with it, and how it should be.
        cause: String,
    },
    /// Its secret can't be read.
    #[error("[[alarms]] {sink:?}: {source}")]
    Secret {
        /// What the place is called.
        sink: String,
        /// What is wrong with the file.
        source: ConfigError,
    },
    /// It did not answer.
    #[error("no alarm reaches {sink:?}: {cause}; see whether it runs and can be reached from here")]
    Unreachable {
        /// What the place is called.
        sink: String,
        /// What the connection said.
        cause: String,
    },
    /// It answered, but did not take the alarm.
    #[error("{sink:?} did not take the alarm: it answered {status}; only 2xx counts{}", hint(*.status))]
    Refused {
        /// What the place is called.
        sink: String,
        /// The HTTP status.
        status: u16,
    },
    /// The mail relay did not take it.
    #[error("no alarm reaches {sink:?}: {source}")]
    Mail {
        /// What the place is called.
        sink: String,
        /// What became of it.
        source: SendError,
    },
}

impl Sink {
    /// Checks `config` and reads its files, so that what is wrong shows at the start and not when
    /// the first alarm rings. `origin` says who speaks: the log's origin.
    pub fn open(config: &SinkConfig, origin: &str) -> Result<Self, DeliveryError> {
        let name = config.name().to_owned();
        let bad = |cause: String| DeliveryError::Config { sink: name.clone(), cause };
        if name.is_empty() {
            return Err(bad("the name is empty; give each place one of its own".to_owned()));
        }
        let origin = Origin::new(origin).map_err(bad)?;
        let way = match config {
            SinkConfig::Webhook { url, secret_file, ca, .. } => {
                let webhook = Webhook::open(&name, origin, url, secret_file, ca.as_deref())?;
                Way::Webhook(Box::new(webhook))
            }
            SinkConfig::Mail { relay, from, recipients, .. } => Way::Mail(Box::new(
                Mail::open(&name, origin, relay, from, recipients).map_err(bad)?,
            )),
            SinkConfig::Syslog { address, .. } => {
                Way::Syslog(Syslog::open(&name, &origin, address).map_err(bad)?)
            }
        };
        Ok(Self { name, way })
    }

    /// What the place is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Tells the place of `alarm`. After an error it may or may not have heard of it. One at a
    /// time: whom of several readers a mail has reached is remembered for the last alarm only.
    pub async fn deliver(&self, alarm: &Alarm, now: Timestamp) -> Result<(), DeliveryError> {
        // Here, once for all ways: whatever comes after sees one bounded line.
        let alarm = Alarm { detail: text::one_line(&alarm.detail), ..alarm.clone() };
        match &self.way {
            Way::Webhook(webhook) => webhook.deliver(&alarm, now).await,
            Way::Mail(mail) => mail.deliver(&alarm, now).await,
            Way::Syslog(syslog) => syslog.deliver(&alarm).await,
        }
    }
}

/// What to do about an answer that is common and easily misread.
const fn hint(status: u16) -> &'static str {
    match status {
        300..=399 => ", and redirects are not followed: set `url` to where it leads",
        401 | 403 => "; see whether both sides have the same secret and the right time",
        _ => "",
    }
}
