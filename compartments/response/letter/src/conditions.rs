//! The conditions on which claims rest, each computed from facts: the incident, the exposure, and
//! what holds now.

use std::collections::BTreeSet;

use cofferdam_core::{CallerName, Domain, Timestamp};
use response_api::{DoubtCause, Exposure, HostKind, Incident, People};

/// A fact about the incident or the response. Claims rest on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    /// Exactly one host fell.
    OneHostFell,
    /// The exposure rests on the release log of `keys`, not on brought access logs.
    OwnRecord,
    /// `keys` did not fall.
    KeysStand,
    /// `response`, the witness of the log, did not fall.
    WitnessStands,
    /// The mail relay did not fall.
    RelayStands,
    /// No log disagrees with its copy, or with what another compartment saw of it, neither at the
    /// scope nor now.
    LogAgrees,
    /// No doubt leaves open that something was read which the exposure does not show.
    NothingLeftOut,
    /// No doubt makes data count as read, or entries count as within the window.
    NothingAssumed,
    /// `payments` said how many cards there are.
    CardsCounted,
    /// `payments` is among the compartments that gave the hosts nothing.
    CardsUntouched,
    /// A field of a card was read or presented, or counts so.
    CardRead,
    /// No field of a card was.
    NoCardRead,
    /// Of somebody, everything that was read was read while they were signed in.
    SomeSignedIn,
    /// `keys` lists every fallen host as frozen now.
    AllFrozen,
    /// An order made void everybody's credentials of the window.
    AllVoided,
    /// Orders made void the credentials of the window of everybody exposed.
    ExposedVoided,
    /// The notice of the incident is published.
    NoticePublished,
    /// A letter to customers is planned.
    CustomersPlanned,
}

/// The present state of the response, as far as claims depend on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Current {
    /// The frozen callers, as `keys` lists them; `None` if it does not answer.
    pub frozen: Option<BTreeSet<CallerName>>,
    /// Whether a log disagrees with its copy, or with what another compartment saw of it.
    pub log_disagrees: bool,
    /// The orders over everybody's credentials.
    pub voided: Vec<VoidedAll>,
    /// The instants of the orders that together cover everybody exposed, each order at or after
    /// the end of the window. Empty if orders do not cover them all.
    pub exposed_voided: Vec<Timestamp>,
    /// Whether the notice of the incident is published.
    pub notice_published: bool,
    /// Whether a letter to customers is planned to its end.
    pub customers_planned: bool,
}

/// A void order over everybody that was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VoidedAll {
    /// Credentials set up to this instant are void.
    pub set_before: Timestamp,
    /// The number of customers with a void credential by the order.
    pub customers: u64,
}

/// The conditions that are met.
pub fn conditions(
    incident: &Incident,
    exposure: &Exposure,
    current: &Current,
) -> BTreeSet<Condition> {
    use Condition as C;
    let fell = |kind: HostKind| incident.fallen.iter().any(|of| of.kind == kind);
    let doubts = || exposure.doubts.iter().map(|doubt| &doubt.cause);
    let cards = exposure.fields.iter().filter(|(field, _)| field.domain() == Domain::Payments);
    let card_read = cards.map(|(_, of)| of.read + of.presented).sum::<u64>() > 0;
    let disagrees = |cause: &DoubtCause| {
        matches!(cause, DoubtCause::LogDisagrees { .. } | DoubtCause::LogRewritten { .. })
    };
    let disagreed = doubts().any(disagrees);
    let assumed = |cause: &DoubtCause| cause.counts_as_read() || cause.widens();
    // A doubt of an older exposure has only the flag.
    let flagged = exposure.doubts.iter().any(|doubt| doubt.counts_as_read);
    let counted = !doubts().any(|cause| matches!(cause, DoubtCause::CardsUnknown { .. }));
    [
        (C::OneHostFell, incident.fallen.len() == 1),
        (C::OwnRecord, incident.people == People::Accounts),
        (C::KeysStand, !fell(HostKind::Keys)),
        (C::WitnessStands, !fell(HostKind::Response)),
        (C::RelayStands, !fell(HostKind::Relay)),
        (C::LogAgrees, !current.log_disagrees && !disagreed),
        (C::NothingLeftOut, !doubts().any(DoubtCause::leaves_out)),
        (C::NothingAssumed, !flagged && !doubts().any(assumed)),
        (C::CardsCounted, counted),
        (C::CardsUntouched, exposure.untouched.iter().any(|of| of.domain == Domain::Payments)),
        (C::CardRead, card_read),
        (C::NoCardRead, !card_read),
        (C::SomeSignedIn, exposure.while_signed_in > 0),
        (C::AllFrozen, all_frozen(incident, current)),
        (C::AllVoided, everybody_voided(exposure, current).is_some()),
        (C::ExposedVoided, !current.exposed_voided.is_empty()),
        (C::NoticePublished, current.notice_published),
        (C::CustomersPlanned, current.customers_planned),
    ]
    .into_iter()
    .filter_map(|(condition, is_met)| is_met.then_some(condition))
    .collect()
}

/// The instant up to which passwords are void: everybody's if there is such an order, or else those
/// of the people exposed.
pub fn voided_until(exposure: &Exposure, current: &Current) -> Option<Timestamp> {
    let exposed = || current.exposed_voided.iter().min().copied();
    everybody_voided(exposure, current).or_else(exposed)
}

/// The latest instant of an order over everybody that covers the window. An order of an earlier
/// instant leaves passwords valid that were typed in the window, and one that voided nobody is
/// none.
fn everybody_voided(exposure: &Exposure, current: &Current) -> Option<Timestamp> {
    let covers = |of: &&VoidedAll| of.set_before >= exposure.until && of.customers > 0;
    current.voided.iter().filter(covers).map(|of| of.set_before).max()
}

/// Whether every fallen host is shut off. A host without a name of its own as a caller can't be
/// frozen: only the shop can shut it off.
fn all_frozen(incident: &Incident, current: &Current) -> bool {
    let Some(frozen) = &current.frozen else { return false };
    let is_shut = |of: &response_api::FallenHost| of.kind.is_caller() && frozen.contains(&of.host);
    !incident.fallen.is_empty() && incident.fallen.iter().all(is_shut)
}
