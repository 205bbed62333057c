//! The thief, who has the app server's host, and so everything that the app server has.

use std::fs;
use std::path::Path;

use cofferdam_core::{Clock, Personal, Rng};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqlitePool, ValueRef};

use super::error::{FlatError, at};
use super::secrets::{CardKey, hash_token};
use super::server::{CustomerView, open_session};
use super::shop::{Config, last_four};
use super::tally::{FIELDS, Tally};
use super::traffic::Browser;

/// The name of the thief's browser, by which the thief finds its own lines in the log.
pub const AGENT: &str = "Mozilla/5.0 (Windows NT 6.1; rv:9.0.1) Gecko/20100101 Firefox/9.0.1";

/// The thief on the fallen host.
pub struct Thief {
    config: Config,
    db: SqlitePool,
}

/// The loot from the database.
#[derive(Debug, Default)]
pub struct Loot {
    /// The fields that were read, by customer.
    pub tally: Tally,
    /// The number of card numbers that the key opened, and that end as the record says.
    pub cards: u64,
}

impl Thief {
    /// Opens the database with the configuration that lies on the host.
    pub async fn on_fallen_host(config: &Path) -> Result<Self, FlatError> {
        let config = Config::read(config)?;
        Ok(Self { db: config.open().await?, config })
    }

    /// Reads pages of the desk's list, with a session that the thief writes into the table and
    /// removes again.
    pub async fn read_pages(
        &self,
        browser: &Browser,
        pages: &[u32],
        clock: &dyn Clock,
        rng: &dyn Rng,
    ) -> Result<Tally, FlatError> {
        let token = hex::encode(rng.bytes::<16>());
        open_session(&self.db, &token, None, clock).await?;
        let cookie = Personal::new(format!("session={token}"));
        let mut tally = Tally::default();
        for page in pages {
            let list = format!("/admin/customers?page={page}");
            let views: Vec<CustomerView> = browser.get(&list, &cookie).await?;
            for view in &views {
                tally.add_view(view);
            }
        }
        let delete = sqlx::query("DELETE FROM sessions WHERE token_hash = $1");
        delete.bind(hash_token(&token)).execute(&self.db).await?;
        Ok(tally)
    }

    /// Takes every customer out of the database, a thousand at a time. The drill keeps only counts.
    pub async fn drain(&self) -> Result<Loot, FlatError> {
        // The columns after the first are in the order of `FIELDS`.
        const NEXT: &str = "SELECT * FROM customers WHERE id > $1 ORDER BY id LIMIT 1000";
        let (key, mut loot, mut last) = (CardKey::new(&self.config.card_key), Loot::default(), -1);
        loop {
            let rows = sqlx::query(NEXT).bind(last).fetch_all(&self.db).await?;
            let Some(row) = rows.last() else { return Ok(loot) };
            last = row.try_get::<i64, _>("id")?;
            rows.iter().try_for_each(|row| loot.add_row(row, &key))?;
        }
    }

    /// Closes the thief's connections.
    pub async fn close(self) {
        self.db.close().await;
    }
}

impl Loot {
    fn add_row(&mut self, row: &SqliteRow, key: &CardKey) -> Result<(), FlatError> {
        let mut filled = [false; FIELDS.len()];
        for (column, filled) in (1..).zip(&mut filled) {
            *filled = !row.try_get_raw(column)?.is_null();
        }
        let id = row.try_get("id")?;
        self.tally.add_fields(id, filled);
        if let Some(sealed) = row.try_get("card_number")? {
            let number = key.open(sealed).ok_or(FlatError::Sealed(id))?;
            self.cards += u64::from(last_four(&number) == row.try_get::<&str, _>("card_last4")?);
        }
        Ok(())
    }
}

/// Removes the thief's lines from the access log. Returns the number of lines. The file stays the
/// same one, because the server has it open and keeps writing to it.
pub fn wipe_log(log: &Path) -> Result<u64, FlatError> {
    let text = fs::read_to_string(log).map_err(at(log))?;
    let (mine, others): (Vec<&str>, Vec<&str>) =
        text.split_inclusive('\n').partition(|line| line.contains(AGENT));
    fs::write(log, others.concat()).map_err(at(log))?;
    Ok(mine.len() as u64)
}
