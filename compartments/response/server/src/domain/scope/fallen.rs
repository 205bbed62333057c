//! What a host gives up by being what it is.

use std::collections::BTreeSet;

use cofferdam_core::{CallerName, Domain, Field, FieldSet, Operation};
use keys_api::Grant;
use response_api::{FallenHost, GivenUp, HostKind, Incident, Level, People};

/// What is typed at a sign-in, whatever else.
pub const SIGN_IN: [Field; 2] = [Field::Email, Field::Password];

/// The hosts that fell.
#[derive(Debug, Clone)]
pub struct Fallen {
    hosts: Vec<FallenHost>,
    /// Those that ask under a name of their own.
    callers: BTreeSet<CallerName>,
    /// Whose records they are judged by.
    people: People,
}

impl Fallen {
    /// Takes what an incident about the customers of `accounts` names.
    #[must_use]
    pub fn new(hosts: &[FallenHost]) -> Self {
        Self::about(People::Accounts, hosts)
    }

    /// Takes what an incident names.
    #[must_use]
    pub fn of(incident: &Incident) -> Self {
        Self::about(incident.people, &incident.fallen)
    }

    fn about(people: People, hosts: &[FallenHost]) -> Self {
        let callers = hosts.iter().filter(|of| of.kind.is_caller()).map(|of| of.host.clone());
        Self { hosts: hosts.to_vec(), callers: callers.collect(), people }
    }

    /// What an operation for `caller`, through the compartment `via`, gave a fallen host.
    #[must_use]
    pub fn level(
        &self,
        caller: &CallerName,
        via: &CallerName,
        operation: Operation,
    ) -> Option<Level> {
        // In a shop's own logs, `via` is who the client was taken for.
        if self.people == People::Roster {
            let fell = self.callers.contains(caller) || self.callers.contains(via);
            return match operation {
                Operation::Release if fell => Some(Level::Read),
                Operation::Seal if fell => Some(Level::Presented),
                _ => None,
            };
        }
        // The host of a compartment sees every key that passes through it; a host that brings data
        // to be sealed shows what it brings, and no more.
        if self.callers.contains(via) {
            return match operation {
                Operation::Release | Operation::Seal | Operation::Reseal => Some(Level::Read),
                Operation::Harden => Some(Level::Presented),
                Operation::Index | Operation::Erase => None,
            };
        }
        if !self.callers.contains(caller) {
            return None;
        }
        match operation {
            Operation::Release | Operation::Reseal => Some(Level::Read),
            Operation::Seal | Operation::Harden => Some(Level::Presented),
            Operation::Index | Operation::Erase => None,
        }
    }

    /// Whether a host of this kind fell.
    #[must_use]
    pub fn any(&self, kind: HostKind) -> bool {
        self.hosts.iter().any(|of| of.kind == kind)
    }

    /// The fallen hosts that ask under a name of their own.
    #[must_use]
    pub const fn callers(&self) -> &BTreeSet<CallerName> {
        &self.callers
    }

    /// The fallen app servers.
    pub fn apps(&self) -> impl Iterator<Item = &CallerName> {
        self.hosts.iter().filter(|of| of.kind == HostKind::App).map(|of| &of.host)
    }

    /// Whether the ciphertext of a domain fell into the same hands.
    #[must_use]
    pub fn has_ciphertext(&self, domain: Domain) -> bool {
        match domain {
            Domain::Accounts => {
                self.any(HostKind::Accounts) || self.any(HostKind::AccountsDatabase)
            }
            Domain::Payments => {
                self.any(HostKind::Payments) || self.any(HostKind::PaymentsDatabase)
            }
            Domain::Response => self.any(HostKind::Response),
        }
    }

    /// Domains of which everything is lost: the keys fell, and with them the ciphertext, or a host
    /// for which a compartment decrypts with any key that it is given.
    #[must_use]
    pub fn opened(&self, granted: &dyn Fn(Domain) -> bool) -> Vec<Domain> {
        if !self.any(HostKind::Keys) {
            return Vec::new();
        }
        let lost = |domain: &Domain| self.has_ciphertext(*domain) || granted(*domain);
        Domain::ALL.into_iter().filter(lost).collect()
    }

    /// What each host gave up, in words.
    #[must_use]
    pub fn given_up(&self, customers: u64, cards: u64) -> Vec<GivenUp> {
        let what = |kind| self.words(kind, customers, cards);
        let say = |host: &FallenHost| GivenUp { host: host.clone(), what: what(host.kind) };
        self.hosts.iter().map(say).collect()
    }

    fn words(&self, kind: HostKind, customers: u64, cards: u64) -> String {
        let sealed = |what: &str| {
            let worth = if self.any(HostKind::Keys) {
                "and the keys fell as well: all of it is read"
            } else {
                "worth nothing without the keys, which did not fall"
            };
            format!("the ciphertext of {what}, {worth}")
        };
        let coarse =
            "in clear: country, region, language, whether a minor, when a password was set";
        match kind {
            HostKind::App => {
                "what was released to it; passwords typed and data brought there; the \
                              sessions seen there"
                    .to_owned()
            }
            HostKind::Accounts => format!(
                "every key and every text that passed through it, for whichever caller; every \
                 password presented anywhere; {}; {coarse}",
                sealed(&format!("{customers} customers"))
            ),
            HostKind::AccountsDatabase => format!(
                "{}; {coarse}; password verifiers and address indexes, which can't be tried out \
                 without the pepper",
                sealed(&format!("{customers} customers"))
            ),
            HostKind::Payments => format!(
                "every key and every card that passed through it, for whichever caller; {}",
                sealed(&format!("{cards} cards"))
            ),
            HostKind::PaymentsDatabase => sealed(&format!("{cards} cards")),
            HostKind::Keys if self.hosts.len() == 1 => {
                "the keys; without ciphertext, which did not fall, they open nothing".to_owned()
            }
            HostKind::Keys => {
                "the keys, and the word of the log since: what it gave out from then \
                               on need not stand in it"
                    .to_owned()
            }
            HostKind::Response => {
                "contacts released to it under warrants; the exposure of earlier \
                                   incidents; copies of the release logs"
                    .to_owned()
            }
            HostKind::Relay => "letters handed over to it: names, addresses, what they say, and \
                                reset codes on their way"
                .to_owned(),
        }
    }
}

/// The fields of `domain` that a grant lets its holder read.
#[must_use]
pub fn readable(grants: &[Grant], domain: Domain) -> FieldSet {
    grants
        .iter()
        .filter(|grant| grant.domain == domain && grant.operation == Operation::Release)
        .fold(FieldSet::EMPTY, |all, grant| all.union(grant.fields))
}

#[cfg(test)]
mod tests {
    use Operation::{Harden, Index, Release, Reseal, Seal};

    use super::*;

    fn fallen(hosts: &[&str]) -> Fallen {
        Fallen::new(&hosts.iter().map(|host| host.parse().unwrap()).collect::<Vec<_>>())
    }

    #[test]
    fn each_kind_gives_up_what_it_is() {
        let name = |text: &str| text.parse::<CallerName>().unwrap();
        let level = |fallen: &Fallen, caller, via, operation| {
            fallen.level(&name(caller), &name(via), operation)
        };
        let web = fallen(&["web-ky-1"]);
        assert_eq!(level(&web, "web-ky-1", "accounts", Release), Some(Level::Read));
        assert_eq!(level(&web, "web-ky-1", "accounts", Seal), Some(Level::Presented));
        assert_eq!(level(&web, "web-ky-1", "accounts", Harden), Some(Level::Presented));
        assert_eq!(level(&web, "web-ky-1", "accounts", Index), None);
        assert_eq!(level(&web, "web-ky-2", "accounts", Release), None);

        let accounts = fallen(&["accounts=accounts"]);
        assert_eq!(level(&accounts, "web-ky-2", "accounts", Seal), Some(Level::Read));
        assert_eq!(level(&accounts, "accounts", "accounts", Reseal), Some(Level::Read));
        assert_eq!(level(&accounts, "web-ky-2", "accounts", Harden), Some(Level::Presented));
        assert_eq!(level(&accounts, "checkout-1", "payments", Release), None);

        // A backup has no name that asks for anything, even if it is called like one that has.
        let backup = fallen(&["accounts=accounts_database"]);
        assert_eq!(level(&backup, "web-ky-2", "accounts", Release), None);
    }

    #[test]
    fn keys_open_what_fell_with_them_and_nothing_else() {
        let none = |_| false;
        assert_eq!(fallen(&["keys=keys"]).opened(&none), []);
        assert_eq!(fallen(&["backup=accounts_database"]).opened(&none), []);
        let both = fallen(&["keys=keys", "backup=accounts_database"]);
        assert_eq!(both.opened(&none), [Domain::Accounts]);
        let web = fallen(&["keys=keys", "web-ky-1"]);
        assert_eq!(web.opened(&|domain| domain == Domain::Accounts), [Domain::Accounts]);
    }
}
