//! The load of the pages on which customers set new passwords.

use accounts_api::ReadResetLoad;
use async_trait::async_trait;
use cofferdam_wire::Client;
use response_mailing::ResetLoad;

/// Asks `accounts` for the load.
pub struct AccountsLoad(pub Client);

#[async_trait]
impl ResetLoad for AccountsLoad {
    async fn busy_percent(&self) -> Option<u8> {
        match self.0.call(&ReadResetLoad {}).await {
            Ok(load) => Some(load.busy_percent),
            Err(e) => {
                tracing::warn!(cause = %e, "the load of the reset pages can't be read");
                None
            }
        }
    }
}
