//! One process a SQLite file: a second one would not see the orders that the first one takes.

use std::fs::File;
use std::path::Path;

use crate::{Db, StoreError};

impl Db {
    /// Claims a SQLite file for this process until [`Db::close`]. Fails if another process has
    /// claimed it. A PostgreSQL database may be shared. Says which of the two it is.
    pub fn claim(&self) -> Result<(), StoreError> {
        let Some(path) = self.file() else {
            tracing::info!("other instances may share this database");
            return Ok(());
        };
        let lock = open_lock(path)
            .map_err(|source| StoreError::Claim { place: path.display().to_string(), source })?;
        match lock.try_lock() {
            Ok(()) => {
                *self.claimed() = Some(lock);
                tracing::info!("no other instance can run: a SQLite database has one process");
                Ok(())
            }
            Err(_) => Err(StoreError::InUse { place: path.display().to_string() }),
        }
    }
}

/// The lock has a file of its own: closing the database's file would end SQLite's own locks.
fn open_lock(database: &Path) -> std::io::Result<File> {
    let mut path = database.as_os_str().to_owned();
    path.push("-lock");
    File::options().create(true).write(true).truncate(false).open(path)
}
