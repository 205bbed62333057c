//! Tickets: the word of `keys` that a customer signed in at a group of callers. A release under a grant
//! that asks for presence carries the ticket and the secret of the session.

use cofferdam_core::{CallerName, Record, Sha256, Timestamp, whole_milliseconds};
use jiff::SignedDuration;
use keys_api::{NewSession, Presence, PresenceTicket};
use subtle::ConstantTimeEq;

use super::derive::KeyRing;
use super::voids::Voids;

/// The longest time for which a ticket is good.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);

/// Everything that a ticket is bound to.
pub struct TicketTerms<'a> {
    /// The customer who signed in.
    pub record: Record,
    /// The group of callers at which the ticket is good.
    pub group: &'a CallerName,
    /// SHA-256 of the session's secret.
    pub secret: Sha256,
    /// The instant at which the ticket was given.
    pub given: Timestamp,
    /// The instant from which it is no longer good.
    pub until: Timestamp,
}

/// A customer who is not shown to be signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotPresent {
    /// The call carries no ticket.
    #[error("the call carries no ticket of a session")]
    NoTicket,
    /// The call asks for other records than the ticket's.
    #[error("the ticket is for another customer than the one asked for")]
    OtherRecord,
    /// `keys` gave no such ticket to this group for this secret.
    #[error("no such ticket was given for this caller's group and this session")]
    Foreign,
    /// The session is over.
    #[error("the ticket is over")]
    Over,
    /// A void order ended the session.
    #[error("a void order ended the session")]
    Void,
}

impl NotPresent {
    /// Whether it comes to pass without anybody's fault: people come back to a session that ended.
    pub const fn is_ordinary(self) -> bool {
        matches!(self, Self::Over | Self::Void)
    }
}

/// Gives a ticket for a session that begins at `now`, in whole milliseconds.
pub fn give(
    ring: &KeyRing,
    record: Record,
    group: &CallerName,
    session: &NewSession,
    now: Timestamp,
) -> PresenceTicket {
    let longest = now.saturating_add(LONGEST).unwrap_or(Timestamp::MAX);
    let (given, until) = (now, whole_milliseconds(session.until.min(longest)));
    let mac = ring.ticket(&TicketTerms { record, group, secret: session.secret, given, until });
    PresenceTicket { given, until, mac }
}

/// Checks that the customer of all of `records` is signed in at a group. Nobody can tell apart a ticket of
/// another group, of another customer, and an invented one.
pub fn check(
    ring: &KeyRing,
    presence: Option<&Presence>,
    records: impl IntoIterator<Item = Record>,
    group: &CallerName,
    (now, voids): (Timestamp, &Voids),
) -> Result<(), NotPresent> {
    let Presence { record, ticket, secret } = presence.ok_or(NotPresent::NoTicket)?;
    if records.into_iter().any(|asked| asked != *record) {
        return Err(NotPresent::OtherRecord);
    }
    let PresenceTicket { given, until, mac } = ticket;
    let (given, until) = (*given, *until);
    let secret = Sha256::of(secret.expose());
    let expected = ring.ticket(&TicketTerms { record: *record, group, secret, given, until });
    if !bool::from(expected.expose().ct_eq(mac.expose())) {
        return Err(NotPresent::Foreign);
    }
    if now >= until || now < given {
        return Err(NotPresent::Over);
    }
    if voids.end_session(*record, given) {
        return Err(NotPresent::Void);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
