//! Verifies a bag and names each faulty file.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};
use signed_note::{Note, StandardVerifier, Verifier, VerifierList};

use crate::manifest::{self, Hashes};
use crate::{BagError, DATA, DECLARATION, INFO, MANIFEST, SIGNATURE, TAG_MANIFEST, statement};

/// The largest tag file that is read, in bytes. Tag files are small, so a larger one was changed.
const MAX_TAG: u64 = 1 << 30;

/// A fault of a bag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The file at this path differs from the sealed one.
    Changed(String),
    /// The file at this path is missing.
    Missing(String),
    /// The file, directory or link at this path was not sealed.
    Unlisted(String),
    /// The tag file at this path can't be parsed, for the reason in the second text.
    Unreadable(String, String),
    /// The signature does not hold, for the reason in the text.
    Signature(String),
}

impl Fault {
    /// The path of the faulty file, relative to the bag.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Self::Changed(path)
            | Self::Missing(path)
            | Self::Unlisted(path)
            | Self::Unreadable(path, _) => path,
            Self::Signature(_) => SIGNATURE,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(path) => write!(f, "{path}: changed since it was sealed"),
            Self::Missing(path) => write!(f, "{path}: missing"),
            Self::Unlisted(path) => write!(f, "{path}: was not sealed with the bag"),
            Self::Unreadable(path, why) => write!(f, "{path}: {why}"),
            Self::Signature(why) => write!(f, "{SIGNATURE}: {why}"),
        }
    }
}

/// A bag without faults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The name under which the bag was sealed.
    pub name: String,
    /// The name of the key that signed the bag.
    pub signer: String,
    /// The number of files in the payload.
    pub files: u64,
    /// The number of bytes in the payload.
    pub bytes: u64,
}

/// Verifies the bag in `dir` against trusted verifier keys (c2sp.org/signed-note). `progress` gets
/// the payload bytes read so far and in all. The inner result is the bag or its sorted faults.
pub fn verify(
    dir: &Path,
    keys: &[String],
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Result<Verified, Vec<Fault>>, BagError> {
    let trusted = verifiers(keys)?;
    let mut check = Check { dir, faults: BTreeSet::new(), done: 0, total: 0, progress };
    let tag_manifest = check.read_tag(TAG_MANIFEST);
    let signed = check.check_signature(tag_manifest.as_deref(), &trusted);
    let tags = check.parse_manifest(TAG_MANIFEST, tag_manifest.as_deref());
    for (path, hash) in tags.iter().flatten() {
        check.check_file(path, hash)?;
    }
    let manifest = check.read_tag(MANIFEST);
    let payload = check.parse_manifest(MANIFEST, manifest.as_deref());
    let payload = payload.unwrap_or_default();
    check.total =
        payload.keys().filter_map(|path| dir.join(path).metadata().ok()).map(|m| m.len()).sum();
    for (path, hash) in &payload {
        check.check_file(path, hash)?;
    }
    check.find_unlisted(&payload, tags.as_ref())?;
    let (files, bytes) = (payload.len() as u64, check.done);
    check.check_info(signed.as_ref().map(|(name, _)| name.as_str()), files, bytes);
    Ok(match signed {
        Some((name, signer)) if check.faults.is_empty() => {
            Ok(Verified { name, signer, files, bytes })
        }
        _ => Err(check.faults.into_iter().collect()),
    })
}

fn verifiers(keys: &[String]) -> Result<VerifierList, BagError> {
    let mut all: Vec<Box<dyn Verifier>> = Vec::with_capacity(keys.len());
    for key in keys {
        let verifier = StandardVerifier::new(key).map_err(|_| BagError::Key(key.clone()))?;
        all.push(Box::new(verifier));
    }
    Ok(VerifierList::new(all))
}

/// A verification under way.
struct Check<'a> {
    dir: &'a Path,
    faults: BTreeSet<Fault>,
    /// Payload bytes hashed so far.
    done: u64,
    /// Payload bytes in all.
    total: u64,
    progress: &'a mut dyn FnMut(u64, u64),
}

impl Check<'_> {
    fn add_fault(&mut self, fault: Fault) {
        self.faults.insert(fault);
    }

    /// Reads the text of a tag file.
    fn read_tag(&mut self, name: &str) -> Option<String> {
        let path = self.dir.join(name);
        let fault = match fs::symlink_metadata(&path) {
            Err(_) => Fault::Missing(name.to_owned()),
            Ok(m) if !m.is_file() || m.len() > MAX_TAG => Fault::Changed(name.to_owned()),
            Ok(_) => match fs::read_to_string(&path) {
                Ok(text) => return Some(text),
                Err(_) => Fault::Changed(name.to_owned()),
            },
        };
        self.add_fault(fault);
        None
    }

    fn parse_manifest(&mut self, name: &str, text: Option<&str>) -> Option<Hashes> {
        match manifest::read(text?) {
            Ok(hashes) => Some(hashes),
            Err((line, why)) => {
                self.add_fault(Fault::Unreadable(name.to_owned(), format!("line {line}: {why}")));
                None
            }
        }
    }

    /// Checks the signature and returns the bag's name and the signer.
    fn check_signature(
        &mut self,
        tag_manifest: Option<&str>,
        trusted: &VerifierList,
    ) -> Option<(String, String)> {
        let text = self.read_tag(SIGNATURE)?;
        match read_signature(&text, trusted) {
            Ok((name, signer, signed)) => {
                if tag_manifest.is_some_and(|manifest| statement(&name, manifest) != signed) {
                    self.add_fault(Fault::Changed(TAG_MANIFEST.to_owned()));
                }
                Some((name, signer))
            }
            Err(why) => {
                self.add_fault(Fault::Signature(why));
                None
            }
        }
    }

    /// Compares one file with its hash. Links are not followed.
    fn check_file(&mut self, path: &str, hash: &str) -> Result<(), BagError> {
        let full = self.dir.join(path);
        match fs::symlink_metadata(&full) {
            Err(_) => self.add_fault(Fault::Missing(path.to_owned())),
            Ok(metadata) if !metadata.is_file() => self.add_fault(Fault::Changed(path.to_owned())),
            Ok(_) => {
                let counted = path.starts_with(DATA);
                if self.hash(&full, counted).map_err(BagError::io(&full))? != hash {
                    self.add_fault(Fault::Changed(path.to_owned()));
                }
            }
        }
        Ok(())
    }

    fn hash(&mut self, path: &Path, counted: bool) -> std::io::Result<String> {
        let (mut file, mut hash) = (File::open(path)?, Context::new(&SHA256));
        let mut buffer = vec![0; 256 << 10];
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(hex::encode(hash.finish())),
                read => {
                    hash.update(&buffer[..read]);
                    if counted {
                        self.done += read as u64;
                        (self.progress)(self.done, self.total);
                    }
                }
            }
        }
    }

    /// Finds everything in the bag that no manifest lists.
    fn find_unlisted(&mut self, payload: &Hashes, tags: Option<&Hashes>) -> Result<(), BagError> {
        let mut known: BTreeSet<&str> =
            [TAG_MANIFEST, SIGNATURE, MANIFEST, DATA].into_iter().collect();
        for path in payload.keys().chain(tags.into_iter().flat_map(Hashes::keys)) {
            known.insert(path);
            // A listed file makes the directories above it known.
            known.extend(path.match_indices('/').map(|(at, _)| &path[..at]));
        }
        if tags.is_none() {
            known.extend([DECLARATION.0, INFO]);
        }
        let mut unlisted = Vec::new();
        walk(self.dir, "", &known, &mut unlisted)?;
        // Without a readable manifest every file of the payload would count as unlisted, and the
        // list would hide the one fault that matters.
        let no_manifest = self.faults.iter().any(|fault| {
            matches!(fault, Fault::Unreadable(name, _) | Fault::Missing(name) if name == MANIFEST)
        });
        for path in unlisted {
            if !(no_manifest && path.starts_with(DATA)) {
                self.add_fault(Fault::Unlisted(path));
            }
        }
        Ok(())
    }

    /// Compares name and size of the payload with those in the bag's own description (RFC 8493,
    /// section 2.2.2).
    fn check_info(&mut self, name: Option<&str>, files: u64, bytes: u64) {
        let Some(text) = self.read_tag(INFO) else { return };
        let value = |label: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(label)?.strip_prefix(": "));
            line.map(str::to_owned)
        };
        let oxum = value("Payload-Oxum").is_some_and(|said| said == format!("{bytes}.{files}"));
        let named = name.is_none_or(|name| value("External-Identifier").as_deref() == Some(name));
        if !named || (!oxum && self.faults.is_empty()) {
            self.add_fault(Fault::Changed(INFO.to_owned()));
        }
    }
}

/// Verifies the note and returns the bag's name, the signer and the signed statement. The note must
/// be byte for byte as a signer writes it, so that no change to `signature.txt` goes unseen.
fn read_signature(text: &str, trusted: &VerifierList) -> Result<(String, String, String), String> {
    let note = Note::from_bytes(text.as_bytes()).map_err(|e| e.to_string())?;
    let (good, _) = note
        .verify(trusted)
        .map_err(|_| "none of the given keys signed the bag, or it was changed".to_owned())?;
    let signer = good.first().ok_or("the note has no signature")?.name().to_string();
    let rewritten = String::from_utf8(note.to_bytes()).map_err(|e| e.to_string())?;
    if good.len() != 1 || rewritten != text {
        return Err("the note was rewritten after it was signed".to_owned());
    }
    let signed = String::from_utf8(note.text().to_vec()).map_err(|e| e.to_string())?;
    let name = signed.lines().nth(1).unwrap_or_default().to_owned();
    Ok((name, signer, signed))
}

/// Collects the paths below `dir` that are not `known`. Links are not followed.
fn walk(
    dir: &Path,
    prefix: &str,
    known: &BTreeSet<&str>,
    unlisted: &mut Vec<String>,
) -> Result<(), BagError> {
    for entry in fs::read_dir(dir).map_err(BagError::io(dir))? {
        let entry = entry.map_err(BagError::io(dir))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        if !known.contains(path.as_str()) {
            unlisted.push(path);
        } else if entry.file_type().map_err(BagError::io(dir))?.is_dir() {
            walk(&entry.path(), &path, known, unlisted)?;
        }
    }
    Ok(())
}
