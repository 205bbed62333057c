//! The types that all compartments share: numbers and names, fields, time, randomness, sealed
//! fields, problems, and types that keep secrets and personal data out of logs.
//!
//! May touch: the machine's clock and the operating system's random numbers, and only behind
//! [`Clock`] and [`Rng`], so that tests can replace both. No files, no sockets, no database.
//! Called by: every other crate of the workspace.

mod access;
mod call;
mod checkpoint;
mod clock;
mod compartment;
mod field;
mod freeze;
mod ids;
mod journal;
mod locale;
mod passkey;
mod problem;
mod reason;
mod redact;
mod reseal;
mod revoke;
mod rng;
mod room;
mod seal;
mod state;
mod touch;
mod warrant;

pub use access::{Access, BroughtPerson, Whose};
pub use call::Call;
pub use checkpoint::{ListCheckpoints, SeenCheckpoint};
pub use clock::{Clock, MockClock, SystemClock, whole_milliseconds};
pub use compartment::Compartment;
pub use field::{Domain, Field, FieldSet, Operation, UnknownField};
pub use freeze::{BadFreeze, FREEZE_NOT_HELD, FreezeCaller, NO_SUCH_CALLER, STILL_HELD};
pub use ids::{BadName, CallerName, CustomerNumber, Epoch, Record};
pub use journal::JournalHead;
pub use locale::{BadLocale, Country, Language, Region};
pub use passkey::{
    Assertion, BadRelyingParty, Base64Url, NewPasskey, PasskeyAlgorithm, RelyingParty,
};
pub use problem::{InternalError, ProblemType};
pub use reason::{BadReason, Reason};
pub use redact::{KeyBytes, Personal};
pub use reseal::Reseal;
pub use revoke::{AddRevokedKey, BadChain, CertificateChain, NO_NEWER_KEY};
pub use rng::{Rng, SeededRng, SystemRng};
pub use room::{Hold, Room, RoomFull, RoomLimits, Ticket, network};
pub use seal::{FieldKey, OpenError, SealedAs};
pub use state::StateId;
pub use touch::{EntrySummary, SummarizeEntry, Touch};
pub use warrant::{BadSha256, Sha256, WarrantSubject};

pub use jiff::Timestamp;
