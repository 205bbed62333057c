//! Takes the shares of custodians at start, over a Unix socket in a directory of the process's own
//! user: a line with a share, and a line of JSON with the answer. Nothing goes over the network.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cofferdam_core::KeyBytes;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use zeroize::Zeroizing;

use crate::share::{Added, Share, Shares};

/// The longest line, in bytes: longer than any share.
const MAX_LINE: u64 = 512;
/// The longest time for one custodian's line.
const SILENCE: Duration = Duration::from_secs(10);

/// The answer of a starting compartment to one share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case", deny_unknown_fields)]
pub enum ShareAnswer {
    /// The share was taken, and more are needed.
    Taken {
        /// The number of shares that have come together.
        have: usize,
        /// The number of shares that are needed.
        of: usize,
    },
    /// The share was the last that was needed: the secret is open.
    Open,
    /// The line held no share.
    Unreadable {
        /// The fault of the line.
        fault: String,
    },
    /// The share is from another ceremony than the ones before.
    AnotherCeremony,
    /// This share was given before.
    GivenTwice,
    /// The shares make a key that opens nothing here. All of them were dropped.
    WrongKey,
}
/// A share that can't be handed over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnsealError {
    /// The socket can't be made, or does not exist.
    #[error("{}: {source}; is the compartment starting, and waiting for shares?", path.display())]
    Socket {
        /// The path of the socket.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

/// Waits for shares until they make a key that is `right`. If they make a wrong key, all shares are
/// dropped, because somebody mixed up two ceremonies.
pub async fn collect(
    path: &Path,
    right: &(dyn Fn(&KeyBytes) -> bool + Sync),
) -> Result<KeyBytes, UnsealError> {
    let failed = |source| UnsealError::Socket { path: path.to_owned(), source };
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(failed(e)),
        _ => {}
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(failed)?;
    tracing::warn!(socket = %path.display(), "sealed: waiting for the shares of the custodians");
    let mut shares = Shares::default();
    let root = loop {
        let (mut stream, _) = listener.accept().await.map_err(failed)?;
        // One who connects and says nothing must not keep the custodians out.
        let line = tokio::time::timeout(SILENCE, read_line(&mut stream)).await;
        let Ok(Some(line)) = line else { continue };
        let (answer, root) = take(&mut shares, &line, right);
        tracing::info!(?answer, "a custodian came");
        // The answer is plain data, which JSON can hold.
        let answer = serde_json::to_string(&answer).unwrap_or_default();
        // A custodian who left before the answer has still given a share.
        let _ = stream.write_all(format!("{answer}\n").as_bytes()).await;
        if let Some(root) = root {
            break root;
        }
    };
    fs::remove_file(path).map_err(failed)?;
    Ok(root)
}

fn take(
    shares: &mut Shares,
    line: &str,
    right: &(dyn Fn(&KeyBytes) -> bool + Sync),
) -> (ShareAnswer, Option<KeyBytes>) {
    let share = match line.parse::<Share>() {
        Ok(share) => share,
        Err(e) => return (ShareAnswer::Unreadable { fault: e.to_string() }, None),
    };
    match shares.add(share) {
        Added::Missing { have, of } => (ShareAnswer::Taken { have, of }, None),
        Added::Foreign => (ShareAnswer::AnotherCeremony, None),
        Added::Twice => (ShareAnswer::GivenTwice, None),
        Added::Complete(root) if right(&root) => (ShareAnswer::Open, Some(root)),
        Added::Complete(_) => {
            *shares = Shares::default();
            (ShareAnswer::WrongKey, None)
        }
    }
}

async fn read_line(stream: &mut UnixStream) -> Option<Zeroizing<String>> {
    let mut line = Zeroizing::new(String::new());
    BufReader::new(stream.take(MAX_LINE)).read_line(&mut line).await.ok()?;
    Some(line)
}

/// Hands one share to a starting compartment, and returns its answer.
pub async fn send_share(path: &Path, share: &Share) -> Result<ShareAnswer, UnsealError> {
    let failed = |source| UnsealError::Socket { path: path.to_owned(), source };
    let mut stream = UnixStream::connect(path).await.map_err(failed)?;
    let line = Zeroizing::new(format!("{}\n", *share.to_text()));
    stream.write_all(line.as_bytes()).await.map_err(failed)?;
    let answer = read_line(&mut stream).await.unwrap_or_default();
    serde_json::from_str(&answer).map_err(|e| failed(e.into()))
}

#[cfg(test)]
mod tests {
    use cofferdam_core::SystemRng;

    use super::*;
    use crate::{Quorum, share};

    #[tokio::test]
    async fn shares_come_together_at_the_socket() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("unseal.sock");
        let root = KeyBytes::new([9; 32]);
        let quorum = Quorum { custodians: 3, threshold: 2 };
        let shares = share::split(&root, quorum, &SystemRng);
        let others = share::split(&KeyBytes::new([8; 32]), quorum, &SystemRng);
        let waiting = tokio::spawn({
            let path = path.clone();
            async move { collect(&path, &|key| key.expose() == &[9; 32]).await.unwrap() }
        });
        while !path.exists() {
            tokio::task::yield_now().await;
        }
        let give = async |share: &Share| send_share(&path, share).await.unwrap();
        let first = ShareAnswer::Taken { have: 1, of: 2 };
        assert_eq!(give(&others[0]).await, first);
        assert_eq!(give(&others[0]).await, ShareAnswer::GivenTwice);
        assert_eq!(give(&shares[0]).await, ShareAnswer::AnotherCeremony);
        assert_eq!(give(&others[1]).await, ShareAnswer::WrongKey);
        assert_eq!(give(&shares[2]).await, first);
        assert_eq!(give(&shares[0]).await, ShareAnswer::Open);
        assert_eq!(waiting.await.unwrap().expose(), root.expose());
        assert!(!path.exists());
    }
}
