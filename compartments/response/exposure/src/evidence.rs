//! The judgement of the evidence, the same for both populations.

use std::sync::Arc;

use cofferdam_core::{Domain, Field, Timestamp};
use response_api::{
    AccessLog, Doubt, DoubtCause, Exposure, HostKind, IncidentId, Level, LogProof, People,
    Unresolved, Untouched,
};
use roaring::RoaringBitmap;

use crate::bitmaps::{Bitmaps, Levels, add, people, select};
use crate::grants::fields_of_domain;
use crate::{FallenHosts, Findings, Grants, Population};

/// The evidence by which an exposure is judged.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// The incident that is scoped.
    pub incident: IncidentId,
    /// The fallen hosts, with their kinds.
    pub hosts: FallenHosts,
    /// The people whose records the incident is about.
    pub population: Arc<Population>,
    /// The number of cards in `payments`.
    pub cards: u64,
    /// The fields that the fallen hosts may read.
    pub grants: Grants,
    /// The records that the logs show as read and presented.
    pub findings: Findings,
    /// Customers with a session whose token a fallen host may have seen: it was valid from before the
    /// window, or was opened at another caller of the host's group.
    pub sessions_held: RoaringBitmap,
    /// People whom an e-mail did not reach.
    pub undeliverable: RoaringBitmap,
    /// The logs from which the evidence was taken.
    pub sources: Sources,
    /// The instant of the computation.
    pub computed: Timestamp,
    /// The end of the window that the exposure covers.
    pub until: Timestamp,
}

/// The logs from which an exposure was computed.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The release logs.
    pub logs: Vec<LogProof>,
    /// The brought access logs.
    pub access_logs: Vec<AccessLog>,
    /// The accesses that count as everybody's, at most a thousand.
    pub unresolved: Vec<Unresolved>,
}

/// The records that were lost for a reason other than an entry in a log.
#[derive(Debug, Clone, PartialEq)]
pub struct Loss {
    /// The lost records, field by field.
    pub records: Bitmaps,
    /// Whether the loss is a fact. Otherwise people who lost a field by it alone are *assumed*.
    pub certain: bool,
    /// The doubt that the exposure shows for the loss.
    pub doubt: Option<DoubtCause>,
}

impl Evidence {
    /// Judges the evidence: the exposure in numbers, and the records behind the numbers.
    ///
    /// An access whose customers can't be told counts as everybody's. A doubt that counts as read
    /// adds everything within reach; a lost domain or table adds all of it. The rest within reach
    /// is *reachable*.
    #[must_use]
    pub fn judge(mut self) -> (Exposure, Levels) {
        let filled = self.filled();
        let within_reach = self.grants.within_reach(&filled, &self.live_sessions());
        let mut levels = std::mem::take(&mut self.findings.levels);
        let mut unattended = std::mem::take(&mut self.findings.read_unattended);
        for (level, fields) in &self.findings.everybody {
            let records = select(&filled, *fields);
            if *level == Level::Read {
                unattended |= people(&records, Domain::Accounts);
            }
            add(levels.at_mut(*level), &records);
        }
        let losses = self.losses(&filled, &within_reach);
        for loss in &losses {
            unattended |= people(&loss.records, Domain::Accounts);
        }
        let (certain, uncertain): (Vec<_>, Vec<_>) =
            losses.into_iter().partition(|loss| loss.certain);
        self.add_losses(certain, &mut levels);
        let proven = people(&levels.read, Domain::Accounts);
        self.add_losses(uncertain, &mut levels);
        let read = people(&levels.read, Domain::Accounts);
        let assumed = (&read - proven).len();
        levels.while_signed_in = read - unattended;

        levels.set_reachable(within_reach);
        self.add_sessions(&mut levels);
        let exposure = self.exposure(&levels, assumed);
        (exposure, levels)
    }

    /// The customers who had a live session at a fallen host or its group, for all that is known.
    fn live_sessions(&self) -> RoaringBitmap {
        let unknown = |cause: &DoubtCause| matches!(cause, DoubtCause::SessionsUnknown { .. });
        if self.findings.doubts.iter().any(unknown) {
            return self.population.everyone.clone();
        }
        let presented = self.findings.levels.presented.get(&Field::Session);
        presented.cloned().unwrap_or_default() | &self.sessions_held
    }

    /// The people who have each field.
    fn filled(&self) -> Bitmaps {
        let mut filled = self.population.filled.clone();
        if self.hosts.people() == People::Accounts {
            let cards = self.existing(Domain::Payments);
            for field in fields_of_domain(Domain::Payments).iter() {
                filled.insert(field, cards.clone());
            }
            filled.insert(Field::Password, self.population.everyone.clone());
        }
        filled
    }

    /// The records of a domain that exist.
    fn existing(&self, domain: Domain) -> RoaringBitmap {
        match domain {
            Domain::Accounts | Domain::Response => self.population.everyone.clone(),
            Domain::Payments => (0..u32::try_from(self.cards).unwrap_or(u32::MAX)).collect(),
        }
    }

    fn losses(&self, filled: &Bitmaps, within_reach: &Bitmaps) -> Vec<Loss> {
        let mut losses = Vec::new();
        let reached = |certain| Loss { records: within_reach.clone(), certain, doubt: None };
        if self.findings.doubts.iter().any(DoubtCause::counts_as_read) {
            losses.push(reached(false));
        }
        if self.hosts.has_table() {
            losses.push(reached(true));
        }
        if self.hosts.people() == People::Accounts {
            let granted = |domain| !self.grants.of(domain).is_empty();
            losses.extend(self.hosts.opened(granted).into_iter().map(|domain| Loss {
                records: select(filled, fields_of_domain(domain)),
                certain: false,
                doubt: Some(DoubtCause::KeysFellWith { domain }),
            }));
        }
        losses
    }

    fn add_losses(&mut self, losses: Vec<Loss>, levels: &mut Levels) {
        for loss in losses {
            add(&mut levels.read, &loss.records);
            self.findings.doubts.extend(loss.doubt);
        }
    }

    fn add_sessions(&self, levels: &mut Levels) {
        let none = RoaringBitmap::new();
        let presented = levels.presented.get(&Field::Session).unwrap_or(&none);
        let held = &self.sessions_held - presented;
        if !held.is_empty() {
            levels.reachable.insert(Field::Session, held);
        }
    }

    fn exposure(self, levels: &Levels, assumed: u64) -> Exposure {
        let population = &self.population;
        let affected = levels.affected();
        let customers = population.everyone.len();
        let (brought, fields) = levels
            .count_fields(|domain| self.existing(domain))
            .into_iter()
            .partition(|(field, _)| field.domain() == Domain::Response);
        Exposure {
            incident: self.incident,
            computed: self.computed,
            until: self.until,
            people: levels.count_people(&population.everyone),
            assumed,
            while_signed_in: levels.while_signed_in.len(),
            fields,
            brought,
            jurisdictions: population.count_jurisdictions(&affected),
            languages: population.count_languages(&affected),
            minors: population.minors.intersection_len(&affected),
            undeliverable: self.count_undeliverable(&affected),
            customers,
            given_up: self.hosts.given_up(customers, self.cards),
            untouched: self.untouched(levels),
            logs: self.sources.logs,
            access_logs: self.sources.access_logs,
            unresolved: self.sources.unresolved,
            doubts: self.findings.doubts.into_iter().map(Doubt::from).collect(),
        }
    }

    /// Counts the people whom an e-mail did not reach, or who have no address.
    fn count_undeliverable(&self, affected: &RoaringBitmap) -> u64 {
        let mut without_address = affected & &self.population.everyone;
        if let Some(with_address) = self.population.filled.get(&Field::Email) {
            without_address -= with_address;
        }
        (&self.undeliverable & affected | without_address).len()
    }

    /// The compartments that gave the fallen hosts nothing. A brought table has no compartments. A
    /// log that `keys` could not vouch for proves nothing, and neither does a compartment that did
    /// not say how much it holds.
    fn untouched(&self, levels: &Levels) -> Vec<Untouched> {
        let doubts = &self.findings.doubts;
        if self.hosts.people() == People::Table
            || self.hosts.any(HostKind::Keys)
            || doubts.iter().any(DoubtCause::leaves_out)
        {
            return Vec::new();
        }
        let uncounted = |cause: &DoubtCause| matches!(cause, DoubtCause::CardsUnknown { .. });
        let cards = (!doubts.iter().any(uncounted)).then_some((Domain::Payments, self.cards));
        let holdings = [Some((Domain::Accounts, self.population.everyone.len())), cards];
        let untouched =
            holdings.into_iter().flatten().filter(|(domain, _)| !levels.is_touched(*domain));
        let describe = |(domain, records)| Untouched {
            domain,
            records,
            released: 0,
            granted: !self.grants.of(domain).is_empty(),
        };
        untouched.map(describe).collect()
    }
}

#[cfg(test)]
mod tests;
