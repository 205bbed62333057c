//! Opening the signing keys of approvers.

use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use cofferdam_wire::{ConfigError, read_secret};
use keys_api::{ApproverSecret, BadApproverKey};
use zeroize::Zeroizing;

/// A person and a file of that person, as `NAME=FILE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonFile {
    /// The person's name in the policy.
    pub name: String,
    /// The person's key or passphrase.
    pub file: PathBuf,
}

impl FromStr for PersonFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((name, file)) if !name.is_empty() && !file.is_empty() => {
                Ok(Self { name: name.to_owned(), file: file.into() })
            }
            _ => Err("write NAME=FILE".to_owned()),
        }
    }
}

/// Asks a person a question on the terminal. The terminal must not show the answer.
pub type Ask<'a> = &'a dyn Fn(&str) -> io::Result<String>;

/// A signing key that can't be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The file can't be read, or others can read it.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// The file holds no text.
    #[error("{} holds no text", .0.display())]
    NoText(PathBuf),
    /// The file holds no key, or the passphrase does not open it.
    #[error("{}: {source}", path.display())]
    Key {
        /// The key's file.
        path: PathBuf,
        /// The reason why the text is no key, or stays closed.
        source: BadApproverKey,
    },
    /// The passphrase can't be asked for, because there is no terminal.
    #[error("there is no terminal to ask for the passphrase ({0}); give it with --passphrase-file")]
    Ask(io::Error),
}

/// Opens the keys of several people. A person without a passphrase file is asked for the
/// passphrase.
pub fn open_keys(
    keys: &[PersonFile],
    passphrases: &[PersonFile],
    ask: Ask<'_>,
) -> Result<Vec<ApproverSecret>, KeyError> {
    let open = |key: &PersonFile| {
        let file = passphrases.iter().find(|of| of.name == key.name).map(|of| of.file.as_path());
        open_key(key, file, ask)
    };
    keys.iter().map(open).collect()
}

/// Opens the keys that stand beside their passphrases in a directory, as `NAME.pem` and
/// `NAME.passphrase`.
pub fn open_directory(dir: &Path, names: &[&str]) -> Result<Vec<ApproverSecret>, KeyError> {
    let files = |end: &str| -> Vec<_> {
        let file = |name: &&str| PersonFile {
            name: (*name).to_owned(),
            file: dir.join(format!("{name}.{end}")),
        };
        names.iter().map(file).collect()
    };
    let nobody = |_: &str| Err(io::Error::other("every passphrase has a file"));
    open_keys(&files("pem"), &files("passphrase"), &nobody)
}

/// Opens the key of one person, whose passphrase is in a file or asked for.
pub fn open_key(
    key: &PersonFile,
    passphrase_file: Option<&Path>,
    ask: Ask<'_>,
) -> Result<ApproverSecret, KeyError> {
    let pem = read_text(&key.file)?;
    let question = format!("The passphrase of {}: ", key.name);
    let secret = passphrase(passphrase_file, &question, ask)?;
    ApproverSecret::from_pem(&key.name, &pem, secret.as_bytes())
        .map_err(|source| KeyError::Key { path: key.file.clone(), source })
}

/// Reads the passphrase from a file, without the end of its line. Without a file, asks the
/// question.
pub fn passphrase(
    file: Option<&Path>,
    question: &str,
    ask: Ask<'_>,
) -> Result<Zeroizing<String>, KeyError> {
    let Some(file) = file else {
        return ask(question).map(Zeroizing::new).map_err(KeyError::Ask);
    };
    let text = read_text(file)?;
    Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}

fn read_text(file: &Path) -> Result<Zeroizing<String>, KeyError> {
    let bytes = read_secret(file)?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(KeyError::NoText(file.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use cofferdam_core::SeededRng;
    use cofferdam_wire::write_secret;

    use super::*;

    #[test]
    fn an_approver_is_a_name_and_a_file() {
        let ann: PersonFile = "ann=/keys/a=b.pem".parse().unwrap();
        assert_eq!(ann, PersonFile { name: "ann".into(), file: "/keys/a=b.pem".into() });
        for bad in ["ann", "=file", "ann="] {
            assert!(bad.parse::<PersonFile>().is_err(), "{bad} was taken");
        }
    }

    #[test]
    fn a_key_opens_with_its_passphrase_from_a_file_or_by_asking() {
        let (dir, rng) = (tempfile::tempdir().unwrap(), SeededRng::new(1));
        let ann = ApproverSecret::generate("ann", &rng);
        let pem = ann.to_pem(b"correct horse", &rng).unwrap();
        write_secret(&dir.path().join("ann.pem"), pem.as_bytes()).unwrap();
        write_secret(&dir.path().join("ann.passphrase"), b"correct horse\n").unwrap();
        let opened = open_directory(dir.path(), &["ann"]).unwrap();
        assert_eq!(opened[0].public(), ann.public());

        let key = PersonFile { name: "ann".into(), file: dir.path().join("ann.pem") };
        let asked = open_keys(std::slice::from_ref(&key), &[], &|question| {
            assert!(question.contains("ann"), "{question}");
            Ok("correct horse".to_owned())
        });
        assert_eq!(asked.unwrap()[0].public(), ann.public());
        let wrong = open_keys(&[key], &[], &|_| Ok("battery staple".to_owned()));
        assert!(wrong.unwrap_err().to_string().contains("ann.pem"));
    }
}
