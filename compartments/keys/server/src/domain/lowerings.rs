//! Budgets below the policy's. The lowest of those that have not ended is in force.
//!
//! A lowering that ended stays ended, whatever is read afterwards: logs and databases may be read in any
//! order, and no older one gives a budget back.

use std::collections::BTreeMap;

use cofferdam_core::{CallerName, Operation};
use keys_api::{Budget, Lowering, LoweringId, RestoreOrder};

/// Every lowering of a budget, open or ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lowerings(BTreeMap<CallerName, BTreeMap<(Operation, LoweringId), State>>);

/// A lowering's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The budget is in force.
    Open(Budget),
    /// The lowering ended: an approver gave the budget back, or a later lowering took its place.
    Ended,
}

/// The order names a lowering that there never was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this budget of the caller was not lowered as {0}")]
pub struct NoSuchLowering(LoweringId);

impl Lowerings {
    /// Lowers a budget, in place of earlier lowerings.
    pub fn take(
        &mut self,
        caller: &CallerName,
        operation: Operation,
        (lowering, budget): (LoweringId, Budget),
        replaces: &[LoweringId],
    ) {
        for replaced in replaces {
            self.insert(caller, operation, *replaced, State::Ended);
        }
        self.insert(caller, operation, lowering, State::Open(budget));
    }

    /// Adds a lowering as it was stored.
    pub fn insert(
        &mut self,
        caller: &CallerName,
        operation: Operation,
        lowering: LoweringId,
        state: State,
    ) {
        let known = self.0.entry(caller.clone()).or_default();
        let known = known.entry((operation, lowering)).or_insert(state);
        if state == State::Ended {
            *known = State::Ended;
        }
    }

    /// Reads an entry from before lowerings had numbers. The last such entry of a log counts. One that
    /// gave the budget back counts for this log only: another one may have lowered it again.
    pub fn lower_before(
        &mut self,
        caller: &CallerName,
        operation: Operation,
        budget: Option<Budget>,
    ) {
        let known = self.0.entry(caller.clone()).or_default();
        match budget {
            Some(budget) => known.insert((operation, LoweringId::BEFORE), State::Open(budget)),
            None => known.remove(&(operation, LoweringId::BEFORE)),
        };
    }

    /// The open lowerings of a caller's budgets.
    #[must_use]
    pub fn of(&self, caller: &CallerName) -> Vec<Lowering> {
        let open = |(key, state): (&(Operation, LoweringId), &State)| match state {
            State::Open(_) => Some(Lowering { operation: key.0, lowering: key.1 }),
            State::Ended => None,
        };
        self.0.get(caller).into_iter().flatten().filter_map(open).collect()
    }

    /// The lowest budget that a lowering left, if one is open.
    #[must_use]
    pub fn budget(&self, caller: &CallerName, operation: Operation) -> Option<Budget> {
        let of_caller = self.0.get(caller).into_iter().flatten();
        let open = of_caller.filter_map(|((of, _), state)| match state {
            State::Open(budget) if *of == operation => Some(*budget),
            _ => None,
        });
        open.reduce(Budget::min)
    }

    /// Whether the lowering that an order ends is still open.
    pub fn check(&self, order: &RestoreOrder) -> Result<bool, NoSuchLowering> {
        let known = self.0.get(&order.caller);
        let state = known.and_then(|of| of.get(&(order.operation, order.lowering)));
        let state = state.ok_or(NoSuchLowering(order.lowering))?;
        Ok(*state != State::Ended)
    }

    /// All lowerings, by caller and operation, with their states.
    pub fn all(&self) -> impl Iterator<Item = (&CallerName, Operation, LoweringId, State)> {
        self.0.iter().flat_map(|(caller, of)| {
            of.iter()
                .map(move |((operation, lowering), state)| (caller, *operation, *lowering, *state))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RELEASE: Operation = Operation::Release;

    fn web() -> CallerName {
        "web-1".parse().unwrap()
    }

    fn budget(minute: u64, day: u64) -> Budget {
        Budget { minute, hour: day, day, burst: 0 }
    }

    fn order(lowering: u64) -> RestoreOrder {
        RestoreOrder {
            caller: web(),
            operation: RELEASE,
            lowering: LoweringId(lowering),
            until: "2012-01-15T05:00:00Z".parse().unwrap(),
            reason: "it was rebuilt".parse().unwrap(),
        }
    }

    fn take(lowerings: &mut Lowerings, id: u64, budget: Budget, replaces: &[LoweringId]) {
        lowerings.take(&web(), RELEASE, (LoweringId(id), budget), replaces);
    }

    #[test]
    fn the_lowest_budget_that_has_not_ended_is_in_force() {
        let mut lowerings = Lowerings::default();
        assert_eq!(lowerings.budget(&web(), RELEASE), None);
        take(&mut lowerings, 1, budget(5, 100), &[]);
        take(&mut lowerings, 2, budget(9, 50), &[]);
        assert_eq!(lowerings.budget(&web(), RELEASE), Some(budget(5, 50)));
        assert_eq!(lowerings.budget(&web(), Operation::Seal), None);
        lowerings.insert(&web(), RELEASE, LoweringId(2), State::Ended);
        assert_eq!(lowerings.budget(&web(), RELEASE), Some(budget(5, 100)));
        take(&mut lowerings, 3, budget(1, 1), &[LoweringId(1)]);
        let open = [Lowering { operation: RELEASE, lowering: LoweringId(3) }];
        assert_eq!(lowerings.of(&web()), open);
    }

    /// The entries of two logs come in any order.
    #[test]
    fn a_lowering_that_ended_stays_ended_and_an_order_ends_no_later_one() {
        let mut lowerings = Lowerings::default();
        lowerings.insert(&web(), RELEASE, LoweringId(1), State::Ended);
        take(&mut lowerings, 1, budget(5, 100), &[]);
        assert_eq!(lowerings.budget(&web(), RELEASE), None);
        assert_eq!(lowerings.check(&order(1)), Ok(false));
        assert_eq!(lowerings.check(&order(2)), Err(NoSuchLowering(LoweringId(2))));
        take(&mut lowerings, 2, budget(5, 100), &[]);
        assert_eq!(lowerings.check(&order(2)), Ok(true));
        assert_eq!(lowerings.check(&order(1)), Ok(false), "an old order");
    }

    #[test]
    fn of_the_entries_without_numbers_the_last_counts() {
        let mut lowerings = Lowerings::default();
        for (given, in_force) in [
            (Some(budget(5, 100)), Some(budget(5, 100))),
            (Some(budget(9, 90)), Some(budget(9, 90))),
            (None, None),
            (Some(budget(1, 1)), Some(budget(1, 1))),
        ] {
            lowerings.lower_before(&web(), RELEASE, given);
            assert_eq!(lowerings.budget(&web(), RELEASE), in_force);
        }
        lowerings.lower_before(&web(), RELEASE, None);
        assert_eq!(lowerings.all().count(), 0, "an older database keeps what it has");
    }
}
