//! The frozen callers, as every instance holds them.

use std::collections::BTreeSet;

use cofferdam_core::CallerName;
use cofferdam_store::{Db, ReadInForce, StoreError};

/// The callers that are frozen.
pub struct Frozen(pub BTreeSet<CallerName>);

impl ReadInForce for Frozen {
    type Context = ();

    async fn read(db: &Db, (): &()) -> Result<Self, StoreError> {
        Ok(Self(db.frozen_callers().await?))
    }
}
