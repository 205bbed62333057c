//! Writes a bag. A draft beside the final place is moved there once it is complete and signed, so
//! that a bag in its place is never half written.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256, digest};

use crate::manifest::{self, Hashes};
use crate::{BagError, DATA, DECLARATION, INFO, MANIFEST, SIGNATURE, TAG_MANIFEST, statement};

/// A bag that is being written. If it is dropped before it is sealed, its draft is removed.
#[derive(Debug)]
pub struct BagWriter {
    place: PathBuf,
    draft: PathBuf,
    hashes: Hashes,
    bytes: u64,
    sealed: bool,
}

/// A bag that lacks only its signature. If it is dropped before it is sealed, its draft is removed.
#[derive(Debug)]
pub struct UnsignedBag {
    bag: BagWriter,
    statement: String,
}

/// A file of the payload that is being written.
pub struct BagFile<'a> {
    bag: &'a mut BagWriter,
    name: String,
    path: PathBuf,
    file: BufWriter<File>,
    hash: Context,
    bytes: u64,
}

impl BagWriter {
    /// Begins a bag that will be moved to `place`.
    pub fn create(place: &Path) -> Result<Self, BagError> {
        if place.exists() {
            return Err(BagError::Exists(place.to_owned()));
        }
        let mut draft = place.as_os_str().to_owned();
        draft.push(".making");
        let draft = PathBuf::from(draft);
        if draft.exists() {
            return Err(BagError::Exists(draft));
        }
        fs::create_dir_all(draft.join(DATA)).map_err(BagError::io(&draft))?;
        let (place, hashes) = (place.to_owned(), Hashes::new());
        Ok(Self { place, draft, hashes, bytes: 0, sealed: false })
    }

    /// Begins a file of the payload, such as `log/checkpoint`. Only [`BagFile::end`] adds it to the
    /// manifest.
    pub fn file(&mut self, name: &str) -> Result<BagFile<'_>, BagError> {
        let name = format!("{DATA}/{name}");
        if !manifest::is_safe_path(&name) || self.hashes.contains_key(&name) {
            return Err(BagError::Name(name));
        }
        let path = self.draft.join(&name);
        if let Some(dir) = path.parent() {
            fs::create_dir_all(dir).map_err(BagError::io(dir))?;
        }
        let file = File::create_new(&path).map_err(BagError::io(&path))?;
        let (file, hash) = (BufWriter::new(file), Context::new(&SHA256));
        Ok(BagFile { bag: self, name, path, file, hash, bytes: 0 })
    }

    /// Writes a file of the payload in one piece.
    pub fn add(&mut self, name: &str, content: &[u8]) -> Result<(), BagError> {
        let mut file = self.file(name)?;
        let path = file.path.clone();
        file.write_all(content).map_err(BagError::io(path))?;
        file.end()
    }

    /// Writes the tag files: the manifests, and the labels and values of `info` (RFC 8493, section
    /// 2.2.2). The bag is then ready to be signed under `name`.
    pub fn close(self, name: &str, info: &[(&str, String)]) -> Result<UnsignedBag, BagError> {
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err(BagError::Name(name.to_owned()));
        }
        let oxum = format!("{}.{}", self.bytes, self.hashes.len());
        let own = [("External-Identifier", name.to_owned()), ("Payload-Oxum", oxum)];
        let lines = info.iter().chain(&own).map(|(label, value)| {
            let plain: String = value.chars().filter(|c| !c.is_control()).collect();
            format!("{label}: {plain}\n")
        });
        let tags = [
            (DECLARATION.0, DECLARATION.1.to_owned()),
            (INFO, lines.collect::<String>()),
            (MANIFEST, manifest::write(&self.hashes)),
        ];
        let mut hashes = Hashes::new();
        for (file, text) in &tags {
            self.write_tag(file, text)?;
            hashes.insert((*file).to_owned(), hex::encode(digest(&SHA256, text.as_bytes())));
        }
        let tag_manifest = manifest::write(&hashes);
        self.write_tag(TAG_MANIFEST, &tag_manifest)?;
        Ok(UnsignedBag { statement: statement(name, &tag_manifest), bag: self })
    }

    fn write_tag(&self, name: &str, text: &str) -> Result<(), BagError> {
        let path = self.draft.join(name);
        let write = || {
            let mut file = File::create_new(&path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()
        };
        write().map_err(BagError::io(&path))
    }
}

impl UnsignedBag {
    /// The text to sign.
    #[must_use]
    pub fn statement(&self) -> &str {
        &self.statement
    }

    /// Adds the signed note of the statement and moves the bag to its place, which is returned.
    pub fn seal(mut self, note: &str) -> Result<PathBuf, BagError> {
        self.bag.write_tag(SIGNATURE, note)?;
        fs::rename(&self.bag.draft, &self.bag.place).map_err(BagError::io(&self.bag.place))?;
        self.bag.sealed = true;
        Ok(self.bag.place.clone())
    }
}

impl Drop for BagWriter {
    fn drop(&mut self) {
        if !self.sealed {
            // A draft that can't be removed does no harm: it was never taken for a bag.
            let _ = fs::remove_dir_all(&self.draft);
        }
    }
}

impl BagFile<'_> {
    /// Syncs the file to the disk and adds it to the manifest.
    pub fn end(self) -> Result<(), BagError> {
        let Self { bag, name, path, mut file, hash, bytes } = self;
        file.flush().and_then(|()| file.get_ref().sync_all()).map_err(BagError::io(path))?;
        bag.hashes.insert(name, hex::encode(hash.finish()));
        bag.bytes += bytes;
        Ok(())
    }
}

impl Write for BagFile<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
