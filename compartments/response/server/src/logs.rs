//! The release logs that are followed: one of each instance of `keys`.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cofferdam_core::{KeyBytes, Timestamp};
use cofferdam_tlog::notes::{BadNote, NoteKey, NoteKind};
use cofferdam_wire::{Client, ConfigError, Identity, read_secret};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use crate::Config;
use crate::log_copy::{CopyError, LogCopy};

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
    /// What was found to have been done to a log that disagrees, by what the disagreement says.
    pub tampering: Mutex<Option<(String, String)>>,
}

/// Why the witness's key can't be used.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// Its file can't be read.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// It holds no key.
    #[error("witness_key: the base64 of 32 bytes")]
    Form,
    /// Its name can't stand in a note.
    #[error("witness_name: {0}")]
    Name(#[from] BadNote),
}

/// Opens the copy of every log.
pub fn open(config: &Config, identity: &Identity) -> Result<Vec<FollowedLog>, CopyError> {
    let open = |instance: &crate::KeysInstance| {
        let origin = instance.log_key.split('+').next().unwrap_or_default().to_owned();
        let dir = config.log_copy.join(folder(&origin));
        let copy = Mutex::new(LogCopy::open(&dir, &instance.log_key)?);
        let followed = std::sync::Mutex::new(None);
        let keys = Client::new(&instance.url, identity);
        Ok(FollowedLog { origin, keys, copy, followed, tampering: Mutex::new(None) })
    };
    config.keys.iter().map(open).collect()
}

/// A log's name as that of a directory.
fn folder(origin: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' || c == '-' { c } else { '_' };
    origin.chars().map(plain).collect()
}

/// The key that cosigns.
pub fn witness(name: &str, file: &Path) -> Result<NoteKey, WitnessError> {
    key(NoteKind::Witness, name, file)
}

/// The key that signs bags of evidence: the same secret under another name and kind. What a witness
/// signs begins with `cosignature/v1`, what is sealed with `cofferdam evidence bag v1`.
pub fn sealer(name: &str, file: &Path) -> Result<NoteKey, WitnessError> {
    key(NoteKind::Log, &format!("{name}/evidence"), file)
}

fn key(kind: NoteKind, name: &str, file: &Path) -> Result<NoteKey, WitnessError> {
    let text = read_secret(file)?;
    let mut seed = Zeroizing::new([0; 32]);
    match STANDARD.decode_slice(text.trim_ascii(), seed.as_mut_slice()) {
        Ok(32) => Ok(NoteKey::new(kind, name, &KeyBytes::new(*seed))?),
        _ => Err(WitnessError::Form),
    }
}
