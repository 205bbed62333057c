//! Room for connections: who is admitted when many want in, and who goes.
//!
//! Every connection belongs to a group, such as the network or the caller that it comes from. The
//! rules keep any number of connections of some groups from shutting another group out:
//!
//! - A group has at most its share. The next of its connections takes the place of its own oldest.
//! - If the room is full, the oldest connection of the group with the most goes. A group never takes
//!   a place from a group that has no more than itself.
//! - In a room that strangers enter, the newest connections stay, whatever their group. Otherwise a
//!   client that shares its network with strangers would lose its place to them before it has said
//!   who it is. Of the others, the oldest connection of the group with the most goes.
//! - Only a connection that waits for its peer goes. One whose request is being answered stays.
//!
//! Memory for bodies is shared out by the same rules.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The size of a room.
#[derive(Debug, Clone, Copy)]
pub struct RoomLimits {
    /// The most connections.
    pub guests: usize,
    /// The most connections of one group.
    pub guests_each: usize,
    /// The number of the newest connections, which stay while others can go.
    pub newest: usize,
    /// The most bytes of bodies that are held at once.
    pub bytes: u64,
    /// The most bytes that are held for one group at once.
    pub bytes_each: u64,
}

/// The number of a connection in its room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

/// There is no room, and nobody can be closed to make some.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no room")]
pub struct RoomFull;

/// Whether a connection may hold its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold<H> {
    /// It holds them.
    Held,
    /// This connection has left the room, and has to be closed. Ask again.
    Closed(H),
    /// There is no room, and the connection holds what it held before.
    Full,
}

/// A room for connections of groups `G`. A handle `H` lets the owner of the room close a connection
/// that had to go.
#[derive(Debug)]
pub struct Room<G, H> {
    limits: RoomLimits,
    guests: BTreeMap<Ticket, Guest<G, H>>,
    shares: HashMap<G, Share>,
    /// Counts what happens in the room, as the time by which the oldest is found.
    ticks: u64,
}

#[derive(Debug)]
struct Guest<G, H> {
    group: G,
    handle: H,
    /// The tick since which the connection waits for its peer, if it does.
    waits_since: Option<u64>,
    bytes: u64,
}

/// What a group has of the room.
#[derive(Debug, Default, Clone, Copy)]
struct Share {
    guests: usize,
    bytes: u64,
}

impl<G: Clone + Eq + Hash, H> Room<G, H> {
    /// An empty room.
    #[must_use]
    pub fn new(limits: RoomLimits) -> Self {
        Self { limits, guests: BTreeMap::new(), shares: HashMap::new(), ticks: 0 }
    }

    /// Admits a connection, which waits for its peer. Returns the handle of the connection that has
    /// to be closed for it, if any. That one has left the room.
    pub fn enter(&mut self, group: G, handle: H) -> Result<(Ticket, Option<H>), RoomFull> {
        let closed = if self.share(&group).guests >= self.limits.guests_each {
            let own = |of: &Guest<G, H>| of.group == group;
            let oldest = || self.oldest(|_, of| own(of));
            Some(self.oldest_but_newest(own).or_else(oldest).ok_or(RoomFull)?)
        } else if self.guests.len() >= self.limits.guests {
            let most = || self.oldest_of_most(&group, |share| share.guests as u64, |_, _| true);
            Some(self.oldest_but_newest(|_| true).or_else(most).ok_or(RoomFull)?)
        } else {
            None
        };
        let closed = closed.and_then(|ticket| self.leave(ticket));
        let since = self.tick();
        let ticket = Ticket(since);
        self.shares.entry(group.clone()).or_default().guests += 1;
        self.guests.insert(ticket, Guest { group, handle, waits_since: Some(since), bytes: 0 });
        Ok((ticket, closed))
    }

    /// Notes that the connection waits for its peer from now on: for a request, for the rest of one,
    /// or until the peer has read the answer.
    pub fn wait(&mut self, ticket: Ticket) {
        let now = self.tick();
        if let Some(guest) = self.guests.get_mut(&ticket) {
            guest.waits_since = Some(now);
        }
    }

    /// Notes that the connection's request is being answered.
    pub fn work(&mut self, ticket: Ticket) {
        if let Some(guest) = self.guests.get_mut(&ticket) {
            guest.waits_since = None;
        }
    }

    /// Holds `bytes` in all for a connection, instead of what it held before.
    pub fn hold(&mut self, ticket: Ticket, bytes: u64) -> Hold<H> {
        // A connection that had to go holds nothing more.
        let Some(guest) = self.guests.get(&ticket) else { return Hold::Full };
        let (group, more) = (guest.group.clone(), bytes.saturating_sub(guest.bytes));
        let another = |at: Ticket, of: &Guest<G, H>| at != ticket && of.bytes > 0;
        let too_many = |held: u64, limit| more > 0 && held.saturating_add(more) > limit;
        let closed = if too_many(self.share(&group).bytes, self.limits.bytes_each) {
            self.oldest(|at, of| of.group == group && another(at, of))
        } else if too_many(self.shares.values().map(|share| share.bytes).sum(), self.limits.bytes) {
            self.oldest_of_most(&group, |share| share.bytes, another)
        } else {
            self.set_bytes(ticket, bytes);
            return Hold::Held;
        };
        closed.and_then(|ticket| self.leave(ticket)).map_or(Hold::Full, Hold::Closed)
    }

    /// Takes a connection out of the room. Returns its handle, unless it had left before.
    pub fn leave(&mut self, ticket: Ticket) -> Option<H> {
        let guest = self.guests.remove(&ticket)?;
        if let Some(share) = self.shares.get_mut(&guest.group) {
            share.guests -= 1;
            share.bytes -= guest.bytes;
            if share.guests == 0 {
                self.shares.remove(&guest.group);
            }
        }
        Some(guest.handle)
    }

    /// The connection that waits longest, of those that `may` go.
    fn oldest(&self, may: impl Fn(Ticket, &Guest<G, H>) -> bool) -> Option<Ticket> {
        let waiting = self.guests.iter().filter(|(_, of)| of.waits_since.is_some());
        let mine = waiting.filter(|(at, of)| may(**at, of));
        mine.min_by_key(|(_, of)| of.waits_since).map(|(at, _)| *at)
    }

    /// The connection that waits longest, of the group with the most among those that `may` go and
    /// are not the newest. None if the room lets the newest go like others.
    fn oldest_but_newest(&self, may: impl Fn(&Guest<G, H>) -> bool) -> Option<Ticket> {
        let first_new = *self.guests.keys().rev().take(self.limits.newest).last()?;
        let older = self.guests.range(..first_new);
        let older = older.filter(|(_, of)| of.waits_since.is_some() && may(of));
        let rank = |of: &Guest<G, H>| (self.share(&of.group).guests, Reverse(of.waits_since));
        older.max_by_key(|(_, of)| rank(of)).map(|(at, _)| *at)
    }

    /// The connection that waits longest, of the group with the most among those that `may` go. A
    /// group other than `own` must have more than `own`.
    fn oldest_of_most(
        &self,
        own: &G,
        amount: impl Fn(Share) -> u64,
        may: impl Fn(Ticket, &Guest<G, H>) -> bool,
    ) -> Option<Ticket> {
        let of_group = |group: &G| amount(self.share(group));
        let least = of_group(own);
        let heavy = |group: &G| group == own || of_group(group) > least;
        let waiting = self.guests.iter().filter(|(_, of)| of.waits_since.is_some());
        let candidates = waiting.filter(|(at, of)| heavy(&of.group) && may(**at, of));
        let rank = |of: &Guest<G, H>| (of_group(&of.group), Reverse(of.waits_since));
        candidates.max_by_key(|(_, of)| rank(of)).map(|(at, _)| *at)
    }

    fn share(&self, group: &G) -> Share {
        self.shares.get(group).copied().unwrap_or_default()
    }

    fn set_bytes(&mut self, ticket: Ticket, bytes: u64) {
        if let Some(guest) = self.guests.get_mut(&ticket) {
            let share = self.shares.entry(guest.group.clone()).or_default();
            share.bytes = share.bytes - guest.bytes + bytes;
            guest.bytes = bytes;
        }
    }

    const fn tick(&mut self) -> u64 {
        self.ticks += 1;
        self.ticks
    }
}

/// The network of an address. Connections and attempts are counted by network, because many people
/// have a fresh address for each one.
#[must_use]
pub fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => Ipv4Addr::from_bits(ip.to_bits() & 0xffff_ff00).into(),
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !((1 << 80) - 1)).into(),
    }
}

#[cfg(test)]
mod tests;
