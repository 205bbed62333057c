//! `POST /v1/states/accept`: staff go on with a state that is not the newest.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{AcceptState, AcceptedState, AlarmKind, Event};

use crate::app::App;
use crate::store;

/// Makes the state the newest of its domain, and logs the record numbers that it does not know.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(via): Caller,
    Body(call, encoding): Body<AcceptState>,
) -> Result<Answer<AcceptedState>, Problem> {
    let AcceptState { domain, state, beat, numbers } = call;
    app.check_front(&via, domain).await?;
    let given = app.numbers.given(domain).await?.max(numbers);
    let now = app.now().await;
    let lost = Some([numbers, given]);
    let event = Event::StateOpened { domain, via: via.clone(), state, lost };
    app.write(now, vec![event]).await?;
    app.numbers.note(domain, given);
    store::set_state(&app.db, domain, state, beat).await?;
    let detail = format!(
        "staff accepted another database of {via}: {} record numbers are lost",
        given - numbers
    );
    app.alarms.ring(now, AlarmKind::State, Some(&via), detail).await;
    Ok(Answer(AcceptedState { numbers: given }, encoding))
}
