//! Reads the log of a Postfix relay to learn which messages the relay queued, and under which queue
//! ids.
//!
//! Postfix logs two lines per message. `cleanup` logs the Message-ID of every message that begins
//! to arrive. `qmgr` logs a message once it is queued, and only then does the relay answer for it.
//! A message whose transfer was cut off has the first line without the second.

use std::collections::HashMap;

/// The largest number of messages between their two lines. The limit bounds the memory for a log
/// whose second lines are missing.
const MAX_ARRIVING: usize = 100_000;

/// A reader of log lines, which must come in the order of the log.
#[derive(Debug, Default)]
pub struct RelayLog {
    /// The Message-ID by queue id of each message that is not queued yet.
    arriving: HashMap<String, String>,
}

/// A message that the relay queued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayLogLine {
    /// The relay's own id of the message.
    pub queue_id: String,
    /// The Message-ID without brackets.
    pub message_id: String,
}

impl RelayLog {
    /// Reads the next line and returns a message if the line says that the relay queued it. Lines
    /// of other programs and malformed lines are skipped.
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
            if self.arriving.len() >= MAX_ARRIVING {
                self.arriving.clear();
            }
            self.arriving.insert(queue_id.to_owned(), id.to_owned());
            return None;
        }
        if program.starts_with("qmgr[") && said.contains("(queue active)") {
            let message_id = self.arriving.remove(queue_id)?;
            return Some(RelayLogLine { queue_id: queue_id.to_owned(), message_id });
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_counts_once_it_is_queued() {
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
        // Postfix logs the line again at every delivery attempt.
        assert_eq!(read(&mut log, queued), None);
        for broken in [&b"\xff\xfe]: x: y"[..], b"", b"]: : ", b"a]: b: message-id=<"] {
            assert_eq!(log.read(broken), None);
        }
    }
}
