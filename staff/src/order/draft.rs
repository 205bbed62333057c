//! Drafting orders.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cofferdam_core::{Domain, Epoch, Rng, Timestamp};
use cofferdam_wire::Client;
use jiff::SignedDuration;
use keys_api::{EpochChange, EpochOrder, Policy, Signed, VoidOrder};
use response_api::{DraftLetter, DraftPaperPost, DraftVoidOrder, IncidentId, LetterId};
use roaring::RoaringBitmap;

use super::error::OrderError;
use super::file::{Order, OrderFile};
use super::letter::LetterOrder;
use super::void_set::{VoidSetOrder, set_of};
use crate::step::call;
use crate::warrant::draw_up;
use crate::{StepError, keys};

/// The time within which an order must be carried out.
const VALID: SignedDuration = SignedDuration::from_hours(24);

/// Drafts the order that puts `policy` into force, as the version after the one in force.
pub async fn next_policy(response: &Client, mut policy: Policy) -> Result<OrderFile, OrderError> {
    policy.version = keys::policy(response).await?.version + 1;
    policy.check()?;
    Ok(OrderFile { order: Order::Policy(Signed { order: policy, signatures: Vec::new() }) })
}

/// Drafts the order that makes a new master key for a domain and gives `reseal_hours` for
/// re-sealing its records. With `break_glass`, which holds the reason, one signature is enough.
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

/// Drafts the order that destroys the master key of an old epoch.
#[must_use]
pub fn retirement(domain: Domain, epoch: Epoch, now: Timestamp) -> OrderFile {
    epoch_order(domain, EpochChange::Retire { epoch }, None, now)
}

/// Drafts the order that voids all credentials set up to `set_before`, and ends every session. With
/// `break_glass`, which holds the reason, one signature is enough.
#[must_use]
pub fn void_everybody(
    incident: IncidentId,
    set_before: Timestamp,
    break_glass: Option<String>,
    now: Timestamp,
) -> OrderFile {
    let (incident, customers) = (incident.0, None);
    let order = VoidOrder { incident, set_before, until: now + VALID, break_glass, customers };
    OrderFile { order: Order::Void(Signed { order, signatures: Vec::new() }) }
}

/// Drafts the order that voids the credentials of a set of customers that were set up to `set_before`,
/// and ends their sessions. The set goes with it.
pub fn void_set(
    incident: IncidentId,
    records: &RoaringBitmap,
    set_before: Timestamp,
    break_glass: Option<String>,
    now: Timestamp,
) -> Result<OrderFile, OrderError> {
    let (incident, customers) = (incident.0, Some(set_of(records)));
    let order = VoidOrder { incident, set_before, until: now + VALID, break_glass, customers };
    let mut roaring = Vec::with_capacity(records.serialized_size());
    records.serialize_into(&mut roaring).map_err(OrderError::Customers)?;
    let void = Signed { order, signatures: Vec::new() };
    let roaring = STANDARD.encode(roaring);
    Ok(OrderFile { order: Order::VoidSet(VoidSetOrder { void, roaring }) })
}

/// Reads everybody with a field read or presented, by the exposure that was computed last.
pub async fn exposed_customers(
    response: &Client,
    incident: IncidentId,
) -> Result<RoaringBitmap, OrderError> {
    let exposed = call(response, &DraftVoidOrder { incident }).await?;
    let other = |e| OrderError::Customers(io::Error::new(io::ErrorKind::InvalidData, e));
    let bytes = STANDARD.decode(exposed.roaring).map_err(other)?;
    RoaringBitmap::deserialize_from(bytes.as_slice()).map_err(OrderError::Customers)
}

/// Drafts the order that approves a letter as it would be written now. The texts go with it.
pub async fn letter(
    response: &Client,
    letter: LetterId,
    now: Timestamp,
    rng: &dyn Rng,
) -> Result<OrderFile, OrderError> {
    let draft = call(response, &DraftLetter { letter }).await?;
    let warrant = draw_up(draft.warrant, now, rng);
    Ok(OrderFile { order: Order::Letter(LetterOrder { warrant, body: draft.body }) })
}

/// Drafts the order that opens the postal addresses of people whom a letter did not reach.
pub async fn paper_post(
    response: &Client,
    letter: LetterId,
    now: Timestamp,
    rng: &dyn Rng,
) -> Result<OrderFile, OrderError> {
    let terms = call(response, &DraftPaperPost { letter }).await?;
    Ok(OrderFile { order: Order::Warrant(draw_up(terms, now, rng)) })
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
