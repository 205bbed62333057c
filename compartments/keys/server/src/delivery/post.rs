//! Telling every place of every alarm, one after the other, until it has heard.

use std::sync::Arc;
use std::time::Duration;

use cofferdam_core::Clock;
use cofferdam_store::{Db, StoreError};

use super::{DeliveryError, Sink};
use crate::store;

/// How often the database is asked for alarms.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long to wait after a failure: the first, and at most.
const RETRY: (Duration, Duration) = (Duration::from_secs(2), Duration::from_mins(2));

/// The alarms of one place, in the order of their numbers. How far it is stands in the database,
/// and moves only when the place has heard: a restart tells again what may not have arrived.
pub struct Post {
    db: Db,
    clock: Arc<dyn Clock>,
    sink: Sink,
}

/// Why the place has not heard.
#[derive(Debug, thiserror::Error)]
enum PostError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Delivery(#[from] DeliveryError),
}

impl Post {
    /// Tells `sink` of the alarms in `db`.
    pub const fn new(db: Db, clock: Arc<dyn Clock>, sink: Sink) -> Self {
        Self { db, clock, sink }
    }

    /// Runs for as long as it is polled.
    pub async fn run(self) {
        let mut wait = RETRY.0;
        loop {
            let pause = match self.tell_all().await {
                Ok(()) => {
                    wait = RETRY.0;
                    LOOK_EVERY
                }
                Err(e) => {
                    tracing::error!(sink = self.sink.name(), cause = %e, "alarms wait");
                    let pause = wait;
                    wait = (wait * 2).min(RETRY.1);
                    pause
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    async fn tell_all(&self) -> Result<(), PostError> {
        loop {
            let upto = store::delivered_upto(&self.db, self.sink.name()).await?;
            let alarms = store::read_alarms(&self.db, upto).await?;
            if alarms.is_empty() {
                return Ok(());
            }
            for alarm in alarms {
                self.sink.deliver(&alarm, self.clock.now()).await?;
                store::set_delivered(&self.db, self.sink.name(), alarm.seq).await?;
            }
        }
    }
}
