//! Reading the log of a relay (Postfix): which messages it took, under which queue id.
//!
//! `cleanup` writes the Message-ID of every message it gets, `qmgr` says that a message is in the
//! queue: only then is it the relay's. A message that was cut off has the first line and not the
//! second.

use std::collections::HashMap;

/// Messages between their two lines at most: a log that was cut is not kept in memory.
const HALF_KNOWN: usize = 100_000;

/// Reads lines, oldest first.
#[derive(Debug, Default)]
pub struct RelayLog {
    /// Message-IDs by queue id, of messages that are not in the queue yet.
    ids: HashMap<String, String>,
}

/// A message that the relay took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayLogLine {
    /// The relay's name for it.
    pub queue_id: String,
    /// Its Message-ID, without brackets.
    pub message_id: String,
}

impl RelayLog {
    /// Takes a line; a message, when this line says that the relay took it. Lines of others, and
    /// broken ones, say nothing.
    pub fn read(&mut self, line: &[u8]) -> Option<RelayLogLine> {
        let line = std::str::from_utf8(line).ok()?;
        let (head, said) = line.split_once("]: ")?;
        let (queue_id, said) = said.split_once(": ")?;
        let plain = |b: u8| b.is_ascii_alphanumeric();
        if queue_id.is_empty() || queue_id.len() > 20 || !queue_id.bytes().all(plain) {
            return None;
        }
        let program = head.rsplit('/').next().unwrap_or_default();
        if program.starts_with("cleanup[") {
            let id = said.strip_prefix("message-id=<")?.split_once('>')?.0;
            if self.ids.len() >= HALF_KNOWN {
                self.ids.clear();
            }
            self.ids.insert(queue_id.to_owned(), id.to_owned());
            return None;
        }
        if program.starts_with("qmgr[") && said.contains("(queue active)") {
            let message_id = self.ids.remove(queue_id)?;
            return Some(RelayLogLine { queue_id: queue_id.to_owned(), message_id });
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_the_relays_once_it_is_in_the_queue() {
        let mut log = RelayLog::default();
        let at = "2012-01-15T18:30:05.123456+00:00 mx1";
        let read = |log: &mut RelayLog, line: &str| log.read(format!("{at} {line}").as_bytes());
        assert_eq!(read(&mut log, "postfix/smtpd[7]: 4XyZ12: client=shop[192.0.2.1]"), None);
        let cleanup = "postfix/cleanup[8]: 4XyZ12: message-id=<2.ab@shop.example>";
        assert_eq!(read(&mut log, cleanup), None);
        let cut_off = "postfix/cleanup[8]: 4XyZ99: message-id=<2.cd@shop.example>";
        assert_eq!(read(&mut log, cut_off), None);
        let queued =
            "postfix/qmgr[9]: 4XyZ12: from=<b@shop.example>, size=1, nrcpt=1 (queue active)";
        let taken = read(&mut log, queued).unwrap();
        assert_eq!((&*taken.queue_id, &*taken.message_id), ("4XyZ12", "2.ab@shop.example"));
        // Taken up again after a pause: the same message.
        assert_eq!(read(&mut log, queued), None);
        for broken in [&b"\xff\xfe]: x: y"[..], b"", b"]: : ", b"a]: b: message-id=<"] {
            assert_eq!(log.read(broken), None);
        }
    }
}
