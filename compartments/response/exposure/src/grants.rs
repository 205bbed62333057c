//! The grants of the fallen hosts: the fields that they were allowed to read.

use std::collections::BTreeMap;

use cofferdam_core::{CallerName, Domain, Field, FieldSet, Operation};
use keys_api::{CallerStatus, Grant};
use response_api::{DoubtCause, HostKind};

use crate::bitmaps::Bitmaps;
use crate::{FallenHosts, Findings, unknown_hosts};

/// The fields of each domain that the fallen hosts may read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants(BTreeMap<Domain, FieldSet>);

impl Grants {
    /// Grants everything in a brought table, because no wall of a conventional estate says
    /// otherwise.
    #[must_use]
    pub fn whole_table(filled: &Bitmaps) -> Self {
        let mut grants = Self::default();
        for field in filled.keys() {
            grants.add(field.domain(), FieldSet::EMPTY.with(*field));
        }
        grants
    }

    /// The grants of an estate, from the status of the callers of `keys`. If the status is not
    /// known, `callers` holds the reason. `response` is the name of this compartment as a caller.
    /// Adds doubts to `findings`.
    ///
    /// A fallen compartment reaches every field of its domain. A fallen holder of a warrant reaches
    /// the fields that warrants release.
    pub fn in_estate(
        hosts: &FallenHosts,
        findings: &mut Findings,
        response: &CallerName,
        callers: Result<&[CallerStatus], String>,
    ) -> Self {
        let mut grants = Self::default();
        for (kind, domain) in
            [(HostKind::Accounts, Domain::Accounts), (HostKind::Payments, Domain::Payments)]
        {
            if hosts.any(kind) {
                grants.add(domain, fields_of_domain(domain));
            }
        }
        for domain in &findings.fronted {
            grants.add(*domain, fields_of_domain(*domain));
        }
        if hosts.any(HostKind::Response) && findings.warrants.contains(response) {
            grants.add(Domain::Accounts, FieldSet::EMPTY.with(Field::Name).with(Field::Email));
        }
        match callers {
            Ok(callers) => grants.add_callers(hosts, findings, callers),
            Err(reason) => grants.add_unknown(hosts, findings, reason),
        }
        grants
    }

    /// The granted fields of a domain.
    #[must_use]
    pub fn of(&self, domain: Domain) -> FieldSet {
        self.0.get(&domain).copied().unwrap_or(FieldSet::EMPTY)
    }

    /// The granted fields of all domains.
    #[must_use]
    pub fn all(&self) -> FieldSet {
        self.0.values().fold(FieldSet::EMPTY, |all, fields| all.union(*fields))
    }

    fn add_callers(
        &mut self,
        hosts: &FallenHosts,
        findings: &mut Findings,
        callers: &[CallerStatus],
    ) {
        for status in callers.iter().filter(|status| hosts.callers().contains(&status.caller)) {
            for domain in Domain::ALL {
                self.add(domain, readable(&status.grants, domain));
            }
        }
        let known = |name: &CallerName| {
            findings.seen.contains(name) || callers.iter().any(|status| status.caller == *name)
        };
        findings.doubts.extend(unknown_hosts(hosts, known));
    }

    fn add_unknown(&mut self, hosts: &FallenHosts, findings: &mut Findings, reason: String) {
        if hosts.apps().next().is_some() {
            for domain in [Domain::Accounts, Domain::Payments] {
                self.add(domain, fields_of_domain(domain));
            }
        }
        findings.doubts.push(DoubtCause::GrantsUnknown { reason });
    }

    fn add(&mut self, domain: Domain, fields: FieldSet) {
        if !fields.is_empty() {
            let all = self.0.entry(domain).or_default();
            *all = all.union(fields);
        }
    }
}

/// The fields that a domain seals. A session is never sealed.
#[must_use]
pub fn fields_of_domain(domain: Domain) -> FieldSet {
    let sealed = |field: &Field| field.domain() == domain && *field != Field::Session;
    Field::ALL.iter().copied().filter(sealed).collect()
}

/// The fields of `domain` that a grant lets its holder read.
fn readable(grants: &[Grant], domain: Domain) -> FieldSet {
    let releases = grants
        .iter()
        .filter(|grant| grant.domain == domain && grant.operation == Operation::Release);
    releases.fold(FieldSet::EMPTY, |all, grant| all.union(grant.fields))
}

#[cfg(test)]
mod tests {
    use response_api::People;

    use super::*;

    fn hosts(names: &[&str]) -> FallenHosts {
        let names: Vec<_> = names.iter().map(|name| name.parse().unwrap()).collect();
        FallenHosts::new(People::Accounts, &names)
    }

    fn status(name: &str, grants: &[(Domain, Operation, Field)]) -> CallerStatus {
        let grant = |(domain, operation, field): &(Domain, Operation, Field)| Grant {
            domain: *domain,
            operation: *operation,
            fields: FieldSet::EMPTY.with(*field),
        };
        CallerStatus {
            caller: name.parse().unwrap(),
            frozen: false,
            grants: grants.iter().map(grant).collect(),
            budgets: BTreeMap::new(),
            lowered: vec![],
            last_hour: BTreeMap::new(),
            hours_to_drain: None,
        }
    }

    fn response() -> CallerName {
        "response".parse().unwrap()
    }

    #[test]
    fn only_release_grants_of_fallen_callers_count() {
        use Domain::{Accounts, Payments};
        let callers = [
            status(
                "web-1",
                &[
                    (Accounts, Operation::Release, Field::Name),
                    (Accounts, Operation::Release, Field::Phone),
                    (Accounts, Operation::Seal, Field::Email),
                    (Payments, Operation::Release, Field::CardMasked),
                ],
            ),
            status("web-2", &[(Accounts, Operation::Release, Field::BillingAddress)]),
        ];
        let mut findings = Findings::default();
        let grants =
            Grants::in_estate(&hosts(&["web-1"]), &mut findings, &response(), Ok(&callers));
        assert_eq!(grants.of(Accounts), FieldSet::EMPTY.with(Field::Name).with(Field::Phone));
        assert_eq!(grants.of(Payments), FieldSet::EMPTY.with(Field::CardMasked));
        assert_eq!(grants.all().len(), 3);
        assert_eq!(findings.doubts, []);
    }

    #[test]
    fn a_compartment_reaches_its_domain_whatever_its_grants() {
        for (host, domain) in [("a=accounts", Domain::Accounts), ("p=payments", Domain::Payments)] {
            let mut findings = Findings::default();
            let grants = Grants::in_estate(&hosts(&[host]), &mut findings, &response(), Ok(&[]));
            assert_eq!(grants.all(), fields_of_domain(domain), "{host}");
        }
        let mut findings = Findings { fronted: [Domain::Payments].into(), ..Findings::default() };
        let grants = Grants::in_estate(&hosts(&["web=app"]), &mut findings, &response(), Ok(&[]));
        assert_eq!(grants.of(Domain::Payments), fields_of_domain(Domain::Payments));
    }

    #[test]
    fn a_fallen_response_reaches_contacts_once_a_warrant_was_opened_for_it() {
        let contacts = FieldSet::EMPTY.with(Field::Name).with(Field::Email);
        for (host, warrant_for, reached) in [
            ("response=response", "response", contacts),
            ("response=response", "accounts", FieldSet::EMPTY),
            ("relay=relay", "response", FieldSet::EMPTY),
        ] {
            let warrants = [warrant_for.parse().unwrap()].into();
            let mut findings = Findings { warrants, ..Findings::default() };
            let grants = Grants::in_estate(&hosts(&[host]), &mut findings, &response(), Ok(&[]));
            assert_eq!(grants.of(Domain::Accounts), reached, "{host} {warrant_for}");
        }
    }

    #[test]
    fn grants_that_are_not_known_count_as_everything_to_an_app_server() {
        let read = |host| {
            let mut findings = Findings::default();
            let reason = Err("refused".to_owned());
            let grants = Grants::in_estate(&hosts(&[host]), &mut findings, &response(), reason);
            assert_eq!(findings.doubts, [DoubtCause::GrantsUnknown { reason: "refused".into() }]);
            grants.all()
        };
        let everything =
            fields_of_domain(Domain::Accounts).union(fields_of_domain(Domain::Payments));
        assert_eq!(read("web-1"), everything);
        assert_eq!(read("b=accounts_database"), FieldSet::EMPTY);
    }

    #[test]
    fn a_host_that_nobody_knows_is_a_doubt() {
        let mut findings = Findings::default();
        findings.seen.insert("web-2".parse().unwrap());
        let hosts = hosts(&["web-1", "web-2", "web-3", "b=accounts_database"]);
        let callers = [status("web-3", &[])];
        Grants::in_estate(&hosts, &mut findings, &response(), Ok(&callers));
        let unknown = DoubtCause::UnknownHost { host: "web-1".parse().unwrap() };
        assert_eq!(findings.doubts, [unknown]);
    }

    #[test]
    fn a_session_is_sealed_by_nobody() {
        let fields = fields_of_domain(Domain::Accounts);
        assert!(fields.contains(Field::Password) && !fields.contains(Field::Session));
        assert!(!fields.contains(Field::CardNumber));
    }
}
