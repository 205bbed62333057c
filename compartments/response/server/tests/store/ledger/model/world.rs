//! Two letters, in the tables and in the model.

use std::collections::BTreeMap;

use cofferdam_core::Timestamp;
use jiff::SignedDuration;
use keys_api::WarrantId;
use proptest::prop_assert_eq;
use proptest::test_runner::TestCaseError;
use response_api::{Audience, IncidentId, JournalAct, LedgerState, LetterId};
use response_letter::Told;
use response_mailing::memory::MemoryLedger;
use response_mailing::{Holder, Ledger, Letters, Outcome, Postponement, Recipient};
use response_server::store::Store;

use super::steps::{Aim, PEOPLE, People, Side, Step};
use crate::support::{act, at, version};

/// The second at which time begins. The letters were started 10 and 20 seconds before.
const BEGINNING: i64 = 1_000;
const LEASE: SignedDuration = SignedDuration::from_secs(60);

pub struct World<'a> {
    store: &'a Store,
    model: MemoryLedger,
    letters: [LetterId; 2],
    workers: [Holder; 2],
    /// The number of the first person of the first letter. No other case uses these people.
    first_person: u32,
    now: Timestamp,
    /// The instant since which the relay may have had each person's letter, if it may have had it.
    had_since: BTreeMap<u32, Timestamp>,
}

impl<'a> World<'a> {
    /// Two running letters that belong to one case alone, each to people in two batches.
    pub async fn new(store: &'a Store, case: u32) -> Self {
        let (model, first_person) = (MemoryLedger::default(), case * 2 * PEOPLE);
        let mut letters = Vec::new();
        for side in 0..2 {
            let about = IncidentId(2 * case + side);
            let letter = store.letter_to(about, Audience::Customers, [7; 32]).await.unwrap();
            let id = letter.letter;
            let row = |n: u32| Recipient {
                person: first_person + side * PEOPLE + n,
                told: Told::default(),
                locale: 0,
            };
            let rows: Vec<_> = (0..PEOPLE).rev().map(row).collect();
            for (batch, some) in (1..).zip(rows.chunks(3)) {
                store.plan(id, batch, some, at(1)).await.unwrap();
                model.plan(id, batch, some, at(1));
            }
            let start = act(1, JournalAct::StartLetter, BEGINNING - 10 - i64::from(side) * 10);
            store.set_approved(id, version(1), WarrantId([5; 16]), &start).await.unwrap();
            assert!(store.set_running(id, version(1), &start).await.unwrap());
            let running = store.letter(id).await.unwrap().unwrap();
            model.add_letter(running, String::new(), Vec::new());
            letters.push(id);
        }
        Self {
            store,
            model,
            letters: [letters[0], letters[1]],
            workers: ["a", "b"].map(|name| Holder(name.to_owned())),
            first_person,
            now: at(BEGINNING),
            had_since: BTreeMap::new(),
        }
    }

    /// Takes a step in both, and compares the answers.
    pub async fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Wait(seconds) => self.now += SignedDuration::from_secs(*seconds),
            Step::Settle { letter, accepted, complete } => {
                self.settle(*letter, accepted, *complete).await?;
            }
            Step::CameBack { letter, people, complained } => {
                let state =
                    if *complained { LedgerState::Complained } else { LedgerState::Bounced };
                for person in people {
                    let outcome = self.outcome(self.person(*letter, *person), state, 0);
                    let letter = self.letters[*letter];
                    let answer = self.store.came_back(letter, &outcome).await.unwrap();
                    prop_assert_eq!(answer, self.model.came_back(letter, &outcome));
                }
            }
            step => {
                // The model comes last, because it tells which rows are meant.
                let answer = self.take_in(self.store, step).await;
                prop_assert_eq!(answer, self.take_in(&self.model, step).await, "{:?}", step);
            }
        }
        self.note_handed_over();
        Ok(())
    }

    /// Compares all rows, all counts, and the batches that workers hold.
    pub async fn compare(&self) -> Result<(), TestCaseError> {
        for letter in self.letters {
            let rows = self.store.ledger_rows(letter, None, 0, 1_000).await.unwrap();
            prop_assert_eq!(rows, self.model.rows(letter));
            let counts = self.store.counts(letter).await.unwrap();
            prop_assert_eq!(counts, self.model.counts(letter).await.unwrap());
            prop_assert_eq!(counts, self.store.recount(letter).await.unwrap());
            let held = self.store.held_batches(letter).await.unwrap();
            prop_assert_eq!(held, self.model.held_batches(letter).await.unwrap());
            let stored = self.store.letter(letter).await.unwrap();
            prop_assert_eq!(stored, self.model.letter(letter));
        }
        Ok(())
    }

    /// Compares the letters that a relay may have had, in windows from before the letters until
    /// now.
    pub async fn compare_handed_over(&self) -> Result<(), TestCaseError> {
        let from = (BEGINNING - 30..=self.now.as_second()).step_by(23);
        for (from, length) in from.flat_map(|from| [0, 9, 40].map(|length| (from, length))) {
            let (from, to) = (at(from), at(from + length));
            let found = self.store.handed_over(from, to).await.unwrap();
            let ours = self.first_person..self.first_person + 2 * PEOPLE;
            let found: Vec<_> = found.iter().filter(|person| ours.contains(person)).collect();
            prop_assert_eq!(found, self.handed_over(from, to), "from {} to {}", from, to);
        }
        Ok(())
    }

    /// Takes a step that both ledgers know, and returns the answer as text.
    async fn take_in<L: Ledger + Letters>(&self, ledger: &L, step: &Step) -> String {
        let (now, until) = (self.now, self.now + LEASE);
        match step {
            Step::Claim { letter, worker, closed } => {
                let (letter, worker) = (self.letters[*letter], &self.workers[*worker]);
                text(ledger.claim(letter, worker, (now, until), closed).await)
            }
            Step::RecordLog { letter, people, states } => {
                let people = people.iter().map(|person| self.person(*letter, *person));
                let outcomes = self.outcomes(people, states, 0);
                text(ledger.record(self.letters[*letter], None, &outcomes).await)
            }
            Step::Renew { letter, worker } => {
                let (letter, worker) = (self.letters[*letter], &self.workers[*worker]);
                text(ledger.renew(letter, worker, until).await)
            }
            Step::TakeOver { letter } => text(ledger.take_over(self.letters[*letter], now).await),
            Step::ReplanUnsent { letter, worker } => {
                let (letter, worker) = (self.letters[*letter], &self.workers[*worker]);
                text(ledger.replan_unsent(letter, worker, now).await)
            }
            Step::Finish { letter } => text(ledger.finish_letter(self.letters[*letter], now).await),
            Step::Record { letter, aim, .. }
            | Step::PutOff { letter, aim, .. }
            | Step::Release { letter, aim }
            | Step::Doubt { letter, aim }
            | Step::End { letter, aim } => match self.aim(*letter, *aim).await {
                Some(target) => self.take_on(ledger, step, *letter, target).await,
                None => String::new(),
            },
            other => panic!("{other:?} is taken elsewhere"),
        }
    }

    /// Takes a step of a worker on a batch.
    async fn take_on<L: Ledger>(
        &self,
        ledger: &L,
        step: &Step,
        side: Side,
        (batch, worker): (u32, &Holder),
    ) -> String {
        let (letter, now) = (self.letters[side], self.now);
        match step {
            Step::Record { people, states, age, .. } => {
                let outcomes = self.outcomes(self.people(side, batch, people), states, *age);
                text(ledger.record(letter, Some(worker), &outcomes).await)
            }
            Step::PutOff { people, tried, provider, wait, .. } => {
                let state = if *tried { LedgerState::Deferred } else { LedgerState::Planned };
                let outcome = |person| self.outcome(person, state, 0);
                let outcomes: Vec<_> =
                    self.people(side, batch, people).into_iter().map(outcome).collect();
                let due = now + SignedDuration::from_secs(*wait);
                let together = Postponement { provider: *provider, attempts: 1, due };
                text(ledger.put_off(letter, worker, &outcomes, together).await)
            }
            Step::Release { .. } => text(ledger.release_batch(letter, worker, batch).await),
            Step::Doubt { .. } => {
                text(ledger.doubt_batch(letter, worker, batch, ("it died", now)).await)
            }
            Step::End { .. } if self.model.open_rows(letter, batch).is_empty() => {
                text(ledger.end_batch(letter, batch).await)
            }
            _ => String::new(),
        }
    }

    /// The batch and the worker of a step, if the letter has such a batch.
    async fn aim(&self, letter: Side, aim: Aim) -> Option<(u32, &Holder)> {
        let letter = self.letters[letter];
        let held: BTreeMap<_, _> =
            self.model.held_batches(letter).await.unwrap().into_iter().collect();
        let batches: Vec<u32> = if aim.is_held {
            held.keys().copied().collect()
        } else {
            self.model.batches(letter).into_keys().collect()
        };
        if batches.is_empty() {
            return None;
        }
        let batch = *aim.batch.get(&batches);
        let [one, other] = &self.workers;
        let is_ones = held.get(&batch).is_none_or(|holder| holder == one);
        Some((batch, if is_ones == aim.by_holder { one } else { other }))
    }

    fn people(&self, letter: Side, batch: u32, people: &People) -> Vec<u32> {
        match people {
            People::OfBatch(bits) => {
                let rows = self.model.open_rows(self.letters[letter], batch);
                let chosen = rows.iter().enumerate().filter(|(n, _)| bits >> n & 1 == 1);
                chosen.map(|(_, row)| row.person).collect()
            }
            People::Any(people) => people.iter().map(|n| self.person(letter, *n)).collect(),
        }
    }

    fn person(&self, letter: Side, person: u32) -> u32 {
        self.first_person + u32::try_from(letter).unwrap() * PEOPLE + person
    }

    fn outcomes(
        &self,
        people: impl IntoIterator<Item = u32>,
        states: &[LedgerState],
        age: i64,
    ) -> Vec<Outcome> {
        let all = people.into_iter().zip(states);
        all.map(|(person, state)| self.outcome(person, *state, age)).collect()
    }

    fn outcome(&self, person: u32, state: LedgerState, age: i64) -> Outcome {
        Outcome {
            person,
            state,
            provider: u16::try_from(person % 3).unwrap(),
            detail: format!("{person} said {state:?}"),
            at: self.now - SignedDuration::from_secs(age),
        }
    }

    async fn settle(
        &self,
        letter: Side,
        accepted: &[u32],
        is_complete: bool,
    ) -> Result<(), TestCaseError> {
        let accept = |n: &u32| self.outcome(self.person(letter, *n), LedgerState::Accepted, 0);
        let accepted: Vec<_> = accepted.iter().map(accept).collect();
        let (letter, now) = (self.letters[letter], self.now);
        let why = |_| act(1, JournalAct::SettleLetter, BEGINNING);
        let replanned = self.store.settle(letter, (&accepted, is_complete), now, why).await;
        self.model.record(letter, None, &accepted).await.unwrap();
        let expected = if is_complete { self.model.replan_doubts(letter, now) } else { 0 };
        prop_assert_eq!(replanned.unwrap(), expected);
        Ok(())
    }

    /// Notes the instant since which the relay may have had each letter: that of the first outcome
    /// of an attempt. If the first outcome is a doubt, the instant is unknown.
    fn note_handed_over(&mut self) {
        for row in self.letters.iter().flat_map(|letter| self.model.rows(*letter)) {
            match row.state {
                LedgerState::Planned | LedgerState::Claimed | LedgerState::Suppressed => {}
                LedgerState::InDoubt => {
                    self.had_since.entry(row.person).or_insert(Timestamp::UNIX_EPOCH);
                }
                _ => {
                    let known = self.had_since.entry(row.person).or_insert(row.at);
                    *known = row.at.min(*known);
                }
            }
        }
    }

    /// The people whose letter a relay may have had: it was tried before the window's end and its
    /// last state is not older than the window, or a worker holds it.
    fn handed_over(&self, from: Timestamp, to: Timestamp) -> Vec<u32> {
        let mut people = Vec::new();
        for id in self.letters {
            let started = self.model.letter(id).and_then(|letter| letter.started);
            if started.is_none_or(|started| started > to) {
                continue;
            }
            let had = |row: &response_mailing::Row| {
                let since = self.had_since.get(&row.person);
                let was_tried = since.is_some_and(|since| *since <= to) && row.at >= from;
                was_tried || row.state == LedgerState::Claimed
            };
            people.extend(self.model.rows(id).iter().filter(|row| had(row)).map(|row| row.person));
        }
        people
    }
}

fn text<T: std::fmt::Debug>(answer: Result<T, response_mailing::LedgerError>) -> String {
    format!("{:?}", answer.unwrap())
}
