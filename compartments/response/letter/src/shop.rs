//! The shop as the configuration describes it.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

/// The shop, as it appears in letters and on the notice.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shop {
    /// The shop's name.
    pub name: String,
    /// The shop's web address, as people type it: `shop.example`.
    pub web_address: String,
    /// The e-mail address that customers can write to.
    pub support_email: String,
    /// The e-mail address in the From line of letters.
    pub mail_from: String,
    /// The person who signs letters.
    pub signatory: String,
    /// The title of that person.
    pub signatory_title: String,
    /// The domain in Message-IDs.
    pub message_id_domain: String,
    /// The address of the page that checks a letter, as people type it: `shop.example/verify`.
    pub verify_address: String,
    /// The shop's further measures about an incident, as sentences for letters and notice, by
    /// language. Only the shop knows whether they are true.
    #[serde(default)]
    pub measures: BTreeMap<String, String>,
    /// A sentence by language, if law enforcement delayed the notice.
    #[serde(default)]
    pub police_delay: BTreeMap<String, String>,
}

impl Shop {
    /// The domains that letters may name: the shop's own, and `further` ones.
    #[must_use]
    pub fn domains(&self, further: &[String]) -> Vec<String> {
        let host = |address: &str| address.split('/').next().unwrap_or_default().to_lowercase();
        let mut domains = vec![
            host(&self.web_address),
            host(&self.verify_address),
            host(self.support_email.rsplit('@').next().unwrap_or_default()),
        ];
        domains.extend(further.iter().map(|domain| domain.to_lowercase()));
        let mut seen = HashSet::new();
        domains.retain(|domain| seen.insert(domain.clone()));
        domains
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_may_name_the_hosts_of_the_shops_addresses_and_further_ones() {
        let shop = Shop {
            name: "Shop".into(),
            web_address: "Shop.example".into(),
            support_email: "help@mail.shop.example".into(),
            mail_from: "news@news.example".into(),
            signatory: String::new(),
            signatory_title: String::new(),
            message_id_domain: "letters.example".into(),
            verify_address: "check.shop.example/verify".into(),
            measures: BTreeMap::new(),
            police_delay: BTreeMap::new(),
        };
        assert_eq!(
            shop.domains(&["Bank.example".to_owned()]),
            ["shop.example", "check.shop.example", "mail.shop.example", "bank.example"]
        );
    }
}
