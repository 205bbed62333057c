//! Checkpoints as signed notes (c2sp.org/signed-note, c2sp.org/tlog-checkpoint), and a witness's
//! cosignatures under them (c2sp.org/tlog-cosignature, `cosignature/v1`).

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cofferdam_core::{KeyBytes, Timestamp};
use signed_note::{Note, Signature, Verifier, VerifierList, is_key_name_valid, key_id};

use super::{Checkpoint, Hash};

/// The kind of a note's signature. The number is the first byte of an encoded key, as the
/// specifications define it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum NoteKind {
    /// A log's signature on its own checkpoint: plain Ed25519.
    Log = 1,
    /// A witness's cosignature, which includes its time.
    Witness = 4,
}

/// A note can't be parsed, or its signature does not hold. The text says which.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadNote(String);

impl cofferdam_core::InternalError for BadNote {}

/// An Ed25519 key that signs notes.
pub struct NoteKey {
    name: String,
    kind: NoteKind,
    pair: Ed25519KeyPair,
}

impl NoteKey {
    /// Makes the key from `seed`. The specification allows no blanks and no `+` in `name`.
    pub fn new(kind: NoteKind, name: &str, seed: &KeyBytes) -> Result<Self, BadNote> {
        if !is_key_name_valid(name) {
            return Err(BadNote(format!(
                "{name:?} can't be a key's name: remove blanks and '+' signs"
            )));
        }
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.expose());
        let pair = pair.map_err(|e| BadNote(e.to_string()))?;
        Ok(Self { name: name.to_owned(), kind, pair })
    }

    /// The verifier key, which is the public half: `name+id+key`.
    #[must_use]
    pub fn verifier(&self) -> String {
        let key = [&[self.kind as u8], self.pair.public_key().as_ref()].concat();
        format!("{}+{:08x}+{}", self.name, key_id(&self.name, &key), STANDARD.encode(key))
    }

    fn id(&self) -> u32 {
        key_id(&self.name, &[&[self.kind as u8], self.pair.public_key().as_ref()].concat())
    }

    /// A signed checkpoint that states this log's size and root.
    pub fn checkpoint(&self, size: u64, root: Hash) -> Result<String, BadNote> {
        let checkpoint = Checkpoint::new(&self.name, size, root, "");
        let text = checkpoint.map_err(|e| BadNote(e.to_string()))?.to_bytes();
        let signature = self.pair.sign(&text).as_ref().to_vec();
        self.signed(&text, signature)
    }

    /// The note with this witness's cosignature added. The cosignature states that the witness saw
    /// this tree at `at` and has seen no other tree of the same size.
    pub fn cosign(&self, note: &str, at: Timestamp) -> Result<String, BadNote> {
        let parsed = Note::from_bytes(note.as_bytes()).map_err(|e| BadNote(e.to_string()))?;
        let seconds = at.as_second().cast_unsigned();
        let signature = self.pair.sign(&cosigned_bytes(parsed.text(), seconds));
        let signature = [&seconds.to_be_bytes(), signature.as_ref()].concat();
        Ok(format!("{note}{}", self.line(signature)?))
    }

    /// A signed note over `text`, which must end with a line feed.
    pub fn sign_text(&self, text: &str) -> Result<String, BadNote> {
        self.signed(text.as_bytes(), self.pair.sign(text.as_bytes()).as_ref().to_vec())
    }

    fn signed(&self, text: &[u8], signature: Vec<u8>) -> Result<String, BadNote> {
        let text = String::from_utf8(text.to_vec()).map_err(|e| BadNote(e.to_string()))?;
        Ok(format!("{text}\n{}", self.line(signature)?))
    }

    fn line(&self, signature: Vec<u8>) -> Result<String, BadNote> {
        let bad = |e: &dyn std::fmt::Display| BadNote(e.to_string());
        let signature = Signature::new(self.name.clone(), self.id(), signature);
        let line = String::from_utf8(signature.map_err(|e| bad(&e))?.to_bytes());
        line.map_err(|e| bad(&e))
    }
}

/// Checks the log's signature on a note and reads the checkpoint in it.
pub fn read_checkpoint(note: &str, log_key: &str) -> Result<Checkpoint, BadNote> {
    let key = PublicKey::parse(log_key, NoteKind::Log)?;
    let origin = key.name.clone();
    let (note, _) = verified(note, key)?;
    let checkpoint = Checkpoint::from_bytes(note.text()).map_err(|e| BadNote(e.to_string()))?;
    if checkpoint.origin() != origin {
        let log = checkpoint.origin();
        return Err(BadNote(format!("the checkpoint belongs to another log: {log:?}")));
    }
    Ok(checkpoint)
}

/// Checks a witness's cosignature on a note and returns its time.
pub fn cosigned_at(note: &str, witness_key: &str) -> Result<Timestamp, BadNote> {
    let (_, signature) = verified(note, PublicKey::parse(witness_key, NoteKind::Witness)?)?;
    let seconds = signature.signature().first_chunk().map_or(0, |b| u64::from_be_bytes(*b));
    Timestamp::from_second(seconds.cast_signed()).map_err(|e| BadNote(e.to_string()))
}

/// Whether `text` is a verifier key of the given kind.
#[must_use]
pub fn is_verifier(text: &str, kind: NoteKind) -> bool {
    PublicKey::parse(text, kind).is_ok()
}

fn verified(note: &str, key: PublicKey) -> Result<(Note, Signature), BadNote> {
    let bad = |e: &dyn std::fmt::Display| BadNote(e.to_string());
    let note = Note::from_bytes(note.as_bytes()).map_err(|e| bad(&e))?;
    let (mut good, _) =
        note.verify(&VerifierList::new(vec![Box::new(key)])).map_err(|e| bad(&e))?;
    let signature =
        good.pop().ok_or_else(|| BadNote("no trusted key signed the note".to_owned()))?;
    Ok((note, signature))
}

fn cosigned_bytes(text: &[u8], seconds: u64) -> Vec<u8> {
    [format!("cosignature/v1\ntime {seconds}\n").as_bytes(), text].concat()
}

struct PublicKey {
    name: String,
    id: u32,
    kind: NoteKind,
    key: Vec<u8>,
}

impl PublicKey {
    fn parse(text: &str, kind: NoteKind) -> Result<Self, BadNote> {
        let bad = || BadNote(format!("{text:?} is not a verifier key (name+id+key) of a {kind:?}"));
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(bad());
        };
        let key = STANDARD.decode(key).map_err(|_| bad())?;
        let id = u32::from_str_radix(id, 16).map_err(|_| bad())?;
        let good = is_key_name_valid(name)
            && key.len() == 33
            && key[0] == kind as u8
            && key_id(name, &key) == id;
        if !good {
            return Err(bad());
        }
        Ok(Self { name: name.to_owned(), id, kind, key: key[1..].to_vec() })
    }
}

impl Verifier for PublicKey {
    fn name(&self) -> &str {
        &self.name
    }

    fn key_id(&self) -> u32 {
        self.id
    }

    fn verify(&self, text: &[u8], signature: &[u8]) -> bool {
        let key = UnparsedPublicKey::new(&ED25519, &self.key);
        match self.kind {
            NoteKind::Log => key.verify(text, signature).is_ok(),
            NoteKind::Witness => signature.split_first_chunk().is_some_and(|(time, signature)| {
                let text = cosigned_bytes(text, u64::from_be_bytes(*time));
                key.verify(&text, signature).is_ok()
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EMPTY_HASH;

    #[test]
    fn a_checkpoint_is_signed_and_cosigned() {
        let key = |kind, name, n| NoteKey::new(kind, name, &KeyBytes::new([n; 32])).unwrap();
        let log = key(NoteKind::Log, "keys.example/log", 1);
        let witness = key(NoteKind::Witness, "response.example", 2);
        let note = log.checkpoint(7, EMPTY_HASH).unwrap();
        assert_eq!(read_checkpoint(&note, &log.verifier()).unwrap().size(), 7);
        let at: Timestamp = "2012-01-15T04:00:00Z".parse().unwrap();
        let cosigned = witness.cosign(&note, at).unwrap();
        assert_eq!(cosigned_at(&cosigned, &witness.verifier()), Ok(at));
        assert_eq!(read_checkpoint(&cosigned, &log.verifier()).unwrap().size(), 7);

        assert!(cosigned_at(&note, &witness.verifier()).is_err(), "no witness cosigned the note");
        let other = key(NoteKind::Witness, "response.example", 3);
        assert!(cosigned_at(&cosigned, &other.verifier()).is_err());
        assert!(read_checkpoint(&cosigned.replace("\n7\n", "\n8\n"), &log.verifier()).is_err());
        assert!(!is_verifier(&log.verifier(), NoteKind::Witness));
        let elsewhere = log.sign_text("another.example/log\n7\nAAAA\n").unwrap();
        assert!(read_checkpoint(&elsewhere, &log.verifier()).is_err());
        let checkpoint = Checkpoint::new("another.example/log", 7, EMPTY_HASH, "").unwrap();
        let text = String::from_utf8(checkpoint.to_bytes()).unwrap();
        let error = read_checkpoint(&log.sign_text(&text).unwrap(), &log.verifier()).unwrap_err();
        assert!(error.to_string().contains("belongs to another log"), "{error}");
        assert!(NoteKey::new(NoteKind::Log, "my log", &KeyBytes::new([1; 32])).is_err());
    }

    #[test]
    fn a_verifier_key_has_a_name_its_id_and_a_key_of_its_kind() {
        let key = NoteKey::new(NoteKind::Log, "a.example", &KeyBytes::new([1; 32])).unwrap();
        let good = key.verifier();
        assert!(
            is_verifier(&good, NoteKind::Log) && is_verifier(&format!(" {good}\n"), NoteKind::Log)
        );
        let (name, rest) = good.split_once('+').unwrap();
        let (id, encoded) = rest.split_once('+').unwrap();
        let short = STANDARD.encode([&[1], [7; 31].as_slice()].concat());
        let short_id = key_id(name, &STANDARD.decode(&short).unwrap());
        for bad in [
            format!("{name}+{id}"),
            format!("b.example+{id}+{encoded}"),
            format!("{name}+00000000+{encoded}"),
            format!("{name}+{id}+{short}"),
            format!("{name}+{short_id:08x}+{short}"),
            format!("{name}+x+{encoded}"),
            format!("{name}+{id}+*"),
        ] {
            assert!(!is_verifier(&bad, NoteKind::Log), "{bad}");
        }
        let bytes = STANDARD.decode(encoded).unwrap();
        let blank = format!("a example+{:08x}+{encoded}", key_id("a example", &bytes));
        assert!(!is_verifier(&blank, NoteKind::Log));
    }
}
