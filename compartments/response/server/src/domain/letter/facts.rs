//! The facts of an incident, as letters tell them.

use std::collections::BTreeMap;

use cofferdam_core::{Domain, Timestamp};
use response_api::{Exposure, Incident};
use serde::{Deserialize, Serialize};

use crate::Shop;

/// What letters say happened and was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The date of every letter.
    pub written: Timestamp,
    /// The incident's number.
    pub incident: u32,
    /// The window.
    pub began: Timestamp,
    /// Its end.
    pub ended: Timestamp,
    /// When it was found.
    pub discovered: Timestamp,
    /// Whether the card compartment gave the fallen hosts nothing, by its record.
    pub cards_untouched: bool,
    /// Every fallen caller is frozen.
    pub contained: bool,
    /// All credentials are void.
    pub voided: bool,
    /// People of whom something was read or presented.
    pub exposed: u64,
    /// All customers.
    pub customers: u64,
    /// Who writes.
    pub shop: Sender,
    /// What else is done, by language.
    pub measures: BTreeMap<String, String>,
    /// Whether law enforcement delayed the notice, by language.
    pub police_delay: BTreeMap<String, String>,
}

/// Who writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// Its name.
    pub name: String,
    /// Its web address, as people type it.
    pub web_address: String,
    /// Where a letter is checked, as people type it.
    pub verify_address: String,
    /// Where customers can write.
    pub support_email: String,
    /// Who signs.
    pub signatory: String,
    /// The title of who signs.
    pub signatory_title: String,
}

/// What has been done so far: a letter claims nothing else.
#[derive(Debug, Clone, Copy)]
pub struct Done {
    /// Every fallen caller is frozen.
    pub contained: bool,
    /// All credentials are void.
    pub voided: bool,
}

impl Facts {
    /// Takes the facts. Letters are dated to the hour: the same facts within it make the same
    /// version.
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
