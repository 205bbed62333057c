//! The connections of a listener in their [`Room`]: closing who has to go, and the time limits.

use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cofferdam_core::{Hold, Room, RoomFull, RoomLimits, Ticket};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

/// A room that the tasks of its connections share.
pub struct Hall<G> {
    name: &'static str,
    room: Arc<Mutex<Room<G, Arc<Notify>>>>,
}

/// The place of one connection in a hall. Dropping it makes the place free.
pub struct Seat<G: Clone + Eq + Hash> {
    hall: Hall<G>,
    ticket: Ticket,
    /// Told when the connection has to go.
    closing: Arc<Notify>,
    /// The time until which the connection may wait for its peer.
    deadline: watch::Sender<Option<Instant>>,
}

impl<G: Clone + Eq + Hash> Hall<G> {
    /// An empty hall. `name` stands in the metrics.
    pub fn new(name: &'static str, limits: RoomLimits) -> Self {
        Self { name, room: Arc::new(Mutex::new(Room::new(limits))) }
    }

    /// Admits a connection, which may wait for its peer for `limit`. Whoever has to go for it is
    /// closed.
    pub fn enter(&self, group: G, limit: Duration) -> Result<Seat<G>, RoomFull> {
        let closing = Arc::new(Notify::new());
        let entered = self.lock().enter(group, closing.clone());
        let (ticket, gone) = entered.inspect_err(|_| self.count("refused"))?;
        if let Some(gone) = gone {
            self.close(&gone);
        }
        let deadline = watch::Sender::new(Some(Instant::now() + limit));
        Ok(Seat { hall: self.clone(), ticket, closing, deadline })
    }

    fn close(&self, connection: &Notify) {
        connection.notify_one();
        self.count("made-room");
    }

    fn count(&self, why: &'static str) {
        let labels = [("room", self.name), ("why", why)];
        metrics::counter!("cofferdam_connections_closed_total", &labels).increment(1);
    }

    fn lock(&self) -> MutexGuard<'_, Room<G, Arc<Notify>>> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<G> Clone for Hall<G> {
    fn clone(&self) -> Self {
        Self { name: self.name, room: self.room.clone() }
    }
}

impl<G: Clone + Eq + Hash> Seat<G> {
    /// Notes that the connection waits for its peer from now on, and may do so for `limit`.
    pub fn waits(&self, limit: Duration) {
        self.hall.lock().wait(self.ticket);
        self.deadline.send_replace(Some(Instant::now() + limit));
    }

    /// Notes that the connection's request has arrived and is being answered.
    pub fn works(&self) {
        self.hall.lock().work(self.ticket);
        self.deadline.send_replace(None);
    }

    /// Holds `bytes` in all for bodies of the connection. Whoever has to go for them is closed.
    pub fn holds(&self, bytes: u64) -> Result<(), RoomFull> {
        loop {
            let held = self.hall.lock().hold(self.ticket, bytes);
            match held {
                Hold::Held => return Ok(()),
                Hold::Closed(gone) => self.hall.close(&gone),
                Hold::Full => return Err(RoomFull),
            }
        }
    }

    /// Waits until the connection has to be closed: for another one, or because its peer is late.
    pub async fn over(&self) {
        let mut deadline = self.deadline.subscribe();
        loop {
            let at = *deadline.borrow_and_update();
            let late = async {
                match at {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.closing.notified() => return,
                () = late => return self.hall.count("late"),
                // `self` holds the sender, so this completes with a new deadline only.
                _ = deadline.changed() => {}
            }
        }
    }
}

impl<G: Clone + Eq + Hash> Drop for Seat<G> {
    fn drop(&mut self) {
        self.hall.lock().leave(self.ticket);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: RoomLimits =
        RoomLimits { guests: 2, guests_each: 1, newest: 0, bytes: u64::MAX, bytes_each: u64::MAX };
    const LONG: Duration = Duration::from_hours(1);

    async fn is_over(seat: &Seat<char>) -> bool {
        tokio::time::timeout(Duration::from_millis(50), seat.over()).await.is_ok()
    }

    #[tokio::test]
    async fn a_peer_that_is_late_is_closed_and_a_request_in_hand_takes_its_time() {
        let seat = Hall::new("test", LIMITS).enter('a', LONG).unwrap();
        assert!(!is_over(&seat).await);
        seat.waits(Duration::ZERO);
        assert!(is_over(&seat).await);
        seat.works();
        assert!(!is_over(&seat).await);
        seat.waits(LONG);
        assert!(!is_over(&seat).await);
    }

    #[tokio::test]
    async fn whoever_has_to_go_is_told_and_a_dropped_seat_is_free() {
        let hall = Hall::new("test", LIMITS);
        let first = hall.enter('a', LONG).unwrap();
        let second = hall.enter('a', LONG).unwrap();
        assert!(is_over(&first).await);
        drop(first);
        second.works();
        assert!(hall.enter('a', LONG).is_err());
        drop(second);
        assert!(hall.enter('a', LONG).is_ok());
    }
}
