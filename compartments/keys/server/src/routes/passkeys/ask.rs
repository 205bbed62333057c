//! `POST /v1/passkeys/ask`: a challenge, which a passkey signs.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::{CallerName, Domain, FieldSet, Operation, whole_milliseconds};
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{AskPasskey, PasskeyChallenge};

use crate::app::{App, Parties};
use crate::domain::passkeys::{ChallengeTerms, challenge};

/// Makes a challenge for a caller that may have passwords and passkeys checked. A challenge opens nothing
/// and tells of nobody, so the log has no entry.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(via): Caller,
    Body(call, encoding): Body<AskPasskey>,
) -> Result<Answer<PasskeyChallenge>, Problem> {
    Ok(Answer(ask(&app, &via, &call).await?, encoding))
}

async fn ask(app: &App, via: &CallerName, call: &AskPasskey) -> Result<PasskeyChallenge, Problem> {
    let who = Parties { via, caller: &call.caller };
    app.check_parties(&who, Domain::Accounts).await?;
    app.check_grant(&who, Domain::Accounts, Operation::Harden, FieldSet::EMPTY).await?;
    let at = whole_milliseconds(app.now().await);
    let access = app.shared.access();
    let group = access.policy.group(&call.caller);
    let terms = ChallengeTerms { at, session: call.session, group };
    Ok(challenge(&app.shared.ring(), &terms))
}
