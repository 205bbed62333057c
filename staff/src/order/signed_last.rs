//! The policy that an approver signed last, in a file beside the approver's key. An approver sees the
//! next policy beside this one: what `response` says is in force could be made up.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use keys_api::Policy;

use super::error::OrderError;

/// Reads the policy that the owner of a key signed last on this machine; `None` if there is none.
pub fn signed_last(key: &Path) -> Result<Option<Policy>, OrderError> {
    let path = beside(key);
    match fs::read(&path) {
        Ok(text) => match serde_json::from_slice(&text) {
            Ok(policy) => Ok(Some(policy)),
            Err(source) => Err(OrderError::Form { path, source }),
        },
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(OrderError::File { path, source }),
    }
}

/// Notes the policy that the owner of a key signed.
pub fn note_signed(key: &Path, policy: &Policy) -> Result<(), OrderError> {
    let path = beside(key);
    let text = serde_json::to_string_pretty(policy)? + "\n";
    fs::write(&path, text).map_err(|source| OrderError::File { path, source })
}

fn beside(key: &Path) -> PathBuf {
    key.with_extension("signed-policy.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_that_was_signed_last_is_beside_the_key() {
        let dir = tempfile::tempdir().unwrap();
        let key = dir.path().join("ann.pem");
        assert_eq!(signed_last(&key).unwrap(), None);
        let policy = Policy { version: 7, approvers: vec![], callers: vec![] };
        note_signed(&key, &policy).unwrap();
        assert_eq!(signed_last(&key).unwrap(), Some(policy));
        assert_eq!(signed_last(&dir.path().join("bob.pem")).unwrap(), None);
        fs::write(beside(&key), "{").unwrap();
        assert!(signed_last(&key).is_err(), "a damaged file is no missing one");
    }
}
