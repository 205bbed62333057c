//! The rows and batches, and the rules for moving them.

use std::collections::BTreeMap;

use cofferdam_core::Timestamp;
use response_api::{LedgerState, LetterId, LetterState};
use response_letter::Locale;

use crate::{Batch, CameBack, Holder, Letter, Outcome, Postponement, Recipient, Row};

/// The number of the first batch that is made during sending.
const FIRST_LATER_BATCH: u32 = 10_000_001;

/// The whole state of the model.
#[derive(Default)]
pub struct State {
    pub letters: BTreeMap<LetterId, Letter>,
    pub versions: BTreeMap<LetterId, String>,
    pub locales: BTreeMap<LetterId, Vec<Locale>>,
    pub pauses: BTreeMap<LetterId, BTreeMap<u16, String>>,
    rows: BTreeMap<(LetterId, u32), ModelRow>,
    batches: BTreeMap<(LetterId, u32), ModelBatch>,
    next_batch: BTreeMap<LetterId, u32>,
    providers: Vec<String>,
}

#[derive(Clone)]
struct ModelRow {
    recipient: Recipient,
    batch: u32,
    state: LedgerState,
    provider: u16,
    detail: String,
    at: Timestamp,
    /// The worker whose silence is the only reason for the doubt, if it is.
    silent_holder: Option<Holder>,
}

#[derive(Clone)]
struct ModelBatch {
    postponement: Postponement,
    holder: Option<Holder>,
    until: Timestamp,
}

impl State {
    pub fn plan(&mut self, letter: LetterId, batch: u32, rows: &[Recipient], at: Timestamp) {
        let due = Timestamp::UNIX_EPOCH;
        self.add_batch(letter, batch, Postponement { provider: 0, attempts: 0, due });
        for recipient in rows {
            let row = ModelRow {
                recipient: *recipient,
                batch,
                state: LedgerState::Planned,
                provider: 0,
                detail: String::new(),
                at,
                silent_holder: None,
            };
            self.rows.entry((letter, recipient.person)).or_insert(row);
        }
    }

    pub fn rows(&self, letter: LetterId) -> Vec<Row> {
        let rows = self.rows.iter().filter(|((of, _), _)| *of == letter);
        let show = |row: &ModelRow| Row {
            person: row.recipient.person,
            state: if self.holder_of(letter, row).is_some() {
                LedgerState::Claimed
            } else {
                row.state
            },
            told: row.recipient.told,
            locale: row.recipient.locale,
            detail: row.detail.clone(),
            at: row.at,
        };
        rows.map(|(_, row)| show(row)).collect()
    }

    pub fn postponements(&self, letter: LetterId) -> BTreeMap<u32, Postponement> {
        let batches = self.batches.iter().filter(|((of, _), _)| *of == letter);
        batches.map(|((_, batch), of)| (*batch, of.postponement)).collect()
    }

    pub fn finish(&mut self, letter: LetterId, at: Timestamp) -> bool {
        let is_open = self.rows(letter).iter().any(|row| row.state.is_open());
        match self.letters.get_mut(&letter) {
            Some(letter) if letter.state == LetterState::Running && !is_open => {
                letter.state = LetterState::Finished;
                letter.finished = Some(at);
                true
            }
            _ => false,
        }
    }

    pub fn provider_number(&mut self, name: &str) -> u16 {
        let known = self.providers.iter().position(|known| known == name);
        let place = known.unwrap_or_else(|| {
            self.providers.push(name.to_owned());
            self.providers.len() - 1
        });
        u16::try_from(place + 1).unwrap_or(u16::MAX)
    }

    pub fn claim(
        &mut self,
        letter: LetterId,
        holder: &Holder,
        (now, until): (Timestamp, Timestamp),
        closed: &[u16],
    ) -> Option<Batch> {
        let is_next = |of: &ModelBatch| {
            of.holder.is_none()
                && of.postponement.due <= now
                && !closed.contains(&of.postponement.provider)
        };
        let batches =
            self.batches.iter().filter(|((of, _), batch)| *of == letter && is_next(batch));
        let (_, batch) =
            batches.map(|((_, number), batch)| (batch.postponement.due, *number)).min()?;
        let recipients: Vec<_> = self.open_rows(letter, batch).iter().rev().copied().collect();
        let key = (letter, batch);
        let attempts = self.batches.get(&key)?.postponement.attempts;
        if recipients.is_empty() {
            self.batches.remove(&key);
        } else {
            let claimed = self.batches.get_mut(&key)?;
            claimed.holder = Some(holder.clone());
            claimed.until = until;
        }
        Some(Batch { batch, attempts, recipients })
    }

    pub fn renew(&mut self, letter: LetterId, holder: &Holder, until: Timestamp) -> u64 {
        let held = self
            .batches
            .iter_mut()
            .filter(|((of, _), batch)| *of == letter && batch.holder.as_ref() == Some(holder));
        held.map(|(_, batch)| batch.until = until).count() as u64
    }

    pub fn held_batches(&self, letter: LetterId) -> Vec<(u32, Holder)> {
        let batches = self.batches.iter().filter(|((of, _), _)| *of == letter);
        batches.filter_map(|((_, number), batch)| Some((*number, batch.holder.clone()?))).collect()
    }

    pub fn release_batch(&mut self, letter: LetterId, holder: &Holder, batch: u32) {
        if self.is_held_by(letter, batch, holder)
            && let Some(batch) = self.batches.get_mut(&(letter, batch))
        {
            batch.holder = None;
            batch.until = Timestamp::UNIX_EPOCH;
        }
    }

    pub fn end_batch(&mut self, letter: LetterId, batch: u32) {
        self.batches.remove(&(letter, batch));
    }

    pub fn doubt_batch(
        &mut self,
        letter: LetterId,
        holder: &Holder,
        batch: u32,
        (reason, at): (&str, Timestamp),
    ) -> u64 {
        if !self.is_held_by(letter, batch, holder) {
            return 0;
        }
        self.doubt(letter, batch, (reason, at), None)
    }

    pub fn take_over(&mut self, letter: LetterId, now: Timestamp) -> u64 {
        let late: Vec<_> = self
            .batches
            .iter()
            .filter(|((of, _), batch)| *of == letter && batch.until < now)
            .filter_map(|((_, number), batch)| Some((*number, batch.holder.clone()?)))
            .collect();
        let mut doubted = 0;
        for (batch, holder) in late {
            let reason = format!("its worker {} fell silent", holder.0);
            doubted += self.doubt(letter, batch, (&reason, now), Some(&holder));
        }
        doubted
    }

    pub fn record(&mut self, letter: LetterId, holder: Option<&Holder>, outcomes: &[Outcome]) {
        for outcome in outcomes {
            let Some(row) = self.rows.get(&(letter, outcome.person)) else { continue };
            let may_move = match row.state {
                LedgerState::InDoubt => true,
                LedgerState::Planned | LedgerState::Deferred => {
                    let has_batch = self.batches.contains_key(&(letter, row.batch));
                    match self.holder_of(letter, row) {
                        Some(current) => Some(&current) == holder,
                        None => has_batch && outcome.state != LedgerState::InDoubt,
                    }
                }
                _ => false,
            };
            if may_move {
                self.set(letter, outcome);
            }
        }
    }

    pub fn put_off(
        &mut self,
        letter: LetterId,
        holder: &Holder,
        outcomes: &[Outcome],
        postponement: Postponement,
    ) {
        if outcomes.is_empty() {
            return;
        }
        let batch = self.next_batch(letter);
        let may_move = |state: &Self, outcome: &&Outcome| {
            let row = state.rows.get(&(letter, outcome.person));
            row.and_then(|row| state.holder_of(letter, row)).as_ref() == Some(holder)
        };
        let moved: Vec<_> = outcomes.iter().filter(|o| may_move(self, o)).cloned().collect();
        for outcome in moved {
            self.set(letter, &outcome);
            if let Some(row) = self.rows.get_mut(&(letter, outcome.person)) {
                row.batch = batch;
            }
        }
        self.add_batch(letter, batch, postponement);
    }

    pub fn replan_unsent(&mut self, letter: LetterId, holder: &Holder, at: Timestamp) -> u64 {
        let replanned = self.replan(letter, Some(holder), at);
        if replanned > 0
            && let Some(letter) = self.letters.get_mut(&letter)
            && letter.state == LetterState::Finished
        {
            letter.state = LetterState::Running;
            letter.finished = None;
        }
        replanned
    }

    /// Replans rows in doubt: all of them, or only those of a silent worker.
    pub fn replan(&mut self, letter: LetterId, silent: Option<&Holder>, at: Timestamp) -> u64 {
        let doubted: Vec<u32> = self
            .rows
            .iter()
            .filter(|((of, _), row)| *of == letter && row.state == LedgerState::InDoubt)
            .filter(|(_, row)| silent.is_none() || row.silent_holder.as_ref() == silent)
            .map(|((_, person), _)| *person)
            .collect();
        if doubted.is_empty() {
            return 0;
        }
        let batch = self.next_batch(letter);
        self.add_batch(letter, batch, Postponement { provider: 0, attempts: 0, due: at });
        for person in &doubted {
            if let Some(row) = self.rows.get_mut(&(letter, *person)) {
                row.state = LedgerState::Planned;
                row.batch = batch;
                row.at = at;
                row.silent_holder = None;
                if silent.is_some() {
                    row.detail.clear();
                }
            }
        }
        doubted.len() as u64
    }

    pub fn came_back(&mut self, letter: LetterId, outcome: &Outcome) -> CameBack {
        let Some(row) = self.rows.get_mut(&(letter, outcome.person)) else {
            return CameBack::Ignored;
        };
        match row.state {
            LedgerState::Accepted | LedgerState::InDoubt => {
                row.state = outcome.state;
                row.detail.clone_from(&outcome.detail);
                row.at = outcome.at;
                row.silent_holder = None;
                CameBack::Moved { provider: row.provider }
            }
            LedgerState::Planned | LedgerState::Deferred => CameBack::TooEarly,
            _ => CameBack::Ignored,
        }
    }

    fn doubt(
        &mut self,
        letter: LetterId,
        batch: u32,
        (reason, at): (&str, Timestamp),
        silent: Option<&Holder>,
    ) -> u64 {
        let open = self.open_rows(letter, batch);
        for recipient in &open {
            if let Some(row) = self.rows.get_mut(&(letter, recipient.person)) {
                row.state = LedgerState::InDoubt;
                reason.clone_into(&mut row.detail);
                row.at = at;
                row.silent_holder = silent.cloned();
            }
        }
        self.batches.remove(&(letter, batch));
        open.len() as u64
    }

    fn set(&mut self, letter: LetterId, outcome: &Outcome) {
        if let Some(row) = self.rows.get_mut(&(letter, outcome.person)) {
            row.state = outcome.state;
            row.provider = outcome.provider;
            row.detail.clone_from(&outcome.detail);
            row.at = outcome.at;
            row.silent_holder = None;
        }
    }

    pub fn open_rows(&self, letter: LetterId, batch: u32) -> Vec<Recipient> {
        let of_batch = self.rows.iter().filter(|((of, _), row)| {
            *of == letter
                && row.batch == batch
                && matches!(row.state, LedgerState::Planned | LedgerState::Deferred)
        });
        of_batch.map(|(_, row)| row.recipient).collect()
    }

    /// The worker that holds an open row.
    fn holder_of(&self, letter: LetterId, row: &ModelRow) -> Option<Holder> {
        let is_open = matches!(row.state, LedgerState::Planned | LedgerState::Deferred);
        self.batches.get(&(letter, row.batch)).filter(|_| is_open)?.holder.clone()
    }

    fn is_held_by(&self, letter: LetterId, batch: u32, holder: &Holder) -> bool {
        let batch = self.batches.get(&(letter, batch));
        batch.is_some_and(|batch| batch.holder.as_ref() == Some(holder))
    }

    fn next_batch(&mut self, letter: LetterId) -> u32 {
        let next = self.next_batch.entry(letter).or_insert(FIRST_LATER_BATCH);
        *next += 1;
        *next - 1
    }

    fn add_batch(&mut self, letter: LetterId, batch: u32, postponement: Postponement) {
        let until = Timestamp::UNIX_EPOCH;
        let batch_of = ModelBatch { postponement, holder: None, until };
        self.batches.entry((letter, batch)).or_insert(batch_of);
    }
}
