//! The groups of callers that share sessions, as the policy of `keys` has them.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use cofferdam_core::CallerName;
use cofferdam_wire::Client;
use keys_api::ListGroups;

/// The time between two looks: a changed policy holds within a second.
const EVERY: Duration = Duration::from_millis(500);

/// The groups, as they were last read. A caller that is not known to be in one is a group of its own.
#[derive(Debug, Clone, Default)]
pub struct Groups(Arc<RwLock<BTreeMap<CallerName, CallerName>>>);

impl Groups {
    /// The group of a caller.
    #[must_use]
    pub fn of(&self, caller: &CallerName) -> CallerName {
        let groups = self.0.read().unwrap_or_else(PoisonError::into_inner);
        groups.get(caller).unwrap_or(caller).clone()
    }

    /// Reads the groups again every half second, for as long as the future is polled. While `keys` does
    /// not answer, the known ones stay: `keys` itself checks the group at each release.
    pub async fn follow(self, keys: Client) {
        loop {
            if let Ok(groups) = keys.call(&ListGroups {}).await {
                *self.0.write().unwrap_or_else(PoisonError::into_inner) = groups;
            }
            tokio::time::sleep(EVERY).await;
        }
    }
}
