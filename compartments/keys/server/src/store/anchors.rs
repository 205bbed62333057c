//! The anchors of the journals of `response`.

use cofferdam_store::{Db, StoreError};
use keys_api::JournalHead;

/// The longest anchored state of a journal.
pub async fn journal_anchor(db: &Db, journal: u32) -> Result<Option<JournalHead>, StoreError> {
    let row: Option<(i64, String)> =
        sqlx::query_as("SELECT length, head FROM journal_anchor WHERE journal = $1")
            .bind(i64::from(journal))
            .fetch_optional(db.reader())
            .await?;
    let read = |(length, head): (i64, String)| {
        let corrupt = || StoreError::Corrupt(format!("the anchor of journal {journal}"));
        let length = u32::try_from(length).map_err(|_| corrupt())?;
        Ok(JournalHead { length, head: head.parse().map_err(|_| corrupt())? })
    };
    row.map(read).transpose()
}

/// Notes a longer state of a journal. The length never shrinks.
pub async fn raise_anchor(db: &Db, journal: u32, end: JournalHead) -> Result<(), StoreError> {
    const RAISE: &str = "INSERT INTO journal_anchor (journal, length, head) VALUES ($1, $2, $3)
         ON CONFLICT (journal) DO UPDATE SET length = excluded.length, head = excluded.head
         WHERE excluded.length > journal_anchor.length";
    sqlx::query(RAISE)
        .bind(i64::from(journal))
        .bind(i64::from(end.length))
        .bind(end.head.to_string())
        .execute(db.writer())
        .await?;
    Ok(())
}
