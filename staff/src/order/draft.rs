//! Drafting orders that change `keys`.

use cofferdam_core::{Domain, Epoch, Timestamp};
use cofferdam_wire::Client;
use jiff::SignedDuration;
use keys_api::{EpochChange, EpochOrder, Policy, Signed};

use super::error::OrderError;
use super::file::{Order, OrderFile};
use crate::{StepError, keys};

/// How long an order may wait to be carried out.
const VALID: SignedDuration = SignedDuration::from_hours(24);

/// The order that puts `policy` into force, as the version after the one in force.
pub async fn next_policy(response: &Client, mut policy: Policy) -> Result<OrderFile, OrderError> {
    policy.version = keys::policy(response).await?.version + 1;
    policy.check()?;
    Ok(OrderFile { order: Order::Policy(Signed { order: policy, signatures: Vec::new() }) })
}

/// The order that makes a new master key for a domain, whose records may be re-sealed for
/// `reseal_hours`. With `break_glass`, the reason, one signature is enough.
pub async fn rotation(
    response: &Client,
    domain: Domain,
    reseal_hours: u32,
    break_glass: Option<String>,
    now: Timestamp,
) -> Result<OrderFile, OrderError> {
    let current = keys::current_epoch(response, domain).await?;
    let epoch = Epoch(current.0.checked_add(1).ok_or(StepError::LastEpoch)?);
    let reseal_until = now + SignedDuration::from_hours(reseal_hours.into());
    let change = EpochChange::Start { epoch, reseal_until };
    Ok(epoch_order(domain, change, break_glass, now))
}

/// The order that destroys the master key of an old epoch.
#[must_use]
pub fn retirement(domain: Domain, epoch: Epoch, now: Timestamp) -> OrderFile {
    epoch_order(domain, EpochChange::Retire { epoch }, None, now)
}

fn epoch_order(
    domain: Domain,
    change: EpochChange,
    break_glass: Option<String>,
    now: Timestamp,
) -> OrderFile {
    let order = EpochOrder { domain, change, until: now + VALID, break_glass };
    OrderFile { order: Order::Epoch(Signed { order, signatures: Vec::new() }) }
}
