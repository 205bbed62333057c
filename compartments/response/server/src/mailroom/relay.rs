//! The relays, and the order in which they take turns.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use cofferdam_mail::{Connection, Envelope, Outcome, Relay as RelayAddress};
use response_mailing::{Line, Relay};

/// The relays of the configuration. Connections are shared out by weight.
pub struct WeightedRelays {
    relays: Vec<RelayAddress>,
    /// The places of the relays in the order of their turns; each has as many turns as its weight.
    turns: Vec<usize>,
    next: AtomicUsize,
    /// The name in our greeting to relays.
    name: String,
}

impl WeightedRelays {
    /// Makes the turns of weighted relays; `None` if no relay has a weight.
    pub fn new(relays: Vec<RelayAddress>, weights: &[u32], name: String) -> Option<Self> {
        let turns = turns(weights);
        let next = AtomicUsize::new(0);
        (!turns.is_empty()).then_some(Self { relays, turns, next, name })
    }

    /// All relays, in the order of the configuration.
    pub fn all(&self) -> &[RelayAddress] {
        &self.relays
    }
}

#[async_trait]
impl Relay for WeightedRelays {
    async fn connect(&self) -> Result<Box<dyn Line>, String> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let relay = &self.relays[self.turns[turn % self.turns.len()]];
        match Connection::open(relay, &self.name).await {
            Ok(connection) => Ok(Box::new(RelayLine(connection))),
            Err(e) => Err(e.to_string()),
        }
    }
}

struct RelayLine(Connection);

#[async_trait]
impl Line for RelayLine {
    fn is_open(&self) -> bool {
        self.0.is_open()
    }

    async fn send(&mut self, envelope: &Envelope, message: &[u8]) -> Outcome {
        self.0.send(envelope, message).await
    }

    async fn close(self: Box<Self>) {
        self.0.close().await;
    }
}

/// The relays' places in the order of their turns. Each has as many turns as its weight, spread
/// evenly, so that even a few connections follow the weights.
fn turns(weights: &[u32]) -> Vec<usize> {
    let all: i64 = weights.iter().map(|weight| i64::from(*weight)).sum();
    let mut credit = vec![0; weights.len()];
    let mut turns = Vec::new();
    for _ in 0..all {
        for (credit, weight) in credit.iter_mut().zip(weights) {
            *credit += i64::from(*weight);
        }
        let Some(place) = (0..credit.len()).rev().max_by_key(|place| credit[*place]) else { break };
        credit[place] -= all;
        turns.push(place);
    }
    turns
}

#[cfg(test)]
mod tests {
    use super::turns;

    #[test]
    fn relays_take_turns_by_their_weights() {
        assert_eq!(turns(&[1, 1]), [0, 1]);
        assert_eq!(turns(&[4, 1]), [0, 0, 1, 0, 0]);
        assert_eq!(turns(&[0, 2, 1]), [1, 2, 1]);
        assert_eq!(turns(&[0]), [0; 0]);
        let many = turns(&[10, 1, 5]);
        let count = |place| many.iter().filter(|turn| **turn == place).count();
        assert_eq!((count(0), count(1), count(2)), (10, 1, 5));
    }
}
