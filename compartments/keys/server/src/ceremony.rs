//! Making and reading the secrets: one file each, mode 0600, 32 random bytes in base64.

use std::fs;
use std::path::Path;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cofferdam_core::{Domain, KeyBytes, Rng};
use cofferdam_wire::{ConfigError, read_secret, write_secret};
use signed_note::{StandardSigner, key_id};
use zeroize::Zeroizing;

/// The byte that says Ed25519 in a note's key (c2sp.org/signed-note).
const NOTE_ED25519: u8 = 1;

/// A secret that can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The file can't be read, or others can read it.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// The file does not hold what it should.
    #[error("{0}: a secret is the base64 of 32 bytes")]
    Form(String),
    /// The log's name can't stand in a note.
    #[error("{0:?} is no name for a log: no blanks and no '+' in it")]
    Origin(String),
}

/// Makes all secrets in `dir`, which must not hold any, and returns the log's verifier key: the
/// public half, for those who check the log.
pub fn create_secrets(dir: &Path, origin: &str, rng: &dyn Rng) -> Result<String, SecretError> {
    if !signed_note::is_key_name_valid(origin) {
        return Err(SecretError::Origin(origin.to_owned()));
    }
    fs::create_dir_all(dir).map_err(|source| ConfigError::Io { path: dir.to_owned(), source })?;
    for name in secret_names() {
        let bytes = KeyBytes::new(rng.bytes());
        let text = Zeroizing::new(STANDARD.encode(bytes.expose()));
        write_secret(&dir.join(name), text.as_bytes())?;
    }
    Ok(note_key(&Secrets::load(dir)?.log, origin)?.verifier)
}

fn secret_names() -> impl Iterator<Item = String> {
    let masters = Domain::ALL.into_iter().map(master_name);
    masters.chain(["pepper.key", "index.key", "decoy.key", "log.key"].map(str::to_owned))
}

fn master_name(domain: Domain) -> String {
    format!("master-{domain}-0.key")
}

/// The secrets of the compartment, in memory.
#[derive(Debug)]
pub(crate) struct Secrets {
    /// The master key of each domain, epoch 0.
    pub masters: Vec<(Domain, KeyBytes)>,
    pub pepper: KeyBytes,
    pub index: KeyBytes,
    pub decoy: KeyBytes,
    pub log: KeyBytes,
}

impl Secrets {
    pub(crate) fn load(dir: &Path) -> Result<Self, SecretError> {
        let read = |name: &str| -> Result<KeyBytes, SecretError> {
            let path = dir.join(name);
            let text = read_secret(&path)?;
            let mut bytes = Zeroizing::new([0; 32]);
            match STANDARD.decode_slice(text.trim_ascii(), bytes.as_mut_slice()) {
                Ok(32) => Ok(KeyBytes::new(*bytes)),
                _ => Err(SecretError::Form(path.display().to_string())),
            }
        };
        let masters = Domain::ALL
            .into_iter()
            .map(|domain| Ok((domain, read(&master_name(domain))?)))
            .collect::<Result<_, SecretError>>()?;
        Ok(Self {
            masters,
            pepper: read("pepper.key")?,
            index: read("index.key")?,
            decoy: read("decoy.key")?,
            log: read("log.key")?,
        })
    }
}

/// The key that signs checkpoints, in both halves.
pub(crate) struct NoteKey {
    pub signer: StandardSigner,
    pub verifier: String,
}

/// The note key of a seed, under the log's name.
pub(crate) fn note_key(seed: &KeyBytes, origin: &str) -> Result<NoteKey, SecretError> {
    let bad = || SecretError::Origin(origin.to_owned());
    let pair = Ed25519KeyPair::from_seed_unchecked(seed.expose()).map_err(|_| bad())?;
    let public = [&[NOTE_ED25519], pair.public_key().as_ref()].concat();
    let secret = Zeroizing::new([&[NOTE_ED25519], seed.expose().as_slice()].concat());
    let id = key_id(origin, &public);
    let text =
        Zeroizing::new(format!("PRIVATE+KEY+{origin}+{id:08x}+{}", STANDARD.encode(&*secret)));
    Ok(NoteKey {
        signer: StandardSigner::new(&text).map_err(|_| bad())?,
        verifier: format!("{origin}+{id:08x}+{}", STANDARD.encode(public)),
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use cofferdam_core::SystemRng;
    use signed_note::StandardVerifier;

    use super::*;

    #[test]
    fn secrets_are_made_once_and_for_the_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let verifier = create_secrets(dir.path(), "keys.example/log", &SystemRng).unwrap();
        assert!(StandardVerifier::new(&verifier).is_ok(), "{verifier}");
        for name in secret_names() {
            let mode = fs::metadata(dir.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert!(create_secrets(dir.path(), "keys.example/log", &SystemRng).is_err());

        let master = dir.path().join("master-accounts-0.key");
        fs::set_permissions(&master, fs::Permissions::from_mode(0o644)).unwrap();
        let refused = Secrets::load(dir.path()).unwrap_err().to_string();
        assert!(refused.contains("master-accounts-0.key"), "{refused}");
    }

    #[test]
    fn a_logs_name_has_no_blanks() {
        let dir = tempfile::tempdir().unwrap();
        let refused = create_secrets(dir.path(), "my log", &SystemRng);
        assert!(matches!(refused, Err(SecretError::Origin(_))));
    }
}
