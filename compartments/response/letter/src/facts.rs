//! The facts of an incident that letters state. A letter claims nothing but what holds.

use std::collections::BTreeMap;

use cofferdam_core::Timestamp;
use response_api::{Audience, Exposure, Incident};
use serde::{Deserialize, Serialize};

use crate::claims::{Claim, Claims};
use crate::{Current, Shop};

/// The facts of an incident and of the response, as letters state them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredFacts")]
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
    /// The claims that held when the version was drafted.
    pub claims: Claims,
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

/// Facts as they are stored. Older versions hold three flags in place of claims.
#[derive(Deserialize)]
struct StoredFacts {
    written: Timestamp,
    incident: u32,
    began: Timestamp,
    ended: Timestamp,
    discovered: Timestamp,
    claims: Option<Claims>,
    #[serde(default)]
    cards_untouched: bool,
    #[serde(default)]
    contained: bool,
    #[serde(default)]
    voided: bool,
    exposed: u64,
    customers: u64,
    shop: Sender,
    measures: BTreeMap<String, String>,
    police_delay: BTreeMap<String, String>,
}

impl Facts {
    /// Collects the facts as they are now. Letters are dated to the hour, so the same facts within
    /// an hour make the same version.
    #[must_use]
    pub fn new(
        shop: &Shop,
        incident: &Incident,
        exposure: &Exposure,
        current: &Current,
        now: Timestamp,
    ) -> Self {
        let hour = now.as_second() - now.as_second().rem_euclid(3_600);
        Self {
            written: Timestamp::from_second(hour).unwrap_or(now),
            incident: incident.incident.0,
            began: incident.from,
            ended: exposure.until,
            discovered: incident.declared,
            claims: Claims::new(incident, exposure, current),
            exposed: exposure.exposed(),
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

impl Facts {
    /// What a letter to an audience says that is no longer so, in words.
    #[must_use]
    pub fn outdated(&self, now: &Self, audience: Audience) -> Vec<String> {
        let claims = self.claims.outdated(&now.claims, Some(audience));
        let mut outdated: Vec<_> = claims.iter().map(ToString::to_string).collect();
        if self.exposed != now.exposed {
            outdated.push(format!("{} people were exposed", self.exposed));
        }
        outdated
    }
}

impl From<StoredFacts> for Facts {
    fn from(stored: StoredFacts) -> Self {
        let claims = stored.claims.clone().unwrap_or_else(|| stored.old_claims());
        Self {
            written: stored.written,
            incident: stored.incident,
            began: stored.began,
            ended: stored.ended,
            discovered: stored.discovered,
            claims,
            exposed: stored.exposed,
            customers: stored.customers,
            shop: stored.shop,
            measures: stored.measures,
            police_delay: stored.police_delay,
        }
    }
}

impl StoredFacts {
    /// The claims of an older version: its texts made most of them whatever had happened.
    fn old_claims(&self) -> Claims {
        let flags = [
            (Claim::CardsUntouched, self.cards_untouched),
            (Claim::Contained, self.contained),
            (Claim::Voided, self.voided),
        ];
        let always = [
            Claim::OneServer,
            Claim::Recorded,
            Claim::WasRead,
            Claim::NothingElseRead,
            Claim::PasswordsKeyed,
            Claim::TypedThere,
            Claim::NoticeStands,
        ];
        let flagged = flags.into_iter().filter_map(|(claim, made)| made.then_some(claim));
        Claims { hold: flagged.chain(always).collect(), voided_until: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{at, exposure, incident};

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

    fn facts_at(now: &str) -> Facts {
        Facts::new(&shop(), &incident(), &exposure(), &Current::default(), at(now))
    }

    #[test]
    fn letters_state_what_happened_when() {
        let facts = facts_at("2012-01-15T12:59:59Z");
        assert_eq!(facts.written, at("2012-01-15T12:00:00Z"));
        assert_eq!(facts.began, at("2012-01-14T22:00:00Z"));
        assert_eq!(facts.ended, at("2012-01-15T10:00:00Z"));
        assert_eq!(facts.discovered, at("2012-01-15T09:30:00Z"));
        assert_eq!((facts.incident, facts.exposed, facts.customers), (4, 35, 24_000));
        assert_eq!(facts.shop.verify_address, "shoeleather.example/verify");
        assert_eq!((facts.measures.len(), facts.police_delay.len()), (1, 1));
        assert!(facts.claims.has(Claim::Recorded) && !facts.claims.has(Claim::Contained));
        assert_eq!(facts_at("1969-12-31T23:30:00Z").written, at("1969-12-31T23:00:00Z"));
    }

    #[test]
    fn a_letter_is_outdated_by_its_claims_and_its_number() {
        let then = facts_at("2012-01-15T12:00:00Z");
        assert_eq!(then.outdated(&then, Audience::Customers), [""; 0]);
        let mut now = then.clone();
        now.claims.hold.remove(&Claim::Recorded);
        now.exposed += 1;
        let recorded = "a separate machine recorded every access";
        assert_eq!(then.outdated(&now, Audience::Customers), [recorded, "35 people were exposed"]);
        assert_eq!(then.outdated(&now, Audience::Staff), ["35 people were exposed"]);
    }

    #[test]
    fn stored_facts_are_read_with_the_claims_that_their_texts_made() {
        let facts = facts_at("2012-01-15T12:00:00Z");
        let json = serde_json::to_value(&facts).unwrap();
        assert_eq!(serde_json::from_value::<Facts>(json.clone()).unwrap(), facts);
        let mut old = json;
        let stored = old.as_object_mut().unwrap();
        stored.remove("claims");
        for (flag, set) in [("cards_untouched", false), ("contained", true), ("voided", false)] {
            stored.insert(flag.into(), set.into());
        }
        let claims = serde_json::from_value::<Facts>(old).unwrap().claims;
        for (claim, made) in [
            (Claim::Contained, true),
            (Claim::CardsUntouched, false),
            (Claim::Voided, false),
            (Claim::Recorded, true),
            (Claim::NothingElseRead, true),
            (Claim::CardsRead, false),
        ] {
            assert_eq!(claims.has(claim), made, "{claim:?}");
        }
    }
}
