//! The data that a host gives up because of its kind.

use std::collections::BTreeSet;

use cofferdam_core::{CallerName, Domain};
use response_api::{FallenHost, GivenUp, HostKind, Incident, People};

/// The hosts that fell in an incident.
#[derive(Debug, Clone)]
pub struct FallenHosts {
    hosts: Vec<FallenHost>,
    /// The hosts that call under a name of their own.
    callers: BTreeSet<CallerName>,
    people: People,
}

impl FallenHosts {
    /// The hosts that an incident names.
    #[must_use]
    pub fn of(incident: &Incident) -> Self {
        Self::new(incident.people, &incident.fallen)
    }

    /// Makes the set of hosts that are judged by the records of `people`.
    #[must_use]
    pub fn new(people: People, hosts: &[FallenHost]) -> Self {
        let callers = hosts.iter().filter(|fallen| fallen.kind.is_caller());
        let callers = callers.map(|fallen| fallen.host.clone()).collect();
        Self { hosts: hosts.to_vec(), callers, people }
    }

    /// The people whose records the hosts are judged by.
    #[must_use]
    pub const fn people(&self) -> People {
        self.people
    }

    /// Whether a host of this kind fell.
    #[must_use]
    pub fn any(&self, kind: HostKind) -> bool {
        self.hosts.iter().any(|fallen| fallen.kind == kind)
    }

    /// The fallen hosts that call under a name of their own.
    #[must_use]
    pub const fn callers(&self) -> &BTreeSet<CallerName> {
        &self.callers
    }

    /// The fallen app servers.
    pub fn apps(&self) -> impl Iterator<Item = &CallerName> {
        let apps = self.hosts.iter().filter(|fallen| fallen.kind == HostKind::App);
        apps.map(|fallen| &fallen.host)
    }

    /// Whether a host of this name fell, whatever its kind.
    #[must_use]
    pub fn names(&self, name: &CallerName) -> bool {
        self.hosts.iter().any(|fallen| fallen.host == *name)
    }

    /// Whether the ciphertext of a domain fell into the same hands as the hosts.
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

    /// The domains that are lost as a whole. The keys fell, and with them either the ciphertext or
    /// a host for which a compartment decrypts with any key that it is given (`granted`).
    #[must_use]
    pub fn opened(&self, granted: impl Fn(Domain) -> bool) -> Vec<Domain> {
        if !self.any(HostKind::Keys) {
            return Vec::new();
        }
        let lost = |domain: &Domain| self.has_ciphertext(*domain) || granted(*domain);
        Domain::ALL.into_iter().filter(lost).collect()
    }

    /// Whether the brought table itself fell: then everybody in it counts as read.
    #[must_use]
    pub fn has_table(&self) -> bool {
        self.people == People::Table && self.has_ciphertext(Domain::Accounts)
    }

    /// The data that each host gave up, in words. `customers` and `cards` are the records of the
    /// compartments.
    #[must_use]
    pub fn given_up(&self, customers: u64, cards: u64) -> Vec<GivenUp> {
        let sentence = |kind| match self.people {
            People::Accounts => self.given_up_by_compartment(kind, customers, cards),
            People::Table => given_up_around_table(kind).to_owned(),
        };
        let say = |host: &FallenHost| GivenUp { host: host.clone(), what: sentence(host.kind) };
        self.hosts.iter().map(say).collect()
    }

    fn given_up_by_compartment(&self, kind: HostKind, customers: u64, cards: u64) -> String {
        const IN_CLEAR: &str =
            "in clear: country, region, language, whether a minor, when a password was set";
        let ciphertext = |what: &str| {
            let worth = if self.any(HostKind::Keys) {
                "and the keys fell as well: all of it is read"
            } else {
                "worth nothing without the keys, which did not fall"
            };
            format!("the ciphertext of {what}, {worth}")
        };
        match kind {
            HostKind::App => {
                "everything that was released to it, and what it knows to be unset; the \
                              passwords and addresses typed and the data entered there; the \
                              sessions seen there"
                    .to_owned()
            }
            HostKind::Accounts => format!(
                "every key and every text that passed through it, for any caller; every password \
                 presented anywhere, and the profile of everybody who set one; {}; {IN_CLEAR}",
                ciphertext(&format!("{customers} customers"))
            ),
            HostKind::AccountsDatabase => format!(
                "{}; {IN_CLEAR}; password verifiers and address indexes, which can't be tried out \
                 without the pepper",
                ciphertext(&format!("{customers} customers"))
            ),
            HostKind::Payments => format!(
                "every key and every card that passed through it, for any caller; {}",
                ciphertext(&format!("{cards} cards"))
            ),
            HostKind::PaymentsDatabase => ciphertext(&format!("{cards} cards")),
            HostKind::Keys if self.hosts.len() == 1 => {
                "the keys; they open nothing without ciphertext, and none fell".to_owned()
            }
            HostKind::Keys => "the keys; from then on, the log need not name everything that the \
                               host gave out"
                .to_owned(),
            HostKind::Response => "the contacts released to it under warrants; the exposure of \
                                   earlier incidents; the copies of the release logs"
                .to_owned(),
            HostKind::Relay => "the letters handed over to it: names, addresses, their text, and \
                                reset codes in transit"
                .to_owned(),
        }
    }
}

const fn given_up_around_table(kind: HostKind) -> &'static str {
    match kind {
        HostKind::App => {
            "everything that the access logs show for it; all customer tables lay within its reach"
        }
        _ => "the customer tables themselves, in clear: everybody counts as read",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(people: People, hosts: &[&str]) -> FallenHosts {
        let hosts: Vec<_> = hosts.iter().map(|host| host.parse().unwrap()).collect();
        FallenHosts::new(people, &hosts)
    }

    fn fallen(names: &[&str]) -> FallenHosts {
        hosts(People::Accounts, names)
    }

    #[test]
    fn keys_open_what_fell_with_them_and_nothing_else() {
        let nothing = |_: Domain| false;
        for (names, opened) in [
            (vec!["keys=keys"], vec![]),
            (vec!["b=accounts_database"], vec![]),
            (vec!["web-1", "b=accounts"], vec![]),
            (vec!["keys=keys", "b=accounts_database"], vec![Domain::Accounts]),
            (vec!["keys=keys", "b=accounts"], vec![Domain::Accounts]),
            (vec!["keys=keys", "b=payments_database"], vec![Domain::Payments]),
            (vec!["keys=keys", "b=payments"], vec![Domain::Payments]),
            (vec!["keys=keys", "b=response"], vec![Domain::Response]),
            (vec!["keys=keys", "b=relay"], vec![]),
            (
                vec!["keys=keys", "a=accounts", "b=payments_database"],
                vec![Domain::Accounts, Domain::Payments],
            ),
        ] {
            assert_eq!(fallen(&names).opened(nothing), opened, "{names:?}");
        }
        let granted = |domain| domain == Domain::Payments;
        assert_eq!(fallen(&["keys=keys", "checkout-1"]).opened(granted), [Domain::Payments]);
        assert_eq!(fallen(&["checkout-1"]).opened(granted), []);
    }

    #[test]
    fn a_table_falls_with_its_server_or_its_backup() {
        for (names, fell) in [
            (["db=accounts"], true),
            (["db=accounts_database"], true),
            (["db=payments_database"], false),
            (["web-1"], false),
        ] {
            assert_eq!(hosts(People::Table, &names).has_table(), fell, "{names:?}");
            assert!(!fallen(&names).has_table(), "{names:?}");
        }
    }

    #[test]
    fn ciphertext_is_worth_what_the_keys_make_of_it() {
        let sentences = |names: &[&str]| {
            let given_up = fallen(names).given_up(24, 7);
            given_up.into_iter().map(|given_up| given_up.what).collect::<Vec<_>>()
        };
        let alone = sentences(&["b=accounts_database", "c=payments_database"]);
        assert!(alone[0].contains("24 customers, worth nothing"), "{alone:?}");
        assert!(alone[1].contains("7 cards, worth nothing"), "{alone:?}");
        let both = sentences(&["b=accounts", "c=payments", "k=keys"]);
        assert!(both[0].contains("24 customers, and the keys fell"), "{both:?}");
        assert!(both[1].contains("7 cards, and the keys fell"), "{both:?}");
        assert!(both[2].contains("need not name"), "{both:?}");
        assert!(sentences(&["k=keys"])[0].contains("none fell"));
        let kinds = ["a", "b=response", "c=relay"];
        let [app, response, relay] = sentences(&kinds).try_into().unwrap();
        assert!(app.contains("passwords and addresses typed") && response.contains("warrants"));
        assert!(relay.contains("reset codes"));
    }

    #[test]
    fn around_a_table_a_client_gives_up_what_logs_show_and_a_server_the_table() {
        let given_up = hosts(People::Table, &["web-1", "db=accounts"]).given_up(24, 0);
        let [client, server] = given_up.try_into().unwrap();
        assert!(client.what.contains("the access logs show"), "{}", client.what);
        assert!(server.what.contains("everybody counts as read"), "{}", server.what);
    }

    #[test]
    fn the_fallen_app_servers_are_the_callers_of_that_kind() {
        let all = fallen(&["web-1", "web-2", "accounts=accounts", "b=accounts_database"]);
        assert_eq!(all.apps().map(CallerName::as_str).collect::<Vec<_>>(), ["web-1", "web-2"]);
        assert_eq!(all.callers().len(), 3);
        assert!(all.any(HostKind::AccountsDatabase) && !all.any(HostKind::Keys));
    }
}
