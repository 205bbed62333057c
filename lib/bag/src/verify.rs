//! Verifying a bag: everything that is wrong with it, by the name of the file.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};
use signed_note::{Note, StandardVerifier, Verifier, VerifierList};

use crate::manifest::{self, Hashes};
use crate::{BagError, DATA, DECLARATION, INFO, MANIFEST, SIGNATURE, TAG_MANIFEST, statement};

/// Tag files are small; a larger one is none of ours.
const MAX_TAG: u64 = 1 << 30;

/// Something that is wrong with a bag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// A file is not what was sealed.
    Changed(String),
    /// A file is gone.
    Missing(String),
    /// A file, directory or link that was not sealed.
    Unlisted(String),
    /// A tag file makes no sense; what is wrong with it.
    Unreadable(String, String),
    /// Nobody who is trusted signed this bag; why.
    Signature(String),
}

impl Fault {
    /// The file that it is about.
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

/// A bag that is as it was sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Its name.
    pub name: String,
    /// Who signed it.
    pub signer: String,
    /// Files of the payload.
    pub files: u64,
    /// Bytes in them.
    pub bytes: u64,
}

/// Verifies the bag in `dir` against the keys that are trusted (c2sp.org/signed-note verifier
/// keys); `progress` is told of bytes done and bytes in all. The faults, in the order of the
/// files, if there are any.
pub fn verify(
    dir: &Path,
    keys: &[String],
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Result<Verified, Vec<Fault>>, BagError> {
    let trusted = verifiers(keys)?;
    let mut check = Check { dir, faults: BTreeSet::new(), done: 0, total: 0, progress };
    let tag_manifest = check.tag(TAG_MANIFEST);
    let statement = check.signature(tag_manifest.as_deref(), &trusted);
    let tags = check.manifest(TAG_MANIFEST, tag_manifest.as_deref());
    for (path, hash) in tags.iter().flatten() {
        check.file(path, hash)?;
    }
    let manifest = check.tag(MANIFEST);
    let payload = check.manifest(MANIFEST, manifest.as_deref());
    let payload = payload.unwrap_or_default();
    check.total =
        payload.keys().filter_map(|path| dir.join(path).metadata().ok()).map(|m| m.len()).sum();
    for (path, hash) in &payload {
        check.file(path, hash)?;
    }
    check.strangers(&payload, tags.as_ref())?;
    let (files, bytes) = (payload.len() as u64, check.done);
    check.info(statement.as_ref().map(|(name, _)| name.as_str()), files, bytes);
    Ok(match statement {
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

struct Check<'a> {
    dir: &'a Path,
    faults: BTreeSet<Fault>,
    done: u64,
    total: u64,
    progress: &'a mut dyn FnMut(u64, u64),
}

impl Check<'_> {
    fn fault(&mut self, fault: Fault) {
        self.faults.insert(fault);
    }

    /// The text of a tag file.
    fn tag(&mut self, name: &str) -> Option<String> {
        let path = self.dir.join(name);
        let fault = match fs::symlink_metadata(&path) {
            Err(_) => Fault::Missing(name.to_owned()),
            Ok(m) if !m.is_file() || m.len() > MAX_TAG => Fault::Changed(name.to_owned()),
            Ok(_) => match fs::read_to_string(&path) {
                Ok(text) => return Some(text),
                Err(_) => Fault::Changed(name.to_owned()),
            },
        };
        self.fault(fault);
        None
    }

    fn manifest(&mut self, name: &str, text: Option<&str>) -> Option<Hashes> {
        match manifest::read(text?) {
            Ok(hashes) => Some(hashes),
            Err((line, why)) => {
                self.fault(Fault::Unreadable(name.to_owned(), format!("line {line}: {why}")));
                None
            }
        }
    }

    /// The bag's name and who signed it. The note must be byte for byte what a signer writes: a
    /// note that merely still reads would hide a change.
    fn signature(
        &mut self,
        tag_manifest: Option<&str>,
        trusted: &VerifierList,
    ) -> Option<(String, String)> {
        let text = self.tag(SIGNATURE)?;
        match read_signature(&text, trusted) {
            Ok((name, signer, said)) => {
                if tag_manifest.is_some_and(|of| statement(&name, of) != said) {
                    self.fault(Fault::Changed(TAG_MANIFEST.to_owned()));
                }
                Some((name, signer))
            }
            Err(why) => {
                self.fault(Fault::Signature(why));
                None
            }
        }
    }

    /// Holds one file against its hash. Links are not followed.
    fn file(&mut self, path: &str, hash: &str) -> Result<(), BagError> {
        let full = self.dir.join(path);
        match fs::symlink_metadata(&full) {
            Err(_) => self.fault(Fault::Missing(path.to_owned())),
            Ok(metadata) if !metadata.is_file() => self.fault(Fault::Changed(path.to_owned())),
            Ok(_) => {
                let counted = path.starts_with(DATA);
                if self.hash(&full, counted).map_err(BagError::io(&full))? != hash {
                    self.fault(Fault::Changed(path.to_owned()));
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

    /// Whatever stands in the bag and in no manifest.
    fn strangers(&mut self, payload: &Hashes, tags: Option<&Hashes>) -> Result<(), BagError> {
        let mut known: BTreeSet<&str> =
            [TAG_MANIFEST, SIGNATURE, MANIFEST, DATA].into_iter().collect();
        for path in payload.keys().chain(tags.into_iter().flat_map(Hashes::keys)) {
            known.insert(path);
            // Each directory above it, too.
            known.extend(path.match_indices('/').map(|(at, _)| &path[..at]));
        }
        if tags.is_none() {
            known.extend([DECLARATION.0, INFO]);
        }
        let mut unlisted = Vec::new();
        walk(self.dir, "", &known, &mut unlisted)?;
        // A manifest that can't be read lists nothing: the files are not to blame.
        let blind = self.faults.iter().any(|fault| {
            matches!(fault, Fault::Unreadable(name, _) | Fault::Missing(name) if name == MANIFEST)
        });
        for path in unlisted {
            if !(blind && path.starts_with(DATA)) {
                self.fault(Fault::Unlisted(path));
            }
        }
        Ok(())
    }

    /// What the bag says of itself must be so; RFC 8493, section 2.2.2.
    fn info(&mut self, name: Option<&str>, files: u64, bytes: u64) {
        let Some(text) = self.tag(INFO) else { return };
        let value = |label: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(label)?.strip_prefix(": "));
            line.map(str::to_owned)
        };
        let oxum = value("Payload-Oxum").is_some_and(|said| said == format!("{bytes}.{files}"));
        let named = name.is_none_or(|name| value("External-Identifier").as_deref() == Some(name));
        if !named || (!oxum && self.faults.is_empty()) {
            self.fault(Fault::Changed(INFO.to_owned()));
        }
    }
}

/// The bag's name, who signed it, and what was signed.
fn read_signature(text: &str, trusted: &VerifierList) -> Result<(String, String, String), String> {
    let note = Note::from_bytes(text.as_bytes()).map_err(|e| e.to_string())?;
    let (good, _) = note
        .verify(trusted)
        .map_err(|_| "it was signed by none of the given keys, or was changed".to_owned())?;
    let signer = good.first().ok_or("nobody signed it")?.name().to_string();
    let rewritten = String::from_utf8(note.to_bytes()).map_err(|e| e.to_string())?;
    if good.len() != 1 || rewritten != text {
        return Err("it is not as a signer writes it".to_owned());
    }
    let said = String::from_utf8(note.text().to_vec()).map_err(|e| e.to_string())?;
    let name = said.lines().nth(1).unwrap_or_default().to_owned();
    Ok((name, signer, said))
}

/// Lists what is not known, below `dir`. Links are not followed.
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
