//! Mail: builds and signs messages, hands them to a relay over SMTP, receives and parses returned
//! mail, checks how receivers see the sending domain, and runs a mail sink for development and
//! drills.
//!
//! May touch: sockets and the sink's own directory. Knows no database and no customer. No
//! recipient's address appears in an error or a log line. Called by: `accounts` for reset codes,
//! `response` for letters and returned mail, and the CLI for the sink and relay logs.

mod dkim;
mod intake;
mod message;
mod outside;
mod relay_log;
mod returned;
mod server;
pub mod sink;
mod smtp;

pub use dkim::{DkimAlgorithm, DkimError, DkimKey, generate as generate_dkim_key, signed};
pub use intake::{MAX_RETURNED, TakeError, Taker, serve_intake};
pub use message::{CODE, Fill, Form, Head, Mailbox, Message, MessageError, NAME};
pub use outside::{Check, Outside, ResolverError, Setup, VerifyError};
pub use relay_log::{RelayLog, RelayLogLine};
pub use returned::{BounceReason, Report, Returned, read_returned};
pub use smtp::{
    Accepted, Connection, Envelope, Mailer, OpenError, Outcome, Relay, RelayError, RelayTls,
    SendError,
};
