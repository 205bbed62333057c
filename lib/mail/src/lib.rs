//! Mail: building messages, handing them to a relay over SMTP, taking in and understanding what
//! comes back, and a sink that takes messages in during development and drills.
//!
//! May touch: sockets, and the sink's own directory. Knows no database and nobody's customers:
//! what it is given it sends, and no address of it stands in an error or a log line.
//! Called by: `accounts` (reset codes), `response` (letters, and what comes back), the CLI (the
//! sink).

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
pub use returned::{Report, Returned, read_returned};
pub use smtp::{
    Accepted, Connection, Envelope, Mailer, OpenError, Outcome, Relay, RelayError, RelayTls,
    SendError,
};
