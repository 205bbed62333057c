//! `POST /v1/contain/approve-void` and `/lower-budget`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::Domain;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{ApproveVoid, Event, LowerBudget};

use crate::app::{App, Parties};
use crate::store;

/// The longest reason, in characters.
const MAX_REASON: usize = 500;

/// Approves a void order: two signatures, or one and a reason that everybody hears.
pub async fn approve_void(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(call, encoding): Body<ApproveVoid>,
) -> Result<Answer<()>, Problem> {
    if !app.is_front(Domain::Accounts, &by) {
        return Err(app.refuse_grant(&by, "the approval of a void order".to_owned()).await);
    }
    app.check_thawed(&Parties { via: &by, caller: &by }).await?;
    let approvers = app.check_approved(&by, &call.order).await?;
    let (now, order) = (app.now().await, call.order.order);
    let event = Event::VoidApproved {
        incident: order.incident,
        set_before: order.set_before,
        approvers,
        break_glass: order.break_glass,
    };
    app.write(now, vec![event]).await?;
    Ok(Answer((), encoding))
}

/// Lowers a budget: logged first, so that none is lower without a trace.
pub async fn lower_budget(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(call, encoding): Body<LowerBudget>,
) -> Result<Answer<()>, Problem> {
    app.check_controller(&by, "lowering a budget").await?;
    let LowerBudget { caller, operation, budget, reason } = call;
    if reason.trim().is_empty() || reason.chars().count() > MAX_REASON {
        return Err(Problem::bad_request(format!("a reason has 1 to {MAX_REASON} characters")));
    }
    let Some(policy) = app.access().policy_budget(&caller, operation) else {
        return Err(Problem::not_found(format!("{caller} has no budget for {operation}")));
    };
    if budget.is_some_and(|budget| budget.min(policy) != budget) {
        let what = "no window may be above the policy's: raising a budget takes two people";
        return Err(Problem::bad_request(what));
    }
    let event = Event::BudgetLowered { caller: caller.clone(), operation, budget, by, reason };
    app.write(app.now().await, vec![event]).await?;
    let kept = store::set_lowered(&app.db, &caller, operation, budget.as_ref()).await;
    kept?;
    app.after_change().await?;
    Ok(Answer((), encoding))
}
