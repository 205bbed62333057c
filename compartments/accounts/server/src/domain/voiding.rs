//! The rules of orders over some customers: whom an order covers, whom it leaves out, and what one
//! person may order alone.

use cofferdam_core::{Record, Timestamp};
use roaring::RoaringBitmap;

use super::alone::{self, Ordered, TooMany, Whole};
use super::orders::Orders;

/// The number of an order that shuts customers out is its place: 1, 2, 3 and so on.
pub type OrderNumber = u64;

/// A customer's password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Password {
    /// The customer whose password it is.
    pub record: Record,
    /// The instant at which the password was set.
    pub set_at: Timestamp,
    /// The instant at which the customer came; `None` if that was not kept.
    pub created: Option<Timestamp>,
}

/// An order that shut customers out.
#[derive(Debug, Clone, PartialEq)]
pub struct PastOrder {
    /// The order's number.
    pub number: OrderNumber,
    /// The number of the incident.
    pub incident: u32,
    /// The instant of the order.
    pub ordered_at: Timestamp,
    /// The customers; `None` for everybody.
    pub records: Option<RoaringBitmap>,
    /// The customers and sessions that count towards the limit of one person; `None` if people signed it.
    pub alone: Option<Ordered>,
}

/// The orders so far that a new one over some customers depends on.
#[derive(Debug, Default)]
pub struct History {
    /// The number of the last order; 0 before the first.
    pub last: OrderNumber,
    /// The last order of the incident; 0 if there is none.
    pub last_of_incident: OrderNumber,
    /// The instants of the incident's orders, and the customers of each; `None` for everybody.
    of_incident: Vec<(Timestamp, Option<RoaringBitmap>)>,
    /// The orders of fewer than two people, over all incidents, within the last day.
    pub alone: Ordered,
}

/// The reason why an order leaves a customer out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LeftOut {
    /// The password was set since an order of the incident covered the customer.
    SetSince,
    /// The customer came since the incident's last order over everybody.
    CreatedSince,
}

impl History {
    /// Reads the orders, oldest first, as an order of `incident` at `now` depends on them.
    pub fn of(orders: impl IntoIterator<Item = PastOrder>, incident: u32, now: Timestamp) -> Self {
        let since = now.saturating_sub(alone::SPAN).unwrap_or(Timestamp::MIN);
        let mut history = Self::default();
        for order in orders {
            history.last = order.number;
            if let Some(alone) = order.alone.filter(|_| order.ordered_at > since) {
                history.alone.customers |= alone.customers;
                history.alone.sessions += alone.sessions;
            }
            if order.incident == incident {
                history.last_of_incident = order.number;
                history.of_incident.push((order.ordered_at, order.records));
            }
        }
        history
    }

    fn leaves_out(&self, of: &Password) -> Option<LeftOut> {
        let mut left_out = None;
        for (ordered_at, records) in &self.of_incident {
            if *ordered_at >= of.set_at {
                continue;
            }
            let came_since = of.created.is_some_and(|created| created > *ordered_at);
            match records {
                Some(records) if records.contains(of.record.0) => return Some(LeftOut::SetSince),
                Some(_) => {}
                None if came_since => left_out = Some(LeftOut::CreatedSince),
                None => return Some(LeftOut::SetSince),
            }
        }
        left_out
    }
}

/// An order of one person over some customers.
#[derive(Debug)]
pub struct Asked {
    /// The passwords of the named customers that exist.
    pub passwords: Vec<Password>,
    /// Whether customers are covered too who would be left out.
    pub again: bool,
    /// Credentials set, and sessions opened, up to this instant are void.
    pub until: Timestamp,
}

/// The state of the shop that the limit is measured by.
#[derive(Debug)]
pub struct Shop<'a> {
    /// The orders in force.
    pub orders: &'a Orders,
    /// Every session that is not over: the customer, and the instant at which it was opened.
    pub sessions: &'a [(Record, Timestamp)],
    /// The number of customers that exist.
    pub customers: u64,
}

/// The extent of an order.
#[derive(Debug, Default, PartialEq)]
pub struct Extent {
    /// The customers that the order covers.
    pub records: RoaringBitmap,
    /// The customers and sessions that count towards the limit of one person.
    pub counted: Ordered,
    /// The number of customers whose credential is void by it.
    pub customers: u64,
    /// The number of customers left out because they set their password since.
    pub set_since: u64,
    /// The number of customers left out because they came since.
    pub created_since: u64,
}

/// Decides whom an order of one person covers, and refuses what takes two people.
pub fn extent(history: &History, asked: Asked, shop: &Shop<'_>) -> Result<Extent, TooMany> {
    let mut extent = Extent::default();
    for of in asked.passwords {
        match history.leaves_out(&of).filter(|_| !asked.again) {
            Some(LeftOut::SetSince) => extent.set_since += 1,
            Some(LeftOut::CreatedSince) => extent.created_since += 1,
            None => {
                extent.records.insert(of.record.0);
                if of.set_at <= asked.until {
                    extent.customers += 1;
                    if !shop.orders.voids(of.record, of.set_at) {
                        extent.counted.customers.insert(of.record.0);
                    }
                }
            }
        }
    }
    let ends = |(record, opened): &&(Record, Timestamp)| {
        *opened <= asked.until && extent.records.contains(record.0)
    };
    extent.counted.sessions = shop.sessions.iter().filter(ends).count() as u64;
    let whole = Whole { customers: shop.customers, sessions: shop.sessions.len() as u64 };
    alone::check(&history.alone, &extent.counted, whole)?;
    Ok(extent)
}

#[cfg(test)]
mod tests;
