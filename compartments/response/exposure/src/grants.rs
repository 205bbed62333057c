//! The grants of the fallen hosts: the fields that they were allowed to read.

use std::collections::BTreeMap;

use cofferdam_core::{CallerName, Domain, Field, FieldSet, Operation};
use keys_api::{CallerStatus, Grant};
use response_api::{DoubtCause, HostKind};
use roaring::RoaringBitmap;

use crate::bitmaps::{Bitmaps, select};
use crate::{FallenHosts, Findings, unknown_hosts};

/// The fields that the fallen hosts may read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    /// The fields of each domain that they may read of everybody.
    everybodys: BTreeMap<Domain, FieldSet>,
    /// The fields of `accounts` that they may read of customers who are signed in there.
    under_presence: FieldSet,
}

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

    /// The granted fields of a domain, be it of everybody or under presence.
    #[must_use]
    pub fn of(&self, domain: Domain) -> FieldSet {
        let everybodys = self.everybodys.get(&domain).copied().unwrap_or_default();
        match domain {
            Domain::Accounts => everybodys.union(self.under_presence),
            Domain::Payments | Domain::Response => everybodys,
        }
    }

    /// The records within reach, field by field. A field that is granted only under presence is within
    /// reach of the customers with a live session there.
    #[must_use]
    pub fn within_reach(&self, filled: &Bitmaps, live_sessions: &RoaringBitmap) -> Bitmaps {
        let everybodys = self.everybodys.values().fold(FieldSet::EMPTY, |all, of| all.union(*of));
        let mut reach = select(filled, everybodys);
        for (field, records) in select(filled, self.under_presence.without(everybodys)) {
            let of_present = records & live_sessions;
            if !of_present.is_empty() {
                reach.insert(field, of_present);
            }
        }
        reach
    }

    fn add_callers(
        &mut self,
        hosts: &FallenHosts,
        findings: &mut Findings,
        callers: &[CallerStatus],
    ) {
        for status in callers.iter().filter(|status| hosts.callers().contains(&status.caller)) {
            for domain in Domain::ALL {
                self.add(domain, granted(&status.grants, domain, Operation::Release));
            }
            let present = granted(&status.grants, Domain::Accounts, Operation::ReleasePresent);
            self.under_presence = self.under_presence.union(present);
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
            let all = self.everybodys.entry(domain).or_default();
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

/// The fields of `domain` that grants allow an operation on.
fn granted(grants: &[Grant], domain: Domain, operation: Operation) -> FieldSet {
    let of = grants.iter().filter(|of| of.domain == domain && of.operation == operation);
    of.fold(FieldSet::EMPTY, |all, grant| all.union(grant.fields))
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

    fn all(grants: &Grants) -> FieldSet {
        Domain::ALL.into_iter().fold(FieldSet::EMPTY, |all, domain| all.union(grants.of(domain)))
    }

    fn response() -> CallerName {
        "response".parse().unwrap()
    }

    #[test]
    fn only_grants_of_fallen_callers_to_read_count() {
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
        assert_eq!(findings.doubts, []);
    }

    /// Everybody's name is within reach, and the telephone numbers of those who were signed in. A host
    /// with both grants reads everybody's.
    #[test]
    fn a_grant_under_presence_reaches_those_with_a_live_session() {
        use Operation::{Release, ReleasePresent};
        let set = |records: &[u32]| records.iter().copied().collect::<RoaringBitmap>();
        let filled = Bitmaps::from([
            (Field::Name, set(&[1, 2, 3])),
            (Field::Phone, set(&[1, 3])),
            (Field::Email, set(&[2])),
        ]);
        let presence = status(
            "web-1",
            &[
                (Domain::Accounts, Release, Field::Name),
                (Domain::Accounts, ReleasePresent, Field::Name),
                (Domain::Accounts, ReleasePresent, Field::Phone),
                (Domain::Accounts, ReleasePresent, Field::Email),
            ],
        );
        let other = status("web-2", &[(Domain::Accounts, Release, Field::Phone)]);
        let reach = |names: &[&str], live: &[u32]| {
            let callers = [presence.clone(), other.clone()];
            let mut findings = Findings::default();
            let grants = Grants::in_estate(&hosts(names), &mut findings, &response(), Ok(&callers));
            grants.within_reach(&filled, &set(live))
        };
        let name = (Field::Name, set(&[1, 2, 3]));
        let reached = Bitmaps::from([name.clone(), (Field::Phone, set(&[3]))]);
        assert_eq!(reach(&["web-1"], &[3, 9]), reached);
        assert_eq!(reach(&["web-1"], &[]), Bitmaps::from([name.clone()]));
        let all = Bitmaps::from([name, (Field::Phone, set(&[1, 3]))]);
        assert_eq!(reach(&["web-1", "web-2"], &[]), all);
        assert_eq!(reach(&["web-2"], &[2]), Bitmaps::from([(Field::Phone, set(&[1, 3]))]));
    }

    #[test]
    fn a_compartment_reaches_its_domain_whatever_its_grants() {
        for (host, domain) in [("a=accounts", Domain::Accounts), ("p=payments", Domain::Payments)] {
            let mut findings = Findings::default();
            let grants = Grants::in_estate(&hosts(&[host]), &mut findings, &response(), Ok(&[]));
            assert_eq!(all(&grants), fields_of_domain(domain), "{host}");
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
            all(&grants)
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
