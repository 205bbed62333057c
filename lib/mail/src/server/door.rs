//! The connections of a mail server in their [`Room`], by the network that they come from.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cofferdam_core::{Hold, Room, RoomFull, RoomLimits, Ticket, network};
use tokio::sync::Notify;

use super::Rules;

type Connections = Room<IpAddr, Arc<Notify>>;

/// The room that all sessions share.
#[derive(Clone)]
pub struct Door(Arc<Mutex<Connections>>);

/// The place of one session. Dropping it makes the place free.
pub struct Place {
    door: Door,
    ticket: Ticket,
    closing: Arc<Notify>,
}

impl Door {
    pub fn new(rules: &Rules) -> Self {
        // The mail server in front is one network, and may use all of the room.
        let limits = RoomLimits {
            guests: rules.connections,
            guests_each: rules.connections,
            newest: rules.connections / 4,
            bytes: rules.arriving,
            bytes_each: rules.arriving,
        };
        Self(Arc::new(Mutex::new(Room::new(limits))))
    }

    /// Admits a client. Whoever has to go for it is told.
    pub fn enter(&self, peer: IpAddr) -> Result<Place, RoomFull> {
        let closing = Arc::new(Notify::new());
        let (ticket, gone) = self.lock().enter(network(peer), closing.clone())?;
        if let Some(gone) = gone {
            gone.notify_one();
        }
        Ok(Place { door: self.clone(), ticket, closing })
    }

    fn lock(&self) -> MutexGuard<'_, Connections> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Notes that the session waits for its client from now on.
    pub fn waits(&self) {
        self.door.lock().wait(self.ticket);
    }

    /// Notes that the session answers its client.
    pub fn works(&self) {
        self.door.lock().work(self.ticket);
    }

    /// Holds `bytes` of a text that is arriving. Whoever has to go for them is told.
    pub fn holds(&self, bytes: u64) -> Result<(), RoomFull> {
        loop {
            let held = self.door.lock().hold(self.ticket, bytes);
            match held {
                Hold::Held => return Ok(()),
                Hold::Closed(gone) => gone.notify_one(),
                Hold::Full => return Err(RoomFull),
            }
        }
    }

    /// Waits until the session has to go.
    pub async fn over(&self) {
        self.closing.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.door.lock().leave(self.ticket);
    }
}
