//! Delivers alarms to sinks outside the process: webhooks, mailboxes, syslog.
//!
//! [`Sink::deliver`] delivers one alarm to one sink. After an error the alarm may not have arrived,
//! and the caller repeats it until the result is `Ok`: every sink gets every alarm at least once.
//! An alarm that arrives twice has the same webhook-id, Message-ID, or `seq`.

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

/// `[[alarms]]` in `keys.toml`: a place to which alarms go.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "to", rename_all = "snake_case", deny_unknown_fields)]
pub enum SinkConfig {
    /// A web server that takes signed requests (<https://www.standardwebhooks.com>).
    Webhook {
        /// The name of the place. No two places share one.
        name: String,
        /// `https://…`, or `http://…` on this machine.
        url: String,
        /// The file with the shared secret, `whsec_` and base64, mode 0600.
        secret_file: PathBuf,
        /// The authorities to trust, as PEM; `None` for those that the system trusts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ca: Option<PathBuf>,
    },
    /// People who read alarms in their mailboxes.
    Mail {
        /// The name of the place. No two places share one.
        name: String,
        /// The SMTP relay, as `HOST:PORT`.
        relay: String,
        /// The address of the sender.
        from: String,
        /// The addresses of the readers.
        recipients: Vec<String>,
    },
    /// A syslog daemon that reads RFC 5424.
    Syslog {
        /// The name of the place. No two places share one.
        name: String,
        /// The path of a datagram socket, as `/dev/log`, or `udp://HOST:PORT`. Over UDP, an alarm
        /// can be lost without an error.
        address: String,
    },
}

impl SinkConfig {
    /// The name of the place.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Webhook { name, .. } | Self::Mail { name, .. } | Self::Syslog { name, .. } => {
                name
            }
        }
    }

    /// The TCP port to which the sink connects; the sandbox opens it.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        match self {
            Self::Webhook { url, .. } => webhook::port(url),
            Self::Mail { relay, .. } => text::host_port(relay).map(|(_, port)| port),
            Self::Syslog { .. } => None,
        }
    }
}

/// A place to which alarms go, ready for use.
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

/// A sink that can't be used, or that an alarm did not reach. The message quotes no URL, no address
/// of a person and no secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeliveryError {
    /// The entry in the configuration can't be used.
    #[error("[[alarms]] {sink:?}: {cause}")]
    Config {
        /// The name of the place.
        sink: String,
        /// The fault of the entry, and its right form.
        cause: String,
    },
    /// The secret can't be read.
    #[error("[[alarms]] {sink:?}: {source}")]
    Secret {
        /// The name of the place.
        sink: String,
        /// The fault of the file.
        source: ConfigError,
    },
    /// The place did not answer.
    #[error("no alarm reaches {sink:?}: {cause}; check that it runs and can be reached from here")]
    Unreachable {
        /// The name of the place.
        sink: String,
        /// The error of the connection.
        cause: String,
    },
    /// The place answered, and did not take the alarm.
    #[error("{sink:?} did not take the alarm: it answered {status}; only 2xx counts{}", hint(*.status))]
    Refused {
        /// The name of the place.
        sink: String,
        /// The HTTP status of the answer.
        status: u16,
    },
    /// The mail relay did not take the alarm.
    #[error("no alarm reaches {sink:?}: {source}")]
    Mail {
        /// The name of the place.
        sink: String,
        /// The relay's reason.
        source: SendError,
    },
}

impl Sink {
    /// Checks `config` and reads its files, so that a mistake shows at the start and not when the
    /// first alarm rings. `origin` is the name of the log, by which the reader knows the sending
    /// instance.
    pub fn open(config: &SinkConfig, origin: &str) -> Result<Self, DeliveryError> {
        let name = config.name().to_owned();
        let bad = |cause: String| DeliveryError::Config { sink: name.clone(), cause };
        if name.is_empty() {
            return Err(bad("the name is empty; give each place a name".to_owned()));
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

    /// The name of the place.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Delivers `alarm`. After an error it may or may not have arrived. Deliver one alarm after the
    /// other, because mail remembers the reached readers of the last alarm only.
    pub async fn deliver(&self, alarm: &Alarm, now: Timestamp) -> Result<(), DeliveryError> {
        // This is done here for all sinks, so that each gets one line of a bounded length.
        let alarm = Alarm { detail: text::one_line(&alarm.detail), ..alarm.clone() };
        match &self.way {
            Way::Webhook(webhook) => webhook.deliver(&alarm, now).await,
            Way::Mail(mail) => mail.deliver(&alarm, now).await,
            Way::Syslog(syslog) => syslog.deliver(&alarm).await,
        }
    }
}

/// Advice on some common answers.
const fn hint(status: u16) -> &'static str {
    match status {
        300..=399 => ", and redirects are not followed: set `url` to where it leads",
        401 | 403 => "; check that both sides have the same secret and the right time",
        _ => "",
    }
}
