//! Stores the messages that arrive.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{INDEX, MESSAGES, SinkError};

/// The line in front of each message in the mbox format, so that mail readers can open the file.
const SEPARATOR: &[u8] = b"From sink@localhost Thu Jan  1 00:00:00 1970\n";

/// The sink's directory, open for writing.
pub struct Store {
    files: Mutex<Files>,
    dir: PathBuf,
}

struct Files {
    messages: File,
    index: File,
    /// The number of the last message.
    last: u64,
}

impl Store {
    /// Opens the directory. New messages are appended to those that are there.
    pub fn open(dir: &Path) -> Result<Self, SinkError> {
        fs::create_dir_all(dir).map_err(|e| SinkError::io(dir, e))?;
        let path = dir.join(INDEX);
        let last = last_number(&path).map_err(|e| SinkError::io(&path, e))?;
        let open = |path: &Path| -> Result<File, SinkError> {
            let file = OpenOptions::new().append(true).create(true).open(path);
            file.map_err(|e| SinkError::io(path, e))
        };
        let files = Files { messages: open(&dir.join(MESSAGES))?, index: open(&path)?, last };
        Ok(Self { files: Mutex::new(files), dir: dir.to_owned() })
    }

    /// The number of messages in the directory.
    pub fn stored(&self) -> u64 {
        self.lock().last
    }

    /// Stores one message and returns its number. The message is written before its lines in the
    /// index, so that no reader finds half a message.
    pub fn keep(&self, recipients: &[String], message: &[u8]) -> Result<u64, SinkError> {
        let mut files = self.lock();
        let offset = append_message(&mut files.messages, message)
            .map_err(|e| SinkError::io(&self.dir.join(MESSAGES), e))?;
        let seq = files.last + 1;
        let message_id = message_id(message);
        let lines = recipients.iter().map(|recipient| {
            format!("{seq}\t{recipient}\t{message_id}\t{offset}\t{}\n", message.len())
        });
        let lines: String = lines.collect();
        files
            .index
            .write_all(lines.as_bytes())
            .map_err(|e| SinkError::io(&self.dir.join(INDEX), e))?;
        files.last = seq;
        Ok(seq)
    }

    fn lock(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Appends separator, message and a blank line, and returns the offset of the message.
fn append_message(file: &mut File, message: &[u8]) -> io::Result<u64> {
    file.write_all(&[SEPARATOR, message, b"\n"].concat())?;
    Ok(file.metadata()?.len() - message.len() as u64 - 1)
}

/// The number of the last message in the index. A line that a crash left incomplete is cut off,
/// because its message was never confirmed.
fn last_number(path: &Path) -> io::Result<u64> {
    let text = match fs::read(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(0),
        read => read?,
    };
    let whole = text.iter().rposition(|b| *b == b'\n').map_or(0, |end| end + 1);
    if whole < text.len() {
        OpenOptions::new().write(true).open(path)?.set_len(whole as u64)?;
    }
    let last = text[..whole].trim_ascii_end().rsplit(|b| *b == b'\n').next().unwrap_or_default();
    let number = last.split(|b| *b == b'\t').next().unwrap_or_default();
    Ok(std::str::from_utf8(number).ok().and_then(|n| n.parse().ok()).unwrap_or(0))
}

/// The Message-ID without brackets; `-` if the message has none.
fn message_id(message: &[u8]) -> String {
    let name = b"message-id:";
    let header = message.split(|b| *b == b'\n').take_while(|line| !line.trim_ascii().is_empty());
    let field = header
        .filter(|line| line.get(..name.len()).is_some_and(|n| n.eq_ignore_ascii_case(name)))
        .map(|line| String::from_utf8_lossy(&line[name.len()..]).into_owned())
        .next()
        .unwrap_or_default();
    let id: String = field.chars().filter(char::is_ascii_graphic).collect();
    let id = id.trim_start_matches('<').trim_end_matches('>');
    if id.is_empty() { "-".to_owned() } else { id.to_owned() }
}
