//! The loops, which run by themselves beside the requests.

mod deliver_alarms;
mod follow_orders;
mod upkeep;
mod watch_disks;
mod watch_door;
mod watch_log;

pub use deliver_alarms::AlarmDelivery;
pub use follow_orders::follow_orders;
pub use upkeep::keep_up;
pub use watch_disks::{search_database, watch_disks};
pub use watch_door::watch_door;
pub use watch_log::watch_log;
