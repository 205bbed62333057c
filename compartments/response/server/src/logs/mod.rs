//! The release logs that are followed, one for each instance of `keys`: their copies, and the keys
//! with which `response` signs.

mod anchors;
mod copy;
mod file_log;

use std::path::Path;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cofferdam_core::{Compartment, KeyBytes, Timestamp};
use cofferdam_tlog::notes::{BadNote, NoteKey, NoteKind};
use cofferdam_wire::{Client, ConfigError, Identity, read_secret};
use response_api::{DoubtCause, Sighting};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use crate::{Config, KeysInstance};

pub use anchors::{Anchor, Anchors};
pub use copy::{CopyEnd, CopyError, LogCopy};
pub use file_log::FileLog;

/// The followed logs, and the keys with which `response` signs.
pub struct Logs {
    /// One log for each instance of `keys`, in the order of the configuration.
    pub followed: Vec<FollowedLog>,
    /// The key that cosigns checkpoints.
    pub witness: NoteKey,
    /// The key that signs bags of evidence.
    pub sealer: NoteKey,
    /// The contradictions between the copies and what other compartments saw.
    rewritten: std::sync::Mutex<Vec<LogContradiction>>,
}

/// A copy of a log that contradicts what another compartment saw of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogContradiction {
    /// The name of the log.
    pub log: String,
    /// The compartment that saw it.
    pub witness: String,
    /// The difference, in words.
    pub reason: String,
}

/// A release log that is followed.
pub struct FollowedLog {
    /// The log's name, as its checkpoints give it.
    pub origin: String,
    /// The instance of `keys` that writes the log.
    pub keys: Client,
    /// The verified copy of the log.
    pub copy: Mutex<LogCopy>,
    /// The last instant at which the copy was known to be up to date.
    pub followed: std::sync::Mutex<Option<Timestamp>>,
    /// Whether the log disagreed with its copy when it was followed last.
    pub disagrees: AtomicBool,
    /// The last sighting of the log, as far as this process knows.
    pub sighting: Mutex<LastSighting>,
    /// The kind of tampering behind the log's last disagreement with its copy.
    pub tampering: Mutex<Option<Tampering>>,
}

/// The last sighting of a log, and what of it is stored.
#[derive(Debug, Default)]
pub struct LastSighting {
    /// The size, and the first and the last instant at which it was seen.
    pub seen: Option<Sighting>,
    /// The last instant of it that was stored.
    pub stored: Option<Timestamp>,
    /// The instant at which old sightings were thinned.
    pub thinned: Option<Timestamp>,
}

/// The kind of tampering that was found behind a disagreement.
#[derive(Debug, Clone)]
pub struct Tampering {
    /// The disagreement, in words.
    pub disagreement: String,
    /// The kind of tampering, in words.
    pub kind: String,
}

impl From<LogContradiction> for DoubtCause {
    fn from(LogContradiction { log, witness, reason }: LogContradiction) -> Self {
        Self::LogRewritten { log, witness, reason }
    }
}

/// A key of the witness that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// The key's file can't be read.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// The key's file holds no key.
    #[error("witness_key must hold the base64 of 32 bytes")]
    Form,
    /// The witness's name can't stand in a note.
    #[error("witness_name: {0}")]
    Name(#[from] BadNote),
}

/// Logs that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum LogsError {
    /// A copy can't be used.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// The witness's key can't be used.
    #[error(transparent)]
    Witness(#[from] WitnessError),
}

impl Logs {
    /// Opens the copy of every log, and reads the keys.
    pub fn open(config: &Config, identity: &Identity) -> Result<Self, LogsError> {
        let open = |instance: &KeysInstance| {
            let origin = instance.log_key.split('+').next().unwrap_or_default().to_owned();
            let dir = config.log_copy.join(directory_name(&origin));
            Ok(FollowedLog {
                keys: Client::new(Compartment::Keys, &instance.url, identity),
                copy: Mutex::new(LogCopy::open(&dir, &instance.log_key)?),
                followed: std::sync::Mutex::new(None),
                disagrees: AtomicBool::new(false),
                sighting: Mutex::default(),
                tampering: Mutex::new(None),
                origin,
            })
        };
        let followed = config.keys.iter().map(open).collect::<Result<_, CopyError>>()?;
        let (name, file) = (config.witness_name.as_str(), config.witness_key.as_path());
        let (witness, sealer) = (witness(name, file)?, sealer(name, file)?);
        Ok(Self { followed, witness, sealer, rewritten: std::sync::Mutex::default() })
    }

    /// Whether a log disagrees with its copy, or a copy with what another compartment saw.
    pub fn disagree(&self) -> bool {
        let disagrees = |log: &FollowedLog| log.disagrees.load(Ordering::Acquire);
        self.followed.iter().any(disagrees) || !self.rewritten().is_empty()
    }

    /// The contradictions between the copies and what other compartments saw.
    pub fn rewritten(&self) -> Vec<LogContradiction> {
        self.rewritten.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the contradictions with what one compartment saw.
    pub fn set_rewritten(&self, witness: &str, found: Vec<LogContradiction>) {
        let mut all = self.rewritten.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|of| of.witness != witness);
        all.extend(found);
    }
}

/// Makes the key that cosigns checkpoints.
pub fn witness(name: &str, file: &Path) -> Result<NoteKey, WitnessError> {
    note_key(NoteKind::Witness, name, file)
}

/// Makes the key that signs bags of evidence: the witness's secret under another name and kind. A
/// witness signs texts that begin with `cosignature/v1`, and a sealer texts that begin with
/// `cofferdam evidence bag v1`, so neither signature passes for the other.
fn sealer(name: &str, file: &Path) -> Result<NoteKey, WitnessError> {
    note_key(NoteKind::Log, &format!("{name}/evidence"), file)
}

fn note_key(kind: NoteKind, name: &str, file: &Path) -> Result<NoteKey, WitnessError> {
    let text = read_secret(file)?;
    let mut seed = Zeroizing::new([0; 32]);
    match STANDARD.decode_slice(text.trim_ascii(), seed.as_mut_slice()) {
        Ok(32) => Ok(NoteKey::new(kind, name, &KeyBytes::new(*seed))?),
        _ => Err(WitnessError::Form),
    }
}

/// Makes a directory's name from a log's name.
fn directory_name(origin: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' || c == '-' { c } else { '_' };
    origin.chars().map(plain).collect()
}
