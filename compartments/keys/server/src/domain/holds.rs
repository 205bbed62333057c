//! The holds of incidents on callers. A caller is frozen while a hold on it is open.
//!
//! A hold that ended stays ended, whatever is read afterwards: instances and logs may be read in any
//! order, and no older one opens what a newer one ended, or the other way round.

use std::collections::BTreeMap;

use cofferdam_core::CallerName;
use keys_api::{Hold, HoldId, ThawOrder};

/// Every hold that was taken, open or ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holds(BTreeMap<CallerName, BTreeMap<HoldId, State>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    incident: u32,
    ended: bool,
}

/// The effect of an order to thaw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It ends this hold.
    Ends(Hold),
    /// The hold has ended already, by this order or by a newer freeze.
    Ended,
}

/// The order names a hold that the incident never had on the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("incident {incident} has no hold {hold} on this caller")]
pub struct NoSuchHold {
    incident: u32,
    hold: HoldId,
}

impl Holds {
    /// Takes a hold, which replaces earlier ones of the same incident.
    pub fn take(&mut self, caller: &CallerName, hold: Hold, replaces: &[HoldId]) {
        for replaced in replaces {
            self.end(caller, Hold { hold: *replaced, ..hold });
        }
        self.insert(caller, hold, false);
    }

    /// The open holds of an incident on a caller.
    #[must_use]
    pub fn of_incident(&self, caller: &CallerName, incident: u32) -> Vec<HoldId> {
        let of = self.of(caller).into_iter();
        of.filter(|of| of.incident == incident).map(|of| of.hold).collect()
    }

    /// Ends a hold for ever.
    pub fn end(&mut self, caller: &CallerName, hold: Hold) {
        self.insert(caller, hold, true);
    }

    /// Adds a hold as it was stored.
    pub fn insert(&mut self, caller: &CallerName, hold: Hold, ended: bool) {
        let held = self.0.entry(caller.clone()).or_default();
        let state = held.entry(hold.hold).or_insert(State { incident: hold.incident, ended });
        state.ended |= ended;
    }

    /// Reads a freeze or thaw from before holds were kept. All such freezes of a caller are one hold,
    /// which the last of them opens or ends.
    pub fn freeze_before(&mut self, caller: &CallerName, frozen: bool) {
        let state = State { incident: 0, ended: !frozen };
        self.0.entry(caller.clone()).or_default().insert(HoldId::BEFORE, state);
    }

    /// Whether a hold on the caller is open.
    #[must_use]
    pub fn is_frozen(&self, caller: &CallerName) -> bool {
        self.0.get(caller).is_some_and(|held| held.values().any(|state| !state.ended))
    }

    /// The open holds on a caller, in the order of the incidents.
    #[must_use]
    pub fn of(&self, caller: &CallerName) -> Vec<Hold> {
        let held = self.0.get(caller).into_iter().flatten();
        let open = held.filter(|(_, state)| !state.ended);
        let mut open: Vec<_> =
            open.map(|(hold, state)| Hold { incident: state.incident, hold: *hold }).collect();
        open.sort_by_key(|of| of.incident);
        open
    }

    /// The hold that an order ends: one of its own incident, or the one from before holds were kept.
    pub fn check(&self, order: &ThawOrder) -> Result<Ending, NoSuchHold> {
        let ThawOrder { incident, hold, .. } = *order;
        let state = self.0.get(&order.caller).and_then(|held| held.get(&hold));
        let own = |state: &&State| hold == HoldId::BEFORE || state.incident == incident;
        let state = state.filter(own).ok_or(NoSuchHold { incident, hold })?;
        let ends = Hold { incident: state.incident, hold };
        Ok(if state.ended { Ending::Ended } else { Ending::Ends(ends) })
    }

    /// Every hold, and whether it ended.
    pub fn all(&self) -> impl Iterator<Item = (&CallerName, Hold, bool)> {
        self.0.iter().flat_map(|(caller, held)| {
            held.iter().map(move |(hold, state)| {
                (caller, Hold { incident: state.incident, hold: *hold }, state.ended)
            })
        })
    }
}

#[cfg(test)]
mod tests;
