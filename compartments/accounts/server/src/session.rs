//! The session of a token, at the caller that shows the token.

use cofferdam_core::{CallerName, Personal};
use cofferdam_wire::Problem;

use crate::app::App;
use crate::domain::token;
use crate::store::KeptSession;

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

/// The problem that a session is not good at a caller.
pub fn no_session() -> Problem {
    Problem::new(accounts_api::NO_SESSION, "sign in at this caller")
}
