//! Mail: building messages, handing them to a relay over SMTP, and a sink that takes them in
//! during development and drills.
//!
//! May touch: sockets, and the sink's own directory. Knows no database and nobody's customers:
//! what it is given it sends, and no address of it stands in an error or a log line.
//! Called by: `accounts` (reset codes), `response` (letters), the CLI (the sink).

mod message;
pub mod sink;
mod smtp;

pub use message::{Mailbox, Message, MessageError};
pub use smtp::{Accepted, Connection, Envelope, Mailer, OpenError, Outcome, SendError};
