//! Sessions: opening one for a customer who was verified, and finding that of a token at the caller that
//! shows it.

use accounts_api::Session;
use cofferdam_core::{CallerName, Personal, Sha256, Timestamp};
use cofferdam_wire::Problem;
use jiff::SignedDuration;
use keys_api::{NewSession, Presence};

use crate::app::App;
use crate::domain::token;
use crate::sign_in::{Verified, refusal};
use crate::store::{KeptSession, is_session_taken};

/// The time for which a session is good.
const LIFETIME: SignedDuration = SignedDuration::from_hours(12);

/// What `keys` learns of the session of a token that is to be opened.
pub fn new_session(app: &App, token: &Personal) -> NewSession {
    let secret = Sha256::of(token::presence_secret(token).expose());
    let until = app.now().saturating_add(LIFETIME).unwrap_or(Timestamp::MAX);
    NewSession { secret, until }
}

/// Opens the session of a token, unless an order arrived since the customer was verified. The session is
/// stored only while the orders that it was held against are the newest, so the next revocation ends it
/// too. The token of a session that was opened before is refused, also after that session ended.
pub async fn open_session(
    app: &App,
    caller: CallerName,
    verified: Verified,
    token: Personal,
) -> Result<Session, Problem> {
    let mut orders = app.orders()?;
    let mut session = KeptSession {
        record: verified.record,
        group: app.groups.of(&caller),
        caller,
        ticket: verified.ticket,
        opened: Timestamp::MIN,
        expires: Timestamp::MIN,
    };
    let hash = token::session_hash(&token);
    loop {
        session.opened = app.now();
        session.expires = session.opened.saturating_add(LIFETIME).unwrap_or(Timestamp::MAX);
        app.check_frozen(&session.caller)?;
        if orders.voids(verified.record, verified.set_at) {
            return Err(refusal());
        }
        match app.store.insert_session(&hash, &session, orders.generation).await {
            Ok(true) => {
                let record = app.customer_numbers.number(session.record);
                return Ok(Session { record, token, expires: session.expires });
            }
            Ok(false) => orders = app.caught_up_orders().await?,
            Err(e) if is_session_taken(&e) => return Err(refusal()),
            Err(e) => return Err(e.into()),
        }
    }
}

/// The session with this token, as long as it is good for this caller. The refusal gives no reason,
/// so that a caller learns nothing about another caller's sessions.
pub async fn live_session(
    app: &App,
    caller: &CallerName,
    token: &Personal,
) -> Result<KeptSession, Problem> {
    let hash = token::session_hash(token);
    let found = app.store.session(&hash, caller).await?;
    let (orders, now, group) = (app.orders()?, app.now(), app.groups.of(caller));
    let good = |s: &KeptSession| {
        (s.caller == *caller || s.group == group)
            && now < s.expires
            && !orders.revokes(s.record, s.opened)
    };
    let Some((session, seen)) = found.filter(|(session, _)| good(session)) else {
        return Err(no_session());
    };
    if !seen {
        // `accounts` notes the place before it answers, so that a scope names everybody whose session a
        // fallen caller saw.
        app.store.note_place(&hash, caller, now).await?;
    }
    Ok(session)
}

/// The proof to `keys` that the customer of a session is signed in; `None` for a session from before
/// tickets.
pub fn presence(session: KeptSession, token: &Personal) -> Option<Presence> {
    let KeptSession { record, ticket, .. } = session;
    let secret = token::presence_secret(token);
    ticket.map(|ticket| Presence { record, ticket, secret })
}

/// The problem that a session is not good at a caller.
pub fn no_session() -> Problem {
    Problem::new(accounts_api::NO_SESSION, "sign in at this caller")
}
