//! Mail providers: the settings and the mail domains of each.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// A mail provider, as `response.toml` describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// The provider's name in listings and commands.
    pub name: String,
    /// The mail domains of its mailboxes.
    #[serde(default)]
    pub domains: Vec<String>,
    /// The endings of the names of its mail exchanges.
    #[serde(default)]
    pub exchanges: Vec<String>,
    /// The most connections of one worker at once.
    #[serde(default = "four")]
    pub connections: u32,
    /// The most letters a second from one worker; no limit without it.
    #[serde(default)]
    pub rate: Option<u32>,
    /// The most letters over one connection.
    #[serde(default = "thousand")]
    pub per_connection: u32,
    /// The most letters a second in each of the first hours.
    #[serde(default)]
    pub warm_up: Vec<u32>,
}

impl ProviderConfig {
    /// A provider without a limit.
    #[must_use]
    pub fn unlimited(name: &str, connections: u32) -> Self {
        Self {
            name: name.to_owned(),
            domains: vec![],
            exchanges: vec![],
            connections,
            rate: None,
            per_connection: thousand(),
            warm_up: vec![],
        }
    }
}

const fn four() -> u32 {
    4
}

const fn thousand() -> u32 {
    1_000
}

/// The name of the provider that stands for every mail domain without a named provider.
pub const OTHERS: &str = "others";

/// Finds the provider of a domain's mailboxes.
#[derive(Debug, Default)]
pub struct Providers {
    domains: HashMap<String, usize>,
    exchanges: Vec<(String, usize)>,
}

impl Providers {
    /// Makes the finder for a configuration. Providers are numbered by their place in it.
    #[must_use]
    pub fn new(all: &[ProviderConfig]) -> Self {
        let mut providers = Self::default();
        for (place, provider) in all.iter().enumerate() {
            for domain in &provider.domains {
                providers.domains.insert(domain.to_ascii_lowercase(), place);
            }
            for exchange in &provider.exchanges {
                providers.exchanges.push((exchange.to_ascii_lowercase(), place));
            }
        }
        providers
    }

    /// The provider of a domain, by the domain's name alone.
    #[must_use]
    pub fn of_domain(&self, domain: &str) -> Option<usize> {
        self.domains.get(domain).copied()
    }

    /// Whether a provider can be recognised by its mail exchanges.
    #[must_use]
    pub const fn knows_exchanges(&self) -> bool {
        !self.exchanges.is_empty()
    }

    /// The provider of a domain, by the names of the domain's mail exchanges.
    #[must_use]
    pub fn of_exchanges(&self, names: &[String]) -> Option<usize> {
        let ends = |name: &str, suffix: &str| {
            name == suffix || name.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.'))
        };
        names.iter().find_map(|name| {
            let found = self.exchanges.iter().find(|(suffix, _)| ends(name, suffix));
            found.map(|(_, place)| *place)
        })
    }
}

#[cfg(test)]
mod tests {
    use serde::de::value::{Error, MapDeserializer};

    use super::*;

    #[test]
    fn a_domain_is_told_by_name_or_by_its_exchanges() {
        let mut google = ProviderConfig::unlimited("google", 4);
        google.domains = vec!["Gmail.com".into()];
        google.exchanges = vec!["google.com".into()];
        let providers = Providers::new(&[google]);
        assert_eq!(providers.of_domain("gmail.com"), Some(0));
        assert_eq!(providers.of_domain("shop.example"), None);
        assert_eq!(providers.of_exchanges(&["aspmx.l.google.com".into()]), Some(0));
        assert_eq!(providers.of_exchanges(&["notgoogle.com".into()]), None);
    }

    #[test]
    fn a_provider_without_settings_has_four_connections_of_a_thousand_letters() {
        let settings = MapDeserializer::<_, Error>::new([("name", "mail")].into_iter());
        let provider = ProviderConfig::deserialize(settings).unwrap();
        assert_eq!(provider, ProviderConfig::unlimited("mail", 4));
        assert_eq!((provider.connections, provider.per_connection), (4, 1_000));
    }

    #[test]
    fn each_provider_is_found_by_its_place() {
        let mut all = ["one", "two", "three"].map(|name| ProviderConfig::unlimited(name, 4));
        assert!(!Providers::new(&all).knows_exchanges());
        all[2].domains = vec!["three.example".into()];
        all[2].exchanges = vec!["mx.example".into()];
        let providers = Providers::new(&all);
        assert!(providers.knows_exchanges());
        assert_eq!(providers.of_domain("three.example"), Some(2));
        assert_eq!(providers.of_exchanges(&["other.example".into(), "mx.example".into()]), Some(2));
    }
}
