//! Opening people's signing keys.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use cofferdam_wire::read_secret;
use keys_api::ApproverSecret;
use zeroize::Zeroizing;

use crate::CommandError;

/// A person and a file: `NAME=FILE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffKey {
    /// The person.
    pub name: String,
    /// The key, or the passphrase.
    pub file: PathBuf,
}

impl FromStr for StaffKey {
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

/// Opens the keys of several people; who has no passphrase file is asked.
pub fn open_all(
    keys: &[StaffKey],
    passphrases: &[StaffKey],
) -> Result<Vec<ApproverSecret>, CommandError> {
    let open = |key: &StaffKey| {
        let file = passphrases.iter().find(|of| of.name == key.name).map(|of| of.file.as_path());
        open(key, file)
    };
    keys.iter().map(open).collect()
}

fn open(key: &StaffKey, passphrase_file: Option<&Path>) -> Result<ApproverSecret, CommandError> {
    let file = key.file.display();
    let pem = read_secret(&key.file)?;
    let pem = std::str::from_utf8(&pem).map_err(|_| format!("{file} holds no key"))?;
    let secret = passphrase(passphrase_file, &format!("The passphrase of {}: ", key.name))?;
    ApproverSecret::from_pem(&key.name, pem, secret.as_bytes())
        .map_err(|e| format!("{file}: {e}").into())
}

/// The passphrase in a file, without the line's end, or as typed.
pub fn passphrase(file: Option<&Path>, question: &str) -> Result<Zeroizing<String>, CommandError> {
    let Some(file) = file else {
        return Ok(Zeroizing::new(rpassword::prompt_password(question).map_err(|e| {
            format!("a passphrase can't be asked for here ({e}); give it with --passphrase-file")
        })?));
    };
    let bytes = read_secret(file)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| format!("{}: no text", file.display()))?;
    Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_approver_is_a_name_and_a_file() {
        let ann: StaffKey = "ann=/keys/a=b.pem".parse().unwrap();
        assert_eq!(ann, StaffKey { name: "ann".into(), file: "/keys/a=b.pem".into() });
        for bad in ["ann", "=file", "ann="] {
            assert!(bad.parse::<StaffKey>().is_err(), "{bad} was taken");
        }
    }
}
