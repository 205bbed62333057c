//! Alarms to syslog (RFC 5424), one datagram for each message: over UDP (RFC 5426) or to a local
//! socket.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use cofferdam_core::CallerName;
use keys_api::{Alarm, AlarmKind};
use tokio::net::{UdpSocket, UnixDatagram, lookup_host};

use super::DeliveryError;
use super::text::{Origin, host_port, title};

/// The longest wait for the name server, or for a full socket.
const PATIENCE: Duration = Duration::from_secs(15);
/// The facility for security and authorization messages.
const LOG_AUTH: u8 = 4;

/// A syslog daemon.
#[derive(Debug)]
pub struct Syslog {
    name: String,
    host: String,
    target: Target,
}

#[derive(Debug)]
enum Target {
    Local(PathBuf),
    /// The daemon's `HOST:PORT`.
    Udp(String),
}

impl Syslog {
    /// Checks an address. The error names the fault.
    pub fn open(name: &str, origin: &Origin, address: &str) -> Result<Self, String> {
        let target = match address.strip_prefix("udp://") {
            Some(peer) if host_port(peer).is_some() => Target::Udp(peer.to_owned()),
            None if address.starts_with('/') => Target::Local(address.into()),
            _ => {
                return Err(format!(
                    "`address` is {address:?}; write a path as /dev/log, or udp://HOST:PORT"
                ));
            }
        };
        Ok(Self { name: name.to_owned(), host: origin.host(), target })
    }

    /// Sends one line. The socket is opened for each line, because a restarted daemon has a new
    /// one.
    pub async fn deliver(&self, alarm: &Alarm) -> Result<(), DeliveryError> {
        let line = line(alarm, &self.host);
        let sending = async {
            match &self.target {
                Target::Local(path) => send_local(path, line.as_bytes()).await,
                Target::Udp(peer) => send_udp(peer, line.as_bytes()).await,
            }
        };
        let unreachable = |cause| DeliveryError::Unreachable { sink: self.name.clone(), cause };
        tokio::time::timeout(PATIENCE, sending)
            .await
            .map_err(|_| unreachable(format!("not sent within {} s", PATIENCE.as_secs())))?
            .map_err(|e| unreachable(e.to_string()))
    }
}

/// Connects first: only a connected socket waits for room at the other end.
async fn send_local(path: &Path, line: &[u8]) -> io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(path)?;
    socket.send(line).await.map(drop)
}

async fn send_udp(peer: &str, line: &[u8]) -> io::Result<()> {
    let peer = lookup_host(peer).await?.next();
    let peer = peer.ok_or_else(|| io::Error::other("the name has no address"))?;
    let local: SocketAddr = match peer {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    UdpSocket::bind(local).await?.send_to(line, peer).await.map(drop)
}

/// Makes the message. It is the same for the same alarm, at every attempt.
fn line(alarm: &Alarm, host: &str) -> String {
    let priority = LOG_AUTH * 8 + severity(alarm.kind);
    // RFC 5424 allows at most six digits of a second.
    let time = alarm.last.strftime("%Y-%m-%dT%H:%M:%S%.6fZ");
    let kind = alarm.kind.as_str();
    let caller = escaped(alarm.caller.as_ref().map_or("", CallerName::as_str));
    let (seq, count) = (alarm.seq, alarm.count);
    let (title, detail) = (title(alarm), &alarm.detail);
    // 32473 is the enterprise number for documentation (RFC 5612).
    format!(
        "<{priority}>1 {time} {host} cofferdam-keys - {kind} \
         [alarm@32473 kind=\"{kind}\" caller=\"{caller}\" seq=\"{seq}\" count=\"{count}\"] \
         {title}, {count}x: {detail}"
    )
}

/// Severity 1 (alert) for alarms that call for action at once, and 4 (warning) for the others.
const fn severity(kind: AlarmKind) -> u8 {
    match kind {
        AlarmKind::Decoy
        | AlarmKind::DecoyMail
        | AlarmKind::BreakGlass
        | AlarmKind::LogDamage
        | AlarmKind::State
        | AlarmKind::Damage
        | AlarmKind::Disk
        | AlarmKind::Journal
        | AlarmKind::WitnessDisagreement => 1,
        AlarmKind::Budget
        | AlarmKind::RefusedGrant
        | AlarmKind::Frozen
        | AlarmKind::DecoyProbe
        | AlarmKind::RefusedWarrant
        | AlarmKind::BadCertificate
        | AlarmKind::ClockJump
        | AlarmKind::RefusedOrder => 4,
    }
}

/// A value as it is written between quotes (RFC 5424, section 6.3.3).
pub fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '"' | '\\' | ']') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
