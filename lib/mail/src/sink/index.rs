//! Reads the messages that the sink stored.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use cofferdam_core::Personal;

use super::{INDEX, MESSAGES, SinkError};

/// One message to one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The number of the message, from 1.
    pub seq: u64,
    /// The recipient in the envelope.
    pub recipient: Personal,
    /// The Message-ID without brackets; `-` if the message has none.
    pub message_id: String,
    offset: u64,
    length: usize,
}

/// The messages that had arrived when the index was loaded.
#[derive(Debug)]
pub struct SinkIndex {
    dir: PathBuf,
    arrivals: Vec<Arrival>,
    /// Places in `arrivals` by recipient, in the order of arrival.
    by_recipient: HashMap<Personal, Vec<usize>>,
}

impl SinkIndex {
    /// Loads the index from the sink's directory. The sink may be running.
    pub fn load(dir: &Path) -> Result<Self, SinkError> {
        let path = dir.join(INDEX);
        let text = match fs::read_to_string(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
            read => read.map_err(|e| SinkError::io(&path, e))?,
        };
        let mut index =
            Self { dir: dir.to_owned(), arrivals: Vec::new(), by_recipient: HashMap::new() };
        // The sink is still writing a line without a line break.
        let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
        for (line, number) in whole.lines().zip(1..) {
            let bad = || SinkError::Index { path: path.clone(), line: number };
            index.add(parse(line).ok_or_else(bad)?);
        }
        Ok(index)
    }

    /// All arrivals, in order.
    #[must_use]
    pub fn arrivals(&self) -> &[Arrival] {
        &self.arrivals
    }

    /// The number of messages by recipient.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<&str, u64> {
        let count = |places: &Vec<usize>| places.len() as u64;
        self.by_recipient.iter().map(|(to, places)| (to.expose(), count(places))).collect()
    }

    /// The newest message to a recipient, as it arrived.
    pub fn read_message(&self, recipient: &Personal) -> Result<Option<Vec<u8>>, SinkError> {
        let newest = self.by_recipient.get(recipient).and_then(|places| places.last());
        newest.map(|place| self.read(&self.arrivals[*place])).transpose()
    }

    /// The bytes of a message, as it arrived.
    pub fn read(&self, arrival: &Arrival) -> Result<Vec<u8>, SinkError> {
        let path = self.dir.join(MESSAGES);
        let mut message = vec![0; arrival.length];
        File::open(&path)
            .and_then(|file| file.read_exact_at(&mut message, arrival.offset))
            .map_err(|e| SinkError::io(&path, e))?;
        Ok(message)
    }

    fn add(&mut self, arrival: Arrival) {
        let places = self.by_recipient.entry(arrival.recipient.clone()).or_default();
        places.push(self.arrivals.len());
        self.arrivals.push(arrival);
    }
}

fn parse(line: &str) -> Option<Arrival> {
    let mut columns = line.split('\t');
    let arrival = Arrival {
        seq: columns.next()?.parse().ok()?,
        recipient: Personal::new(columns.next()?),
        message_id: columns.next()?.to_owned(),
        offset: columns.next()?.parse().ok()?,
        length: columns.next()?.parse().ok()?,
    };
    columns.next().is_none().then_some(arrival)
}
