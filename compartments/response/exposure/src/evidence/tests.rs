use accounts_api::{Coarse, CoarseRow};
use cofferdam_core::{FieldSet, Operation, Record};
use response_api::{Level, LevelCounts};

use super::*;

const ACCOUNTS_FIELDS: [Field; 3] = [Field::Name, Field::Email, Field::Phone];

/// Ten customers in two countries. Customer 9 has no e-mail address.
fn population() -> Population {
    let mut population = Population::default();
    let row = |record: u32| CoarseRow {
        record: Record(record),
        coarse: Coarse {
            country: Some(if record < 5 { "US" } else { "DE" }.parse().unwrap()),
            region: None,
            language: "en".parse().unwrap(),
            minor: record == 1,
        },
        filled: ACCOUNTS_FIELDS
            .into_iter()
            .filter(|field| record != 9 || *field != Field::Email)
            .collect(),
    };
    population.put(&(0..10).map(row).collect::<Vec<_>>());
    population
}

fn hosts(people: People, names: &[&str]) -> FallenHosts {
    let names: Vec<_> = names.iter().map(|name| name.parse().unwrap()).collect();
    FallenHosts::new(people, &names)
}

fn evidence(people: People, names: &[&str]) -> Evidence {
    let population = population();
    let mut findings = Findings::default();
    let grants = match people {
        People::Table => Grants::whole_table(&population.filled),
        People::Accounts => {
            let response = "response".parse().unwrap();
            Grants::in_estate(&hosts(people, names), &mut findings, &response, Ok(&[]))
        }
    };
    findings.doubts.clear();
    Evidence {
        incident: IncidentId(1),
        hosts: hosts(people, names),
        population: Arc::new(population),
        cards: 4,
        grants,
        findings,
        sessions_held: RoaringBitmap::new(),
        undeliverable: RoaringBitmap::new(),
        sources: Sources::default(),
        computed: Timestamp::UNIX_EPOCH,
        until: Timestamp::UNIX_EPOCH,
    }
}

fn read(evidence: &mut Evidence, level: Level, field: Field, records: &[u32]) {
    let bitmap = evidence.findings.levels.at_mut(level).entry(field).or_default();
    bitmap.extend(records.iter().copied());
}

fn counts(read: u64, presented: u64, reachable: u64) -> LevelCounts {
    LevelCounts { read, presented, known_unset: 0, reachable }
}

#[test]
fn the_rest_within_reach_is_reachable() {
    let mut of = evidence(People::Table, &["web-1"]);
    read(&mut of, Level::Read, Field::Name, &[1, 2]);
    read(&mut of, Level::Presented, Field::Email, &[2, 6]);
    of.undeliverable = [2, 8].into();
    let (exposure, levels) = of.judge();
    assert_eq!(exposure.people, counts(2, 1, 7));
    assert_eq!(exposure.assumed, 0);
    assert_eq!(exposure.fields[&Field::Name], counts(2, 0, 8));
    assert_eq!(exposure.fields[&Field::Email], counts(0, 2, 7));
    assert_eq!(exposure.jurisdictions, [("US".into(), 2), ("DE".into(), 1)].into());
    assert_eq!(exposure.languages, [("en".into(), 3)].into());
    assert_eq!((exposure.minors, exposure.undeliverable), (1, 1));
    assert_eq!((exposure.customers, exposure.untouched), (10, vec![]));
    assert_eq!(levels.reachable[&Field::Phone].len(), 10);
}

#[test]
fn a_doubt_that_counts_as_read_takes_everybody_within_reach_and_says_how_many_it_assumed() {
    let gap = DoubtCause::NotCovered {
        host: None,
        from: Timestamp::UNIX_EPOCH,
        to: Timestamp::UNIX_EPOCH,
    };
    let unknown = DoubtCause::UnknownHost { host: "web-1".parse().unwrap() };
    for (doubt, expected, assumed) in [(gap, counts(10, 0, 0), 8), (unknown, counts(2, 0, 8), 0)] {
        let mut of = evidence(People::Table, &["web-1"]);
        read(&mut of, Level::Read, Field::Name, &[1, 2]);
        of.findings.doubts.push(doubt.clone());
        let (exposure, _) = of.judge();
        assert_eq!((exposure.people, exposure.assumed), (expected, assumed), "{doubt:?}");
        assert_eq!(exposure.doubts, [Doubt::from(doubt)]);
    }
}

#[test]
fn a_table_that_fell_is_read_by_fact_and_not_assumed() {
    let (exposure, _) = evidence(People::Table, &["db=accounts_database"]).judge();
    assert_eq!((exposure.people, exposure.assumed), (counts(10, 0, 0), 0));
    assert_eq!(exposure.undeliverable, 1, "one person has no address");
    assert_eq!(exposure.doubts, []);
}

#[test]
fn an_unresolved_access_counts_as_everybodys_in_its_fields() {
    for (level, expected) in [(Level::Read, counts(9, 0, 1)), (Level::Presented, counts(0, 9, 1))] {
        let mut of = evidence(People::Table, &["web-1"]);
        of.findings.everybody.insert(level, FieldSet::EMPTY.with(Field::Email));
        let (exposure, _) = of.judge();
        assert_eq!((exposure.people, exposure.assumed), (expected, 0));
    }
}

#[test]
fn keys_and_ciphertext_together_lose_a_domain_whatever_the_log_says() {
    let (exposure, levels) = evidence(People::Accounts, &["k=keys", "p=payments_database"]).judge();
    assert_eq!(levels.read[&Field::CardNumber].len(), 4);
    assert_eq!(exposure.people, counts(0, 0, 0));
    let domain = Domain::Payments;
    assert_eq!(exposure.doubts, [Doubt::from(DoubtCause::KeysFellWith { domain })]);
    assert_eq!(exposure.untouched, [], "the log of fallen keys proves nothing");

    let (exposure, levels) = evidence(People::Accounts, &["k=keys", "a=accounts_database"]).judge();
    assert_eq!((exposure.people, exposure.assumed), (counts(10, 0, 0), 10));
    assert_eq!(levels.read[&Field::Password].len(), 10);
    assert!(!levels.read.contains_key(&Field::CardNumber));
}

#[test]
fn an_untouched_compartment_says_whether_a_fallen_host_had_a_grant_there() {
    let (exposure, _) = evidence(People::Accounts, &["payments=payments"]).judge();
    let untouched: Vec<_> = exposure.untouched.iter().map(|of| (of.domain, of.granted)).collect();
    assert_eq!(untouched, [(Domain::Accounts, false), (Domain::Payments, true)]);

    let mut of = evidence(People::Accounts, &["payments=payments"]);
    read(&mut of, Level::Presented, Field::CardNumber, &[3]);
    let (exposure, levels) = of.judge();
    assert_eq!(exposure.untouched.len(), 1);
    assert_eq!(levels.reachable[&Field::CardNumber].len(), 3);
}

/// A missing answer does not make a compartment untouched, and neither does a log that proves nothing.
#[test]
fn a_compartment_is_untouched_only_with_proof() {
    use Domain::{Accounts, Payments};
    let reason = || "refused".to_owned();
    for (host, doubt, untouched) in [
        ("web-1", None, vec![Accounts, Payments]),
        ("web-1", Some(DoubtCause::CardsUnknown { reason: reason() }), vec![Accounts]),
        ("web-1", Some(DoubtCause::SessionsUnknown { reason: reason() }), vec![]),
        (
            "web-1",
            Some(DoubtCause::LogDisagrees { log: "keys/log".into(), reason: reason() }),
            vec![],
        ),
        ("web-1", Some(DoubtCause::GrantsUnknown { reason: reason() }), vec![Accounts, Payments]),
        ("k=keys", None, vec![]),
    ] {
        let mut of = evidence(People::Accounts, &[host]);
        of.findings.doubts.extend(doubt.clone());
        let (exposure, _) = of.judge();
        let found: Vec<_> = exposure.untouched.iter().map(|of| of.domain).collect();
        assert_eq!(found, untouched, "{host} {doubt:?}");
    }
}

#[test]
fn the_brought_table_is_counted_apart_from_customers() {
    let mut of = evidence(People::Accounts, &["r=response"]);
    read(&mut of, Level::Read, Field::BroughtName, &[1, 2]);
    read(&mut of, Level::Read, Field::Name, &[7]);
    let (exposure, _) = of.judge();
    assert_eq!(exposure.brought, [(Field::BroughtName, counts(2, 0, 0))].into());
    assert!(!exposure.fields.contains_key(&Field::BroughtName));
    assert_eq!(exposure.people, counts(1, 0, 0));
}

#[test]
fn an_older_session_is_within_reach_unless_it_was_presented() {
    let mut of = evidence(People::Accounts, &["web-1"]);
    of.sessions_held = [1, 2, 3].into();
    of.findings.add_sessions([2].into());
    let (exposure, levels) = of.judge();
    assert_eq!(exposure.fields[&Field::Session], counts(0, 1, 2));
    assert_eq!(levels.reachable[&Field::Session], RoaringBitmap::from([1, 3]));
    assert_eq!(exposure.people, counts(0, 1, 2));
}

/// The evidence about an app server that is granted names of everybody, and telephone numbers and
/// addresses of those who are signed in.
fn under_presence(doubt: Option<DoubtCause>) -> Evidence {
    use Operation::{Release, ReleasePresent};
    let grant = |operation, fields: &[Field]| keys_api::Grant {
        domain: Domain::Accounts,
        operation,
        fields: fields.iter().copied().collect(),
    };
    let caller = keys_api::CallerStatus {
        caller: "web-1".parse().unwrap(),
        frozen: false,
        grants: vec![
            grant(Release, &[Field::Name]),
            grant(ReleasePresent, &[Field::Phone, Field::Email]),
        ],
        budgets: [].into(),
        lowered: vec![],
        last_hour: [].into(),
        hours_to_drain: None,
    };
    let mut of = evidence(People::Accounts, &["web-1"]);
    let response = "response".parse().unwrap();
    of.grants = Grants::in_estate(&of.hosts, &mut of.findings, &response, Ok(&[caller]));
    of.findings.doubts = doubt.into_iter().collect();
    of.sessions_held = [1, 2].into();
    of.findings.add_sessions([2, 3, 9].into());
    of
}

#[test]
fn those_who_were_signed_in_are_within_reach_of_a_grant_that_asks_for_it() {
    let mut of = under_presence(None);
    read(&mut of, Level::Read, Field::Phone, &[3]);
    let (exposure, levels) = of.judge();
    assert_eq!(levels.reachable[&Field::Name].len(), 10);
    assert_eq!(levels.reachable[&Field::Phone], RoaringBitmap::from([1, 2, 9]));
    // Customer 9 has no e-mail address.
    assert_eq!(levels.reachable[&Field::Email], RoaringBitmap::from([1, 2, 3]));
    assert_eq!(exposure.fields[&Field::Phone], counts(1, 0, 3));
}

/// Without the sessions, anybody may have been signed in.
#[test]
fn everybody_is_within_reach_if_the_sessions_are_not_known() {
    let unknown = DoubtCause::SessionsUnknown { reason: "refused".into() };
    let (_, levels) = under_presence(Some(unknown)).judge();
    assert_eq!(
        (levels.reachable[&Field::Phone].len(), levels.reachable[&Field::Email].len()),
        (10, 9)
    );
}

/// Whatever a doubt lets count as read, was not shown to be read under presence.
#[test]
fn a_doubt_reads_what_is_within_reach_and_nobody_is_known_to_have_been_there() {
    let cut = DoubtCause::LogShorter { log: "keys/log".into(), had: 2, has: 1 };
    for (doubt, phones, signed_in) in [(None, 1, vec![3]), (Some(cut), 4, vec![])] {
        let mut of = under_presence(doubt.clone());
        read(&mut of, Level::Read, Field::Phone, &[3]);
        let (exposure, levels) = of.judge();
        assert_eq!(levels.read[&Field::Phone].len(), phones, "{doubt:?}");
        assert_eq!(levels.while_signed_in.iter().collect::<Vec<_>>(), signed_in, "{doubt:?}");
        assert_eq!(exposure.while_signed_in, signed_in.len() as u64);
    }
}

#[test]
fn only_customers_without_any_other_read_were_read_while_signed_in() {
    let mut of = under_presence(None);
    read(&mut of, Level::Read, Field::Phone, &[1, 2, 3]);
    read(&mut of, Level::Presented, Field::Password, &[4]);
    read(&mut of, Level::Read, Field::CardNumber, &[0]);
    of.findings.read_unattended = [2].into();
    let (exposure, levels) = of.judge();
    assert_eq!(levels.while_signed_in, RoaringBitmap::from([1, 3]));
    assert_eq!((exposure.people.read, exposure.while_signed_in), (3, 2));

    let mut everybodys = under_presence(None);
    read(&mut everybodys, Level::Read, Field::Phone, &[3, 9]);
    everybodys.findings.everybody.insert(Level::Presented, FieldSet::EMPTY.with(Field::Email));
    assert_eq!(
        everybodys.clone().judge().0.while_signed_in,
        2,
        "an address that was typed is no read"
    );
    everybodys.findings.everybody.insert(Level::Read, FieldSet::EMPTY.with(Field::Email));
    assert_eq!(everybodys.judge().1.while_signed_in, RoaringBitmap::from([9]));
}

#[test]
fn a_fallen_relay_reads_letters_and_learns_reset_codes() {
    let mut of = evidence(People::Accounts, &["mail=relay"]);
    of.findings.add_relayed(&[1].into(), &[2].into());
    let (exposure, levels) = of.judge();
    assert_eq!(levels.read[&Field::Name], RoaringBitmap::from([1]));
    assert_eq!(levels.read[&Field::Email], RoaringBitmap::from([1, 2]));
    assert_eq!(levels.presented[&Field::Password], RoaringBitmap::from([2]));
    assert_eq!(exposure.people, counts(2, 0, 0));
    assert!(levels.while_signed_in.is_empty());

    let mut nothing = evidence(People::Accounts, &["mail=relay"]);
    nothing.findings.add_relayed(&RoaringBitmap::new(), &RoaringBitmap::new());
    assert_eq!(nothing.findings.levels, Levels::default());
}

#[test]
fn people_are_undeliverable_by_a_failed_letter_or_without_an_address_and_only_if_affected() {
    let mut of = evidence(People::Table, &["web-1"]);
    read(&mut of, Level::Read, Field::Name, &[1, 2, 9]);
    of.undeliverable = [2, 5, 9].into();
    let (exposure, _) = of.judge();
    assert_eq!(exposure.undeliverable, 2);
}
