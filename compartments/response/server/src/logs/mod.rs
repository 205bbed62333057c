//! The release logs that are followed, one of each instance of `keys`: their copies, and the keys with
//! which `response` signs.

mod copy;
mod file_log;

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cofferdam_core::{KeyBytes, Timestamp};
use cofferdam_tlog::notes::{BadNote, NoteKey, NoteKind};
use cofferdam_wire::{Client, ConfigError, Identity, read_secret};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use crate::{Config, KeysInstance};

pub use copy::{CopyEnd, CopyError, LogCopy};
pub use file_log::FileLog;

/// The followed logs, and what `response` signs with.
pub struct Logs {
    /// One of each instance of `keys`, in the order of the configuration.
    pub followed: Vec<FollowedLog>,
    /// Cosigns checkpoints.
    pub witness: NoteKey,
    /// Signs bags of evidence.
    pub sealer: NoteKey,
}

/// A followed log.
pub struct FollowedLog {
    /// The log's name.
    pub origin: String,
    /// The instance that writes it.
    pub keys: Client,
    /// Its copy.
    pub copy: Mutex<LogCopy>,
    /// When the copy was last known to be up to date.
    pub followed: std::sync::Mutex<Option<Timestamp>>,
    /// For the last disagreement of the log with its copy, the kind of tampering.
    pub tampering: Mutex<Option<Tampering>>,
}

/// The kind of tampering that was found behind a disagreement.
#[derive(Debug, Clone)]
pub struct Tampering {
    /// The disagreement.
    pub disagreement: String,
    /// The kind.
    pub kind: String,
}

/// Why the witness's key can't be used.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// Its file can't be read.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// It holds no key.
    #[error("witness_key must hold the base64 of 32 bytes")]
    Form,
    /// Its name can't stand in a note.
    #[error("witness_name: {0}")]
    Name(#[from] BadNote),
}

/// Why the logs can't be used.
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
                keys: Client::new(&instance.url, identity),
                copy: Mutex::new(LogCopy::open(&dir, &instance.log_key)?),
                followed: std::sync::Mutex::new(None),
                tampering: Mutex::new(None),
                origin,
            })
        };
        let followed = config.keys.iter().map(open).collect::<Result<_, CopyError>>()?;
        let (name, file) = (config.witness_name.as_str(), config.witness_key.as_path());
        Ok(Self { followed, witness: witness(name, file)?, sealer: sealer(name, file)? })
    }
}

/// The key that cosigns checkpoints.
pub fn witness(name: &str, file: &Path) -> Result<NoteKey, WitnessError> {
    note_key(NoteKind::Witness, name, file)
}

/// The key that signs bags of evidence: the witness's secret under another name and kind. A witness
/// signs texts that begin with `cosignature/v1`, and a sealer texts that begin with
/// `cofferdam evidence bag v1`, so that neither signature passes for the other.
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

/// A log's name as the name of a directory.
fn directory_name(origin: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' || c == '-' { c } else { '_' };
    origin.chars().map(plain).collect()
}
