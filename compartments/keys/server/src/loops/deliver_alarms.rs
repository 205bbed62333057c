//! Delivers every alarm to one sink, one after the other, each until the sink has it.

use std::sync::Arc;
use std::time::Duration;

use cofferdam_core::Clock;
use cofferdam_store::{Db, StoreError};

use crate::delivery::{DeliveryError, Sink};
use crate::store;

/// The time between two reads of the database.
const READ_EVERY: Duration = Duration::from_secs(1);
/// The first pause after a failure, and the longest.
const RETRY: (Duration, Duration) = (Duration::from_secs(2), Duration::from_mins(2));

/// The delivery of alarms to one sink, in the order of their numbers. The database notes the last
/// delivered alarm only after the sink has it: after a restart, an alarm that may not have arrived
/// is delivered again.
pub struct AlarmDelivery {
    db: Db,
    clock: Arc<dyn Clock>,
    sink: Sink,
}

/// An alarm that the sink does not have.
#[derive(Debug, thiserror::Error)]
enum NotTold {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Delivery(#[from] DeliveryError),
}

impl AlarmDelivery {
    /// Makes the delivery of the alarms in `db` to `sink`.
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
                    READ_EVERY
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

    async fn tell_all(&self) -> Result<(), NotTold> {
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
