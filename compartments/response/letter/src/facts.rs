//! The facts of an incident that letters state. A letter claims nothing but what was done.

use std::collections::BTreeMap;

use cofferdam_core::{Domain, Timestamp};
use response_api::{Exposure, Incident};
use serde::{Deserialize, Serialize};

use crate::Shop;

/// The facts of an incident and of the response, as letters state them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The date of every letter.
    pub written: Timestamp,
    /// The incident's number.
    pub incident: u32,
    /// The beginning of the window.
    pub began: Timestamp,
    /// The end of the window.
    pub ended: Timestamp,
    /// The instant at which the incident was declared.
    pub discovered: Timestamp,
    /// Whether the release log shows that the fallen hosts got nothing from `payments`.
    pub cards_untouched: bool,
    /// Whether every fallen caller is frozen in all compartments.
    pub contained: bool,
    /// Whether the credentials of all customers are void.
    pub voided: bool,
    /// The number of people with a field read or presented.
    pub exposed: u64,
    /// The number of all customers.
    pub customers: u64,
    /// The shop as the sender of letters.
    pub shop: Sender,
    /// The shop's further measures, as sentences by language.
    pub measures: BTreeMap<String, String>,
    /// A sentence by language, if law enforcement delayed the notice.
    pub police_delay: BTreeMap<String, String>,
}

/// The shop as the sender of letters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// The shop's name.
    pub name: String,
    /// The shop's web address, as people type it.
    pub web_address: String,
    /// The address of the page that checks a letter, as people type it.
    pub verify_address: String,
    /// The e-mail address that customers can write to.
    pub support_email: String,
    /// The person who signs.
    pub signatory: String,
    /// The title of that person.
    pub signatory_title: String,
}

/// The steps of the response that are done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// Whether every fallen caller is frozen.
    pub contained: bool,
    /// Whether all credentials are void.
    pub voided: bool,
}

impl Facts {
    /// Collects the facts as they are now. Letters are dated to the hour, so the same facts within
    /// an hour make the same version.
    #[must_use]
    pub fn new(
        shop: &Shop,
        incident: &Incident,
        exposure: &Exposure,
        done: Done,
        now: Timestamp,
    ) -> Self {
        let hour = now.as_second() - now.as_second().rem_euclid(3_600);
        Self {
            written: Timestamp::from_second(hour).unwrap_or(now),
            incident: incident.incident.0,
            began: incident.from,
            ended: exposure.until,
            discovered: incident.declared,
            cards_untouched: exposure.untouched.iter().any(|of| of.domain == Domain::Payments),
            contained: done.contained,
            voided: done.voided,
            exposed: exposure.people.read + exposure.people.presented,
            customers: exposure.customers,
            shop: Sender {
                name: shop.name.clone(),
                web_address: shop.web_address.clone(),
                verify_address: shop.verify_address.clone(),
                support_email: shop.support_email.clone(),
                signatory: shop.signatory.clone(),
                signatory_title: shop.signatory_title.clone(),
            },
            measures: shop.measures.clone(),
            police_delay: shop.police_delay.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use response_api::{IncidentId, LevelCounts, People, Untouched};

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn shop() -> Shop {
        Shop {
            name: "Shoeleather".into(),
            web_address: "shoeleather.example".into(),
            support_email: "help@shoeleather.example".into(),
            mail_from: "news@shoeleather.example".into(),
            signatory: "Tony Hale".into(),
            signatory_title: "Chief Executive".into(),
            message_id_domain: "letters.shoeleather.example".into(),
            verify_address: "shoeleather.example/verify".into(),
            measures: [("en".to_owned(), "We called the police".to_owned())].into(),
            police_delay: [("de".to_owned(), "Nein".to_owned())].into(),
        }
    }

    fn incident() -> Incident {
        Incident {
            incident: IncidentId(4),
            title: "web-ky-1".into(),
            fallen: vec!["web-ky-1".parse().unwrap()],
            from: at("2012-01-14T22:00:00Z"),
            to: None,
            found: "a decoy".into(),
            people: People::Accounts,
            declared: at("2012-01-15T09:30:00Z"),
            declared_by: "ic".parse().unwrap(),
            closed: None,
        }
    }

    fn exposure(untouched: &[Domain]) -> Exposure {
        let untouched = untouched.iter().map(|domain| Untouched {
            domain: *domain,
            records: 9,
            released: 0,
            granted: true,
        });
        Exposure {
            incident: IncidentId(4),
            computed: at("2012-01-15T11:59:00Z"),
            until: at("2012-01-15T10:00:00Z"),
            people: LevelCounts { read: 30, presented: 5, known_unset: 40, reachable: 700 },
            assumed: 0,
            fields: BTreeMap::new(),
            jurisdictions: BTreeMap::new(),
            languages: BTreeMap::new(),
            minors: 0,
            undeliverable: 0,
            customers: 24_000,
            given_up: vec![],
            untouched: untouched.collect(),
            logs: vec![],
            access_logs: vec![],
            unresolved: vec![],
            doubts: vec![],
        }
    }

    #[test]
    fn letters_state_what_happened_when() {
        let done = Done { contained: true, voided: false };
        let now = at("2012-01-15T12:59:59Z");
        let facts = Facts::new(&shop(), &incident(), &exposure(&[]), done, now);
        assert_eq!(facts.written, at("2012-01-15T12:00:00Z"));
        assert_eq!(facts.began, at("2012-01-14T22:00:00Z"));
        assert_eq!(facts.ended, at("2012-01-15T10:00:00Z"));
        assert_eq!(facts.discovered, at("2012-01-15T09:30:00Z"));
        assert_eq!((facts.incident, facts.exposed, facts.customers), (4, 35, 24_000));
        assert_eq!(facts.shop.verify_address, "shoeleather.example/verify");
        assert_eq!((facts.measures.len(), facts.police_delay.len()), (1, 1));
        let before_1970 = at("1969-12-31T23:30:00Z");
        let early = Facts::new(&shop(), &incident(), &exposure(&[]), done, before_1970);
        assert_eq!(early.written, at("1969-12-31T23:00:00Z"));
    }

    #[test]
    fn letters_claim_only_what_was_done() {
        let now = at("2012-01-15T12:00:00Z");
        for (contained, voided) in [(false, false), (false, true), (true, false), (true, true)] {
            for (untouched, cards_untouched) in [
                (vec![], false),
                (vec![Domain::Accounts], false),
                (vec![Domain::Accounts, Domain::Payments], true),
            ] {
                let done = Done { contained, voided };
                let facts = Facts::new(&shop(), &incident(), &exposure(&untouched), done, now);
                let claimed = (facts.contained, facts.voided, facts.cards_untouched);
                assert_eq!(claimed, (contained, voided, cards_untouched));
            }
        }
    }
}
