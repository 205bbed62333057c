//! No answer leaves without an entry, if it tells whether a customer exists or which fields are set.

use cofferdam_core::{Clock as _, Field, FieldSet, KeyBytes, Record};
use cofferdam_wire::ProblemType;
use jiff::SignedDuration;
use keys_api::{
    CheckPassword, EraseRecords, Event, IndexAddresses, KeyGroup, NoteAddresses, ReleaseKeys,
    Search, Ticket,
};

use crate::support::{Keys, ask, events, fields, group, name, refused, until};

const NAME: &[Field] = &[Field::Name];
const EMAIL: &[Field] = &[Field::Email];

/// A group whose records lack fields.
fn lacking(set: &[Field], unset: &[Field], records: &[u32]) -> KeyGroup {
    KeyGroup { unset: fields(unset), ..group(set, records) }
}

/// The entries about fields that are not there: caller, fields, records, and whether alone.
async fn missed(keys: &Keys) -> Vec<(String, FieldSet, Vec<u32>, bool)> {
    let missed = events(keys).await.into_iter().filter_map(|event| match event {
        Event::Missed { caller, via, fields, records, alone, .. } => {
            assert_eq!(via, name("accounts"));
            let records = records.as_slice().iter().map(|record| record.0).collect();
            Some((caller.to_string(), fields, records, alone))
        }
        _ => None,
    });
    missed.collect()
}

#[tokio::test]
async fn unset_fields_take_grant_budget_and_log_like_set_ones() {
    let mut keys = Keys::start().await;
    let accounts = keys.client("accounts");
    let call = |groups| ReleaseKeys { groups, ..ask("web-ky-1", &[]) };
    // `web-ky-1` has no grant for phones.
    let phones = call(vec![lacking(&[], &[Field::Phone], &[1])]);
    refused(accounts.call(&phones).await, ProblemType::NOT_GRANTED);
    let beside = call(vec![lacking(NAME, &[Field::Phone], &[1])]);
    refused(accounts.call(&beside).await, ProblemType::NOT_GRANTED);
    assert_eq!(missed(&keys).await, []);

    // A compartment asks for `Record::NOBODY` if it has no record for a reference.
    let nobody = Record::NOBODY.0;
    let groups = vec![lacking(NAME, EMAIL, &[1, 2]), lacking(&[], NAME, &[3, nobody])];
    let released = accounts.call(&call(groups)).await.unwrap();
    let counts: Vec<_> = released.groups[0].records.iter().map(|of| of.keys.len()).collect();
    assert_eq!(counts, [1, 1]);
    let web = || "web-ky-1".to_owned();
    let expected =
        [(web(), fields(EMAIL), vec![1, 2], false), (web(), fields(NAME), vec![3, nobody], true)];
    assert_eq!(missed(&keys).await, expected);

    // Four records of a hundred are spent, also after a restart.
    keys.restart().await;
    let accounts = keys.client("accounts");
    let more: Vec<u32> = (1_000..1_097).collect();
    let too_many = call(vec![lacking(&[], NAME, &more)]);
    refused(accounts.call(&too_many).await, ProblemType::BUDGET_EXHAUSTED);
    accounts.call(&call(vec![lacking(&[], NAME, &more[1..])])).await.unwrap();
}

#[tokio::test]
async fn an_erased_record_is_told_as_missing() {
    let keys = Keys::start().await;
    let accounts = keys.client("accounts");
    let (domain, caller) = (cofferdam_core::Domain::Accounts, name("web-ky-1"));
    let erase = EraseRecords { domain, caller, records: vec![Record(7)], held: true };
    accounts.call(&erase).await.unwrap();
    let call = ReleaseKeys { groups: vec![lacking(NAME, EMAIL, &[7, 8])], ..ask("web-ky-1", &[]) };
    assert_eq!(accounts.call(&call).await.unwrap().erased, [Record(7)]);
    let both = fields(&[Field::Name, Field::Email]);
    let web = || "web-ky-1".to_owned();
    let expected = [(web(), fields(EMAIL), vec![8], false), (web(), both, vec![7], true)];
    assert_eq!(missed(&keys).await, expected);
}

#[tokio::test]
async fn only_reading_has_unset_fields_and_no_field_is_both() {
    let keys = Keys::start().await;
    for operation in [cofferdam_core::Operation::Seal, cofferdam_core::Operation::Reseal] {
        let groups = vec![lacking(NAME, EMAIL, &[1])];
        let call = ReleaseKeys { operation, groups, ..ask("web-ky-1", &[]) };
        refused(keys.client("accounts").call(&call).await, ProblemType::BAD_REQUEST);
    }
    for groups in [
        vec![lacking(NAME, NAME, &[1])],
        vec![lacking(&[], NAME, &[1]), group(NAME, &[1])],
        vec![lacking(NAME, EMAIL, &[Record::NOBODY.0])],
    ] {
        let call = ReleaseKeys { groups, ..ask("web-ky-1", &[]) };
        refused(keys.client("accounts").call(&call).await, ProblemType::BAD_REQUEST);
    }
}

#[tokio::test]
async fn a_look_up_is_noted_or_told_as_unanswered() {
    let mut keys = Keys::start().await;
    let caller = || name("web-ky-1");
    let index = IndexAddresses { caller: caller(), digests: vec![KeyBytes::new([1; 32])] };
    let accounts = keys.client("accounts");
    let mut tickets = Vec::new();
    for _ in 0..3 {
        tickets.push(accounts.call(&index).await.unwrap().ticket);
    }
    let [found, typed, lost]: [Ticket; 3] = tickets.try_into().unwrap();
    let (search, records) = (Search::Reset, vec![Record(4)]);
    let note = NoteAddresses { caller: caller(), ticket: found, search, records };
    accounts.call(&note).await.unwrap();
    let looked_up = Some(typed);
    let typed_in = CheckPassword { looked_up, ..crate::support::typed("web-ky-1", Record(5)) };
    accounts.call(&typed_in).await.unwrap();
    let noted = |events: &[Event]| -> Vec<(Search, Ticket, Vec<Record>)> {
        let noted = events.iter().filter_map(|event| match event {
            Event::Found { search, ticket, records, .. } => {
                Some((*search, *ticket, records.as_slice().to_vec()))
            }
            _ => None,
        });
        noted.collect()
    };
    let expected =
        [(Search::Reset, found, vec![Record(4)]), (Search::SignIn, typed, vec![Record(5)])];
    assert_eq!(noted(&events(&keys).await), expected);

    // The look-up without a note is told a minute later, over a restart, and once.
    let at = keys.clock.now();
    keys.restart().await;
    keys.clock.advance(SignedDuration::from_secs(61));
    let unanswered = async |keys: &Keys| {
        let events = events(keys).await.into_iter();
        let told = events.filter_map(|event| match event {
            Event::Unanswered { caller, count, ticket, sought, .. } => {
                Some((caller, count, ticket, sought))
            }
            _ => None,
        });
        told.collect::<Vec<_>>()
    };
    until(async || !unanswered(&keys).await.is_empty()).await;
    keys.restart().await;
    let second = keys.client("accounts").call(&index).await.unwrap().ticket;
    keys.clock.advance(SignedDuration::from_secs(61));
    until(async || unanswered(&keys).await.len() > 1).await;
    let told = unanswered(&keys).await;
    let [(of, 1, ticket, sought), (_, 1, next, _)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((of, ticket, next), (&caller(), &lost, &second));
    assert!(at.duration_since(*sought) < SignedDuration::from_secs(1), "{sought}");
}
