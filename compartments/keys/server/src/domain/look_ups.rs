//! Look-ups that wait for the note of whom they found.

use std::collections::BTreeMap;

use cofferdam_core::{CallerName, Timestamp};
use jiff::SignedDuration;
use keys_api::{Event, Ticket};

/// The time after which a look-up without a note counts as unanswered. A compartment notes within
/// the request that looked up.
const WAIT: SignedDuration = SignedDuration::from_secs(60);

/// A look-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sought {
    /// The caller whom the compartment served.
    pub caller: CallerName,
    /// The compartment that asked.
    pub via: CallerName,
    /// The number of addresses.
    pub count: u32,
    /// The time of the look-up.
    pub at: Timestamp,
}

/// The look-ups without a note, by their tickets.
#[derive(Debug, Default)]
pub struct LookUps(BTreeMap<Ticket, Sought>);

impl LookUps {
    /// Continues with the look-ups that the log recalls.
    pub const fn new(sought: BTreeMap<Ticket, Sought>) -> Self {
        Self(sought)
    }

    /// Notes a look-up.
    pub fn begin(&mut self, ticket: Ticket, sought: Sought) {
        self.0.insert(ticket, sought);
    }

    /// Notes that a look-up was answered, or that the log tells that it was not.
    pub fn end(&mut self, ticket: Ticket) {
        self.0.remove(&ticket);
    }

    /// The look-ups that waited too long, each with the event for the log. The caller ends them
    /// once the log has the events.
    pub fn unanswered(&self, now: Timestamp) -> Vec<(Ticket, Event)> {
        let late = self.0.iter().filter(|(_, of)| now.duration_since(of.at) >= WAIT);
        let event = |(ticket, of): (&Ticket, &Sought)| {
            let Sought { caller, via, count, at } = of.clone();
            (*ticket, Event::Unanswered { caller, via, count, ticket: *ticket, sought: at })
        };
        late.map(event).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_up_without_a_note_is_told_after_a_minute() {
        let at: Timestamp = "2012-01-15T04:00:00Z".parse().unwrap();
        let sought = |count| Sought {
            caller: "web-1".parse().unwrap(),
            via: "accounts".parse().unwrap(),
            count,
            at,
        };
        let mut look_ups = LookUps::new([(Ticket(7), sought(1))].into());
        look_ups.begin(Ticket(8), sought(2));
        look_ups.end(Ticket(7));
        assert_eq!(look_ups.unanswered(at + SignedDuration::from_secs(59)), []);
        let late = look_ups.unanswered(at + WAIT);
        let [(Ticket(8), Event::Unanswered { count: 2, ticket, sought, .. })] = late.as_slice()
        else {
            panic!("{late:?}");
        };
        assert_eq!((*sought, *ticket), (at, Ticket(8)));
        look_ups.end(*ticket);
        assert_eq!(look_ups.unanswered(at + WAIT), []);
    }
}
