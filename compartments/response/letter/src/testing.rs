//! An incident and its exposure for tests.

use std::collections::BTreeMap;

use cofferdam_core::{Domain, Timestamp};
use response_api::{Exposure, Incident, IncidentId, LevelCounts, People, Untouched};

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// One app server, in a window without an end.
pub fn incident() -> Incident {
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

/// An exposure without a doubt, and with no card touched.
pub fn exposure() -> Exposure {
    let untouched = Untouched { domain: Domain::Payments, records: 9, released: 0, granted: false };
    Exposure {
        incident: IncidentId(4),
        computed: at("2012-01-15T11:59:00Z"),
        until: at("2012-01-15T10:00:00Z"),
        people: LevelCounts { read: 30, presented: 5, known_unset: 40, reachable: 700 },
        assumed: 0,
        while_signed_in: 12,
        fields: BTreeMap::new(),
        brought: BTreeMap::new(),
        jurisdictions: BTreeMap::new(),
        languages: BTreeMap::new(),
        minors: 0,
        undeliverable: 0,
        customers: 24_000,
        given_up: vec![],
        untouched: vec![untouched],
        logs: vec![],
        access_logs: vec![],
        unresolved: vec![],
        doubts: vec![],
    }
}
