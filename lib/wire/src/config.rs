//! Configuration files and secret files.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use tempfile::NamedTempFile;
use zeroize::Zeroizing;

/// A configuration file or secret file can't be used. The message names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file can't be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file has an unknown key or a bad value.
    #[error("{}: {message}", path.display())]
    Toml {
        /// The path of the file.
        path: PathBuf,
        /// The line, the key and the fault.
        message: String,
    },
    /// Other users may read the secret.
    #[error("{} can be read by others (mode {mode:03o}); run: chmod 600 {}", path.display(), path.display())]
    Readable {
        /// The path of the file.
        path: PathBuf,
        /// The permission bits of the file.
        mode: u32,
    },
}

impl ConfigError {
    fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}

/// Reads a TOML file. An unknown key is an error if `T` has `deny_unknown_fields`.
pub fn load_config<T: DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    let text = fs::read_to_string(path).map_err(|e| ConfigError::io(path, e))?;
    toml::from_str(&text).map_err(|e| ConfigError::Toml {
        path: path.to_owned(),
        message: e.to_string().trim_end().to_owned(),
    })
}

/// Reads a secret file. A file that group or others can access is refused.
pub fn read_secret(path: &Path) -> Result<Zeroizing<Vec<u8>>, ConfigError> {
    let file = fs::File::open(path).map_err(|e| ConfigError::io(path, e))?;
    let mode = file.metadata().map_err(|e| ConfigError::io(path, e))?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(ConfigError::Readable { path: path.to_owned(), mode });
    }
    let mut out = Zeroizing::new(Vec::new());
    io::Read::read_to_end(&mut io::BufReader::new(file), &mut out)
        .map_err(|e| ConfigError::io(path, e))?;
    Ok(out)
}

/// Writes a new secret file with mode 0600. An existing file is an error and stays as it is. A crash leaves
/// the whole file or none.
pub fn write_secret(path: &Path, secret: &[u8]) -> Result<(), ConfigError> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || {
        // A temporary file has mode 0600.
        let mut draft = NamedTempFile::new_in(dir)?;
        draft.write_all(secret)?;
        draft.as_file().sync_all()?;
        draft.persist_noclobber(path).map_err(|e| e.error)?;
        fs::File::open(dir)?.sync_all()
    };
    write().map_err(|e| ConfigError::io(path, e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Small {
        #[expect(dead_code, reason = "the test only parses it")]
        listen: std::net::SocketAddr,
    }

    #[test]
    fn an_error_names_the_file_and_the_key() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys.toml");
        for (text, word) in [
            ("listen = \"127.0.0.1:1\"\nlistn = 2\n", "listn"),
            ("listen = \"nowhere\"\n", "listen"),
        ] {
            fs::write(&path, text).unwrap();
            let message = load_config::<Small>(&path).unwrap_err().to_string();
            assert!(message.contains("keys.toml") && message.contains(word), "{message}");
        }
    }

    #[test]
    fn a_secret_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("master.key");
        write_secret(&path, b"secret").unwrap();
        assert_eq!(read_secret(&path).unwrap().as_slice(), b"secret");
        assert!(write_secret(&path, b"other").is_err());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(read_secret(&path), Err(ConfigError::Readable { mode: 0o640, .. })));
    }
}
