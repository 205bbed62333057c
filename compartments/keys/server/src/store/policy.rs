//! Policies.

use cofferdam_store::{Db, StoreError};
use keys_api::{Policy, Signed};

/// The policy in force.
pub async fn newest_policy(db: &Db) -> Result<Option<Signed<Policy>>, StoreError> {
    let newest = "SELECT signed FROM policy ORDER BY version DESC LIMIT 1";
    let signed: Option<String> = sqlx::query_scalar(newest).fetch_optional(db.reader()).await?;
    let read = |signed: String| serde_json::from_str(&signed);
    signed.map(read).transpose().map_err(|e| StoreError::Corrupt(format!("policy: {e}")))
}

/// Puts a policy in force; `false` if there is one of its version.
pub async fn insert_policy(db: &Db, policy: &Signed<Policy>) -> Result<bool, StoreError> {
    let signed =
        serde_json::to_string(policy).map_err(|e| StoreError::Corrupt(format!("policy: {e}")))?;
    let mut change = db.begin_shared_change().await?;
    let added = sqlx::query(
        "INSERT INTO policy (version, signed) VALUES ($1, $2) ON CONFLICT (version) DO NOTHING",
    )
    .bind(policy.order.version.cast_signed())
    .bind(signed)
    .execute(&mut *change.tx)
    .await?;
    change.commit().await?;
    Ok(added.rows_affected() == 1)
}
