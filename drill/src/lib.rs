//! The drill: a breach replayed on a fresh estate, from the theft to the last letter. Every finding
//! of the response is compared with the data that the thief really took.
//!
//! The drill has no private way in. It fills the estate through the calls of a shop that moves in,
//! and responds through `staff`. The thief's loot is written down as it arrives, so that the
//! exposure, which comes from the logs alone, can be checked field by field.
//!
//! May touch: a directory for the estate, a temporary one for the conventional shop, ports of
//! loopback, and the relay that it is told to use. Called by: the CLI.

mod at_accounts;
mod at_payments;
mod attempts;
mod breach;
mod cards;
mod contain;
mod error;
mod fill;
mod flat;
mod letters;
mod notice;
mod numbers;
mod options;
mod people;
mod place;
mod recorder;
mod replay;
mod report;
mod respond;
mod roll;
mod scenario;
mod scope_check;
mod secrecy;
mod size;
mod tally;
mod thief;
mod traffic;

pub use error::DrillError;
pub use flat::{FlatError, FlatReport};
pub use options::{Options, Scenario};
pub use recorder::Observer;
pub use replay::Drill;
pub use report::{
    AlarmReport, CardsReport, Check, DrillReport, ExposureReport, LettersReport, Loot,
    NoticeReport, Step, VoidReport,
};
