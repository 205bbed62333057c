//! Alarms by mail.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use cofferdam_core::{Personal, Timestamp};
use cofferdam_mail::{Envelope, Head, Mailbox, Mailer, Message, MessageError, Relay, SendError};
use keys_api::{Alarm, AlarmKind};

use super::DeliveryError;
use super::text::{Origin, advice, host_port, title};

/// The readers of alarms, and the relay that reaches them.
#[derive(Debug)]
pub struct Mail {
    name: String,
    origin: Origin,
    mailer: Mailer,
    from: Mailbox,
    readers: Vec<Mailbox>,
    /// The part of Message-IDs behind the `@`.
    domain: String,
    reached: Mutex<Reached>,
}

/// The readers whom the last alarm has reached, by their places in `readers`. They don't get the
/// alarm again when it is repeated for the others.
#[derive(Debug, Default)]
struct Reached {
    seq: u64,
    readers: BTreeSet<usize>,
}

impl Mail {
    /// Checks a configuration. The error names the fault.
    pub fn open(
        name: &str,
        origin: Origin,
        relay: &str,
        from: &str,
        recipients: &[String],
    ) -> Result<Self, String> {
        if host_port(relay).is_none() {
            return Err(format!("`relay` is {relay:?}; write it as HOST:PORT"));
        }
        if recipients.is_empty() {
            return Err("`recipients` is empty: nobody would read the alarms".to_owned());
        }
        let domain = from.rsplit_once('@').map_or("localhost", |(_, domain)| domain).to_owned();
        let mail = Self {
            name: name.to_owned(),
            origin,
            mailer: Mailer::new(Relay::plain(relay), domain.clone()),
            from: mailbox(from),
            readers: recipients.iter().map(|address| mailbox(address)).collect(),
            domain,
            reached: Mutex::default(),
        };
        mail.check_addresses().map_err(|e| e.to_string())?;
        Ok(mail)
    }

    /// Sends one message to each reader. If the relay accepts mail for some readers and refuses
    /// others for good, the refusals are logged and not repeated, because the address of somebody
    /// who left must not hold up later alarms.
    pub async fn deliver(&self, alarm: &Alarm, now: Timestamp) -> Result<(), DeliveryError> {
        let mut refused = Vec::new();
        let mut failed = None;
        for (place, to) in self.readers.iter().enumerate() {
            if self.reached(alarm.seq).readers.contains(&place) {
                continue;
            }
            match self.send(to, alarm, now).await {
                Ok(()) => _ = self.reached(alarm.seq).readers.insert(place),
                // The relay can't be reached, and it is the same for the other readers.
                Err(e @ DeliveryError::Mail { source: SendError::Open(_), .. }) => return Err(e),
                Err(e @ DeliveryError::Mail { source: SendError::Refused { .. }, .. }) => {
                    refused.push((place, e));
                }
                Err(e) => failed = Some(e),
            }
        }
        match failed {
            Some(e) => Err(e),
            None => self.conclude(alarm.seq, refused),
        }
    }

    /// The result once the relay has answered for every reader: an error if it refused all of them.
    fn conclude(
        &self,
        seq: u64,
        refused: Vec<(usize, DeliveryError)>,
    ) -> Result<(), DeliveryError> {
        let nobody = self.reached(seq).readers.is_empty();
        for (place, e) in refused {
            if nobody {
                return Err(e);
            }
            tracing::error!(recipient = place + 1, cause = %e, "a reader of alarms is not reached");
        }
        Ok(())
    }

    async fn send(&self, to: &Mailbox, alarm: &Alarm, now: Timestamp) -> Result<(), DeliveryError> {
        let sink = || self.name.clone();
        let message = self
            .message(to, alarm, now)
            .map_err(|e| DeliveryError::Config { sink: sink(), cause: e.to_string() })?;
        let from = self.from.address.expose().to_owned();
        let envelope = Envelope { from, to: to.address.clone() };
        match self.mailer.send(&envelope, &message).await {
            Ok(_) => Ok(()),
            Err(source) => Err(DeliveryError::Mail { sink: sink(), source }),
        }
    }

    /// The bytes of the message.
    pub fn message(
        &self,
        to: &Mailbox,
        alarm: &Alarm,
        now: Timestamp,
    ) -> Result<Vec<u8>, MessageError> {
        Message {
            head: Head {
                from: &self.from,
                to,
                date: now,
                message_id: &format!("{}@{}", self.origin.event_id(alarm.seq), self.domain),
                feedback_id: None,
            },
            subject: &format!("[cofferdam] {}: {}×", title(alarm), alarm.count),
            text: &text(alarm, &self.origin),
            html: None,
        }
        .build()
    }

    /// Composes a message to each reader at the start, so that no alarm fails later because of a
    /// bad address.
    fn check_addresses(&self) -> Result<(), MessageError> {
        let alarm = Alarm {
            seq: u64::MAX,
            first: Timestamp::UNIX_EPOCH,
            last: Timestamp::UNIX_EPOCH,
            kind: AlarmKind::Budget,
            caller: None,
            count: u64::MAX,
            detail: String::new(),
        };
        self.readers
            .iter()
            .try_for_each(|to| self.message(to, &alarm, Timestamp::UNIX_EPOCH).map(drop))
    }

    /// The readers whom alarm `seq` has reached so far.
    fn reached(&self, seq: u64) -> MutexGuard<'_, Reached> {
        let mut reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        if reached.seq != seq {
            *reached = Reached { seq, readers: BTreeSet::new() };
        }
        reached
    }
}

pub fn mailbox(address: &str) -> Mailbox {
    Mailbox { name: None, address: Personal::new(address) }
}

fn text(alarm: &Alarm, origin: &Origin) -> String {
    let Alarm { seq, first, last, kind, caller, count, detail } = alarm;
    let (meaning, first_step) = advice(*kind);
    let kind = kind.as_str();
    let caller = caller.as_ref().map_or("none", |caller| caller.as_str());
    let origin = &origin.text;
    format!(
        "{meaning}\n\
         \n\
         What to do first: {first_step}\n\
         \n\
         kind:    {kind}\n\
         caller:  {caller}\n\
         count:   {count}\n\
         first:   {first}\n\
         last:    {last}\n\
         detail:  {detail}\n\
         number:  {seq}\n\
         from:    {origin}\n\
         \n\
         The list of alarms shows all of them; the operator's manual says how to go on.\n"
    )
}
