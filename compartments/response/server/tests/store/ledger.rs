//! Letters and their ledger. After each step the counts that are kept are those that a recount
//! gives, and their sum is everybody.

use std::collections::BTreeSet;

use cofferdam_core::{Field, FieldSet};
use keys_api::WarrantId;
use response_api::{Audience, IncidentId, LedgerState, LetterId, LetterState};
use response_server::store::{Batch, CameBack, Holder, Locale, Outcome, PlannedRow, Put, Store};

use super::at;

const PEOPLE: u32 = 500;
const BATCH: u32 = 50;

fn fields() -> FieldSet {
    FieldSet::EMPTY.with(Field::Email).with(Field::Password)
}

fn holder(name: &str) -> Holder {
    Holder(name.to_owned())
}

fn outcome(person: u32, state: LedgerState) -> Outcome {
    // What relays say, quoted or not, stands in the ledger as it was said.
    let said = "250 \"ok\" 'queued' \\ as 4XyZ".to_owned();
    Outcome { person, state, provider: 1, outcome: said, at: at(3) }
}

async fn planned(store: &Store, incident: u32) -> LetterId {
    let letter = store.letter_to(IncidentId(incident), Audience::Customers, [7; 32]).await.unwrap();
    let id = letter.letter;
    let rows: Vec<_> = (0..PEOPLE)
        .rev()
        .map(|person| PlannedRow { person, fields: fields(), locale: 0 })
        .collect();
    for (batch, some) in (1..).zip(rows.chunks(BATCH as usize)) {
        store.plan(id, batch, some, at(1)).await.unwrap();
    }
    check(store, id).await;
    id
}

async fn check(store: &Store, id: LetterId) {
    let counts = store.counts(id).await.unwrap();
    assert_eq!(counts, store.recount(id).await.unwrap());
    assert_eq!(counts.total(), u64::from(PEOPLE));
}

async fn of(store: &Store, id: LetterId, state: LedgerState) -> u64 {
    store.counts(id).await.unwrap().of(state)
}

async fn claim(store: &Store, id: LetterId, by: &Holder, now: i64) -> Option<Batch> {
    store.claim(id, by, at(now + 60), at(now), &[]).await.unwrap()
}

pub async fn letters(store: &Store) {
    let letter = store.letter_to(IncidentId(1), Audience::Customers, [7; 32]).await.unwrap();
    let again = store.letter_to(IncidentId(1), Audience::Customers, [8; 32]).await.unwrap();
    assert_eq!((letter.letter, &letter.seed), (again.letter, &again.seed), "one an audience");
    let staff = store.letter_to(IncidentId(1), Audience::Staff, [9; 32]).await.unwrap();
    assert_ne!(staff.letter, letter.letter);
    let id = letter.letter;
    for body in ["one", "another"] {
        store.keep_version(id, "ab", body, (at(2), "operator-1")).await.unwrap();
    }
    assert_eq!(store.version(id, "ab").await.unwrap().as_deref(), Some("one"), "never changed");
    assert_eq!(store.version(staff.letter, "ab").await.unwrap(), None);
    store.set_planned(id).await.unwrap();
    store.set_approved(id, "ab", WarrantId([3; 16])).await.unwrap();
    assert!(!store.set_running(id, "cd", at(5)).await.unwrap(), "another version");
    assert!(store.set_running(id, "ab", at(6)).await.unwrap());
    store.pause(id, "why").await.unwrap();
    let paused = store.letter(id).await.unwrap().unwrap();
    assert_eq!((paused.state, paused.trouble.as_str()), (LetterState::Paused, "why"));
    assert!(!store.set_finished(id, at(7)).await.unwrap(), "it rests");
    assert!(store.set_running(id, "ab", at(7)).await.unwrap());
    let running = store.letter(id).await.unwrap().unwrap();
    assert_eq!((running.planned, running.warrant), (true, Some(WarrantId([3; 16]))));
    assert_eq!((running.started, running.finished), (Some(at(6)), None), "the first start counts");
    assert!(store.set_finished(id, at(8)).await.unwrap());
    assert!(!store.set_finished(id, at(9)).await.unwrap(), "one of many ends it");
    store.stop(id, "enough").await.unwrap();
    let stopped = store.letter(id).await.unwrap().unwrap();
    assert_eq!((stopped.state, stopped.version.as_deref()), (LetterState::Stopped, Some("ab")));
    // Whoever started or paused it at the same moment comes too late.
    assert!(!store.set_running(id, "ab", at(10)).await.unwrap());
    store.pause(id, "late").await.unwrap();
    assert_eq!(store.letter(id).await.unwrap().unwrap().state, LetterState::Stopped);
    store.set_approved(id, "ab", WarrantId([4; 16])).await.unwrap();
    assert_eq!(store.letter(id).await.unwrap().unwrap().state, LetterState::Planned);
    let key = store.letter_key([1; 32]).await.unwrap();
    assert_eq!(store.letter_key([2; 32]).await.unwrap(), key, "made once");
    let google = store.provider("google").await.unwrap();
    assert_ne!(store.provider("others").await.unwrap(), google);
    assert_eq!(store.provider("google").await.unwrap(), google);
}

pub async fn ledger(store: &Store) {
    let id = planned(store, 21).await;
    let again = [PlannedRow { person: 3, fields: FieldSet::EMPTY, locale: 0 }];
    store.plan(id, 10, &again, at(2)).await.unwrap();
    check(store, id).await;
    let locales = [("de", ""), ("en", "US-KY")].map(|(language, jurisdiction)| Locale {
        language: language.to_owned(),
        jurisdiction: jurisdiction.to_owned(),
    });
    store.set_locales(id, &locales).await.unwrap();
    assert_eq!(store.locales(id).await.unwrap(), locales);
    assert_eq!(store.variants(id).await.unwrap(), [(0, fields(), u64::from(PEOPLE))]);

    let one = claim(store, id, &holder("one"), 2).await.unwrap();
    let people: Vec<_> = one.rows.iter().map(|row| row.person).collect();
    assert_eq!(people, (450..500).rev().collect::<Vec<_>>(), "the freshest first");
    assert!(one.rows.iter().all(|row| row.fields == fields()));
    assert_eq!(of(store, id, LedgerState::Claimed).await, 50);
    let row = &store.ledger(id, None, 499, 1).await.unwrap()[0];
    assert_eq!((row.person, row.state), (499, LedgerState::Claimed));
    assert_eq!(store.held(id, &holder("one")).await.unwrap(), [one.batch]);
    check(store, id).await;

    let states = [LedgerState::Accepted, LedgerState::Bounced, LedgerState::Suppressed];
    let done: Vec<_> = (450..499).map(|p| outcome(p, states[p as usize % 3])).collect();
    for _ in 0..2 {
        store.record(id, Some(&holder("one")), &done).await.unwrap();
        check(store, id).await;
    }
    let late = Outcome { at: at(4), ..outcome(450, LedgerState::Bounced) };
    store.record(id, Some(&holder("one")), &[late]).await.unwrap();
    let row = &store.ledger(id, None, 450, 1).await.unwrap()[0];
    assert_eq!((row.state, row.at), (LedgerState::Accepted, at(3)), "the first outcome stays");
    assert_eq!(row.outcome, "250 \"ok\" 'queued' \\ as 4XyZ");
    store.put_back(id, &holder("one"), one.batch).await.unwrap();
    check(store, id).await;
    assert_eq!(of(store, id, LedgerState::Claimed).await, 0);
    assert_eq!(of(store, id, LedgerState::Planned).await, 451);
    let bounced = store.ledger(id, Some(LedgerState::Bounced), 0, 1_000).await.unwrap();
    assert_eq!(bounced.len() as u64, of(store, id, LedgerState::Bounced).await);
    assert!(store.has_row(id, 499).await.unwrap() && !store.has_row(id, 500).await.unwrap());
}

/// Four workers at once: everybody is claimed, nobody twice. One that is heard of no more leaves
/// doubts, which it can still settle; what another worker holds stays.
pub async fn workers(store: &Store) {
    let id = planned(store, 22).await;
    let worker = async |name: &str| {
        let (by, mut mine) = (holder(name), Vec::new());
        while let Some(batch) = claim(store, id, &by, 2).await {
            mine.extend(batch.rows.into_iter().map(|row| row.person));
        }
        mine
    };
    let (a, b, c, d) = tokio::join!(worker("a"), worker("b"), worker("c"), worker("d"));
    let lost = a.len() as u64;
    let all = [a.clone(), b, c, d].concat();
    assert_eq!(all.len(), PEOPLE as usize);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), PEOPLE as usize);
    check(store, id).await;
    assert_eq!(of(store, id, LedgerState::Claimed).await, u64::from(PEOPLE));

    for name in ["b", "c", "d"] {
        store.renew(id, &holder(name), at(200)).await.unwrap();
    }
    assert_eq!(store.take_over(id, at(61)).await.unwrap(), 0, "its lease runs");
    assert_eq!(store.take_over(id, at(100)).await.unwrap(), lost);
    assert_eq!(of(store, id, LedgerState::InDoubt).await, lost);
    assert_eq!(store.held(id, &holder("a")).await.unwrap(), Vec::<u32>::new());
    check(store, id).await;
    if lost > 0 {
        // It comes back: one it had sent, one was on the wire, and the rest it never tried.
        let known = [outcome(a[0], LedgerState::Accepted), outcome(a[1], LedgerState::InDoubt)];
        store.record(id, Some(&holder("a")), &known).await.unwrap();
        assert_eq!(of(store, id, LedgerState::InDoubt).await, lost - 1, "it knew after all");
        check(store, id).await;
        let unsent = store.plan_unsent(id, &holder("b"), at(102)).await.unwrap();
        assert_eq!(unsent, 0, "b is not silent");
        assert_eq!(store.plan_unsent(id, &holder("a"), at(102)).await.unwrap(), lost - 2);
        assert_eq!(of(store, id, LedgerState::InDoubt).await, 1);
        assert_eq!(of(store, id, LedgerState::Planned).await, lost - 2);
    }
    check(store, id).await;
}

/// Whoever no longer holds a batch moves nothing of it and no count, and a letter ends once.
pub async fn given_up(store: &Store) {
    let id = planned(store, 28).await;
    store.set_approved(id, "ab", WarrantId([5; 16])).await.unwrap();
    assert!(store.set_running(id, "ab", at(2)).await.unwrap());
    let (a, b) = (holder("a"), holder("b"));
    let batch = claim(store, id, &a, 2).await.unwrap();
    assert!(!store.set_finished(id, at(3)).await.unwrap(), "rows are open");
    assert_eq!(store.take_over(id, at(100)).await.unwrap(), 50);
    store.put_back(id, &a, batch.batch).await.unwrap();
    check(store, id).await;
    assert_eq!(store.doubt_batch(id, &a, batch.batch, "late", at(101)).await.unwrap(), 0);
    let people: Vec<_> = batch.rows.iter().map(|row| row.person).collect();
    let put = Put { provider: 3, attempts: 1, due: at(200) };
    let late = [outcome(people[0], LedgerState::Deferred)];
    store.put_off(id, &a, &late, put).await.unwrap();
    check(store, id).await;
    assert_eq!(of(store, id, LedgerState::InDoubt).await, 50);

    // The log settled what it could, and the rest is planned again; a is heard of after all.
    assert_eq!(store.plan_doubted(id, at(103)).await.unwrap(), 50);
    let known =
        [outcome(people[0], LedgerState::InDoubt), outcome(people[1], LedgerState::Accepted)];
    store.record(id, Some(&a), &known).await.unwrap();
    check(store, id).await;
    assert_eq!(of(store, id, LedgerState::InDoubt).await, 0, "it goes out again");
    assert_eq!(of(store, id, LedgerState::Accepted).await, 1, "it does not");

    // All else is sent by b; what a had on its last batch is found out after the end.
    let mut of_b = Vec::new();
    while let Some(batch) = claim(store, id, &b, 105).await {
        of_b.extend(batch.rows.iter().map(|row| outcome(row.person, LedgerState::Accepted)));
    }
    assert_eq!(of_b.len(), 499);
    store.record(id, Some(&b), &of_b[..400]).await.unwrap();
    assert_eq!(store.take_over(id, at(300)).await.unwrap(), 99);
    assert!(store.set_finished(id, at(301)).await.unwrap());
    assert!(!store.set_finished(id, at(301)).await.unwrap(), "once");
    assert_eq!(store.plan_unsent(id, &b, at(302)).await.unwrap(), 99);
    let state = store.letter(id).await.unwrap().unwrap().state;
    assert_eq!(state, LetterState::Running, "it goes on");
    check(store, id).await;
}

/// Counted in pieces: each person once.
pub async fn variants(store: &Store) {
    let letter = store.letter_to(IncidentId(27), Audience::Customers, [7; 32]).await.unwrap();
    let people = [0, 49_999, 50_000, 99_999, 100_000, 249_999];
    let row =
        |(n, person): (u16, &u32)| PlannedRow { person: *person, fields: fields(), locale: n % 2 };
    let rows: Vec<_> = (0..).zip(&people).map(row).collect();
    store.plan(letter.letter, 1, &rows, at(1)).await.unwrap();
    let variants = store.variants(letter.letter).await.unwrap();
    assert_eq!(variants, [(0, fields(), 3), (1, fields(), 3)]);
}

pub async fn pauses(store: &Store) {
    let (id, other) = (LetterId(900), LetterId(901));
    store.pause_provider(id, 3, "complaints", at(1)).await.unwrap();
    store.pause_provider(id, 3, "paused by operator-1", at(2)).await.unwrap();
    store.pause_provider(id, 4, "bounces", at(2)).await.unwrap();
    let pauses = [(3, "complaints".to_owned()), (4, "bounces".to_owned())];
    assert_eq!(store.provider_pauses(id).await.unwrap(), pauses.into());
    assert_eq!(store.provider_pauses(other).await.unwrap(), [].into());
    store.resume_provider(id, 3).await.unwrap();
    assert_eq!(store.provider_pauses(id).await.unwrap(), [(4, "bounces".to_owned())].into());
}

/// What was put off comes when it is due, and not for a provider that gets nothing now.
pub async fn put_off(store: &Store) {
    let id = planned(store, 23).await;
    let by = holder("one");
    let batch = claim(store, id, &by, 2).await.unwrap();
    let rows: Vec<_> =
        batch.rows[..20].iter().map(|row| outcome(row.person, LedgerState::Deferred)).collect();
    let put = Put { provider: 3, attempts: 2, due: at(1_000) };
    store.put_off(id, &by, &rows, put).await.unwrap();
    check(store, id).await;
    store.doubt_batch(id, &by, batch.batch, "it died", at(4)).await.unwrap();
    assert_eq!(of(store, id, LedgerState::InDoubt).await, 30);
    assert_eq!(of(store, id, LedgerState::Deferred).await, 20);
    check(store, id).await;
    while let Some(batch) = claim(store, id, &by, 999).await {
        assert_eq!(batch.attempts, 0, "it is not due");
    }
    assert!(store.claim(id, &by, at(2_000), at(1_000), &[3]).await.unwrap().is_none());
    let again = store.claim(id, &by, at(2_000), at(1_000), &[33, 13]).await.unwrap().unwrap();
    assert_eq!((again.provider, again.attempts, again.rows.len()), (3, 2, 20));
    check(store, id).await;
}

/// Doubts are settled by what the relay says, or planned again.
pub async fn doubts(store: &Store) {
    let id = planned(store, 24).await;
    let batch = claim(store, id, &holder("one"), 2).await.unwrap();
    assert_eq!(
        store.doubt_batch(id, &holder("one"), batch.batch, "it died", at(3)).await.unwrap(),
        50
    );
    let known = Outcome { at: at(4), ..outcome(batch.rows[0].person, LedgerState::Accepted) };
    store.record(id, None, &[known]).await.unwrap();
    assert_eq!(store.plan_doubted(id, at(5)).await.unwrap(), 49);
    assert_eq!(store.plan_doubted(id, at(5)).await.unwrap(), 0);
    check(store, id).await;
    let mut again = 0;
    while let Some(batch) = claim(store, id, &holder("two"), 6).await {
        again += batch.rows.len();
    }
    assert_eq!(again, 499, "each of them, and the one that was accepted not");
    check(store, id).await;
}

/// A letter that came back was accepted before, and is so once.
pub async fn came_back(store: &Store) {
    let id = planned(store, 25).await;
    let batch = claim(store, id, &holder("one"), 2).await.unwrap();
    let people: Vec<_> = batch.rows.iter().map(|row| row.person).collect();
    let sent =
        [outcome(people[0], LedgerState::Accepted), outcome(people[1], LedgerState::InDoubt)];
    store.record(id, Some(&holder("one")), &sent).await.unwrap();
    let bounced = |person| Outcome { at: at(4), ..outcome(person, LedgerState::Bounced) };
    let moved = CameBack::Moved { provider: 1 };
    for (person, moved) in [
        (people[0], moved),
        (people[0], CameBack::Nothing),
        (people[1], moved),
        (people[2], CameBack::Early),
        (PEOPLE, CameBack::Nothing),
    ] {
        assert_eq!(store.came_back(id, &bounced(person)).await.unwrap(), moved, "{person}");
        check(store, id).await;
    }
    assert_eq!(of(store, id, LedgerState::Bounced).await, 2);
}

/// A relay that fell had what it was told between the first attempt and the last, whenever it said
/// that it took it.
pub async fn handed_over(store: &Store) {
    use LedgerState::{Accepted, Bounced, Deferred, InDoubt};
    let id = planned(store, 31).await;
    store.set_approved(id, "ab", WarrantId([6; 16])).await.unwrap();
    assert!(store.set_running(id, "ab", at(2)).await.unwrap());
    let one = holder("one");
    let batch = claim(store, id, &one, 2).await.unwrap();
    let [taken, late, put_off, doubted, lost, bounced, ..] =
        batch.rows.iter().map(|row| row.person).collect::<Vec<_>>()[..]
    else {
        panic!("a batch has more rows");
    };
    let said = |person, state, second| Outcome { at: at(second), ..outcome(person, state) };
    let record = async |outcomes: &[Outcome]| {
        store.record(id, Some(&one), outcomes).await.unwrap();
    };
    record(&[said(taken, Accepted, 10), said(late, Accepted, 30), said(bounced, Accepted, 10)])
        .await;
    record(&[said(doubted, InDoubt, 15)]).await;
    let put = Put { provider: 1, attempts: 1, due: at(20) };
    store.put_off(id, &one, &[said(put_off, Deferred, 10)], put).await.unwrap();
    store.doubt_batch(id, &one, batch.batch, "it died", at(40)).await.unwrap();
    store.plan_doubted(id, at(41)).await.unwrap();
    store.came_back(id, &said(bounced, Bounced, 60)).await.unwrap();
    let mut held = Vec::new();
    while let Some(batch) = claim(store, id, &one, 50).await {
        held.push(batch.batch);
    }
    record(&[put_off, doubted, lost].map(|person| said(person, Accepted, 50))).await;
    for batch in held {
        store.put_back(id, &one, batch).await.unwrap();
    }
    let everybody = [taken, late, put_off, doubted, lost, bounced];
    for (from, to, had) in [
        (0, 1, vec![]),
        (0, 9, vec![doubted, lost]),
        (0, 12, vec![taken, put_off, doubted, lost, bounced]),
        (11, 20, vec![put_off, doubted, lost, bounced]),
        (25, 35, vec![late, put_off, doubted, lost, bounced]),
        (51, 55, vec![bounced]),
        (61, 99, vec![]),
    ] {
        let found = store.handed_over(at(from), at(to)).await.unwrap();
        let found: Vec<_> = everybody.into_iter().filter(|of| found.contains(*of)).collect();
        assert_eq!(found, had, "{from} to {to}");
    }
    let held = claim(store, id, &one, 70).await.unwrap();
    let found = store.handed_over(at(71), at(72)).await.unwrap();
    assert!(held.rows.iter().all(|row| found.contains(row.person)), "a worker has them now");
}
