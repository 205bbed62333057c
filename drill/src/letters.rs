//! Compares the letters that arrived with the ledger, and their texts with the truth.

use std::collections::HashMap;
use std::path::Path;

use cofferdam_core::{Domain, Field, FieldSet, Record};
use cofferdam_mail::sink::{Arrival, SinkIndex};
use cofferdam_wire::Client;
use mail_parser::MessageParser;
use response_api::{Audience, LedgerRow, LedgerState, LetterId, ReadLedger};
use response_letter::Files;

use crate::error::DrillError;
use crate::roll::{AddressHash, Roll};
use crate::tally::Tally;

/// The number of ledger rows in a page.
const PAGE: u32 = 10_000;
/// The number of letters that are opened and read.
const SPOT_CHECKS: usize = 50;

/// The outcome of a mailing.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The number of customers in the ledger.
    pub planned: u64,
    /// The number of customers whose letter the relay accepted.
    pub accepted: u64,
    /// The number of customers to whom no letter came.
    pub missing: u64,
    /// The number of customers to whom more than one letter came.
    pub duplicated: u64,
    /// The number of letters to decoys, and to people who are not in the ledger.
    pub strangers: u64,
    /// The number of rows whose letter arrived at another address, and of rows with other fields
    /// than the customer lost.
    pub mistaken: u64,
}

/// Reads the whole ledger of a letter.
pub async fn ledger(response: &Client, letter: LetterId) -> Result<Vec<LedgerRow>, DrillError> {
    let mut rows: Vec<LedgerRow> = Vec::new();
    loop {
        let from = rows.last().map_or(0, |row| row.person + 1);
        let page = response.call(&ReadLedger { letter, from, limit: PAGE, state: None }).await?;
        if page.is_empty() {
            return Ok(rows);
        }
        rows.extend(page);
    }
}

/// The mail that arrived in the sink after its first `before` messages.
pub struct Arrived {
    index: SinkIndex,
    before: u64,
}

impl Arrived {
    /// Reads the sink's index.
    pub fn load(mail: &Path, before: u64) -> Result<Self, DrillError> {
        Ok(Self { index: SinkIndex::load(mail)?, before })
    }

    fn arrivals(&self) -> impl Iterator<Item = &Arrival> {
        self.index.arrivals().iter().filter(|arrival| arrival.seq > self.before)
    }

    /// The arrivals by Message-ID.
    fn by_id(&self) -> HashMap<&str, &Arrival> {
        self.arrivals().map(|arrival| (arrival.message_id.as_str(), arrival)).collect()
    }

    /// Counts the letters that arrived at each address.
    fn counts(&self) -> HashMap<AddressHash, u64> {
        let mut counts = HashMap::new();
        for arrival in self.arrivals() {
            *counts.entry(AddressHash::of(arrival.recipient.expose())).or_default() += 1;
        }
        counts
    }
}

/// The number of the last message in the sink.
pub fn last_arrival(mail: &Path) -> Result<u64, DrillError> {
    Ok(SinkIndex::load(mail)?.arrivals().last().map_or(0, |arrival| arrival.seq))
}

/// Counts by the ledger alone, for mail that went to another relay.
pub fn by_ledger(rows: &[LedgerRow], roll: &Roll, truth: &Tally) -> Delivery {
    let mut delivery = Delivery::default();
    for row in rows {
        delivery.count_row(row, roll, truth);
    }
    let accepted_for = |record: Record| {
        let at = rows.binary_search_by_key(&record.0, |row| row.person);
        at.is_ok_and(|at| rows[at].state == LedgerState::Accepted)
    };
    let left_out = roll.customers().iter().filter(|(record, _)| !accepted_for(*record)).count();
    delivery.missing = left_out as u64;
    delivery
}

/// Compares the ledger with the arrivals, address by address.
pub fn by_arrival(rows: &[LedgerRow], arrived: &Arrived, roll: &Roll, truth: &Tally) -> Delivery {
    let (mut counts, by_id) = (arrived.counts(), arrived.by_id());
    let mut delivery = Delivery::default();
    for row in rows {
        let Some(address) = delivery.count_row(row, roll, truth) else { continue };
        let to = by_id.get(row.message_id.as_str());
        let astray = to.is_some_and(|to| AddressHash::of(to.recipient.expose()) != address);
        delivery.mistaken += u64::from(astray);
    }
    for (_, address) in roll.customers() {
        match counts.remove(address).unwrap_or(0) {
            0 => delivery.missing += 1,
            1 => {}
            _ => delivery.duplicated += 1,
        }
    }
    delivery.strangers += counts.values().sum::<u64>();
    delivery
}

impl Delivery {
    /// Whether every customer got one letter, and nobody else got any.
    pub const fn is_perfect(&self) -> bool {
        self.planned == self.accepted
            && self.missing + self.duplicated + self.strangers + self.mistaken == 0
    }

    /// Counts a row. Returns the address, if the row is a customer's.
    fn count_row(&mut self, row: &LedgerRow, roll: &Roll, truth: &Tally) -> Option<AddressHash> {
        let address = roll.address(Record(row.person));
        let accepted = row.state == LedgerState::Accepted;
        if address.is_none() {
            self.strangers += u64::from(accepted);
            return None;
        }
        self.planned += 1;
        self.accepted += u64::from(accepted);
        self.mistaken += u64::from(row.fields != lost(truth, row.person));
        address
    }
}

/// The fields that a customer really lost.
fn lost(truth: &Tally, record: u32) -> FieldSet {
    let all = truth.read.iter().chain(&truth.presented);
    let lost = all.filter(|(field, of)| **field != Field::Session && of.contains(record));
    lost.map(|(field, _)| *field).collect()
}

/// Opens letters from all over the ledger. Returns the number of opened letters, and the number of
/// those that name other fields than their customer lost.
pub fn spot_check(
    rows: &[LedgerRow],
    arrived: &Arrived,
    truth: &Tally,
) -> Result<(usize, usize), DrillError> {
    let by_id = arrived.by_id();
    let accepted: Vec<_> = rows.iter().filter(|r| r.state == LedgerState::Accepted).collect();
    // Half of the letters go to customers who lost something, so that a few victims are not missed.
    let (victims, others): (Vec<_>, Vec<_>) =
        accepted.into_iter().partition(|row| !lost(truth, row.person).is_empty());
    let chosen = spread(&victims, SPOT_CHECKS / 2).chain(spread(&others, SPOT_CHECKS / 2));
    let (mut opened, mut wrong) = (0, 0);
    for row in chosen {
        opened += 1;
        let Some(arrival) = by_id.get(row.message_id.as_str()) else {
            wrong += 1;
            continue;
        };
        let message = arrived.index.read(arrival)?;
        let said = named_fields(&message).ok_or_else(unreadable)?;
        wrong += usize::from(said != lost(truth, row.person));
    }
    Ok((opened, wrong))
}

/// Finds the code in the first letter that arrived.
pub fn find_code(rows: &[LedgerRow], arrived: &Arrived) -> Result<Option<String>, DrillError> {
    let by_id = arrived.by_id();
    let Some(arrival) = rows.iter().find_map(|row| by_id.get(row.message_id.as_str())) else {
        return Ok(None);
    };
    let message = arrived.index.read(arrival)?;
    let message = MessageParser::default().parse(&message).ok_or_else(unreadable)?;
    let text = message.body_text(0).unwrap_or_default();
    let code = |word: &&str| {
        let word = word.trim_matches('.').as_bytes();
        word.len() == 11
            && word[5] == b'-'
            && word.iter().all(|b| *b == b'-' || b.is_ascii_uppercase() || b.is_ascii_digit())
    };
    Ok(text.split_whitespace().find(code).map(|word| word.trim_matches('.').to_owned()))
}

fn unreadable() -> DrillError {
    DrillError::unexpected("a letter can't be read")
}

/// About `count` rows, spread evenly over all rows.
fn spread<'a>(rows: &'a [&'a LedgerRow], count: usize) -> impl Iterator<Item = &'a LedgerRow> {
    let step = rows.len().div_ceil(count).max(1);
    rows.iter().step_by(step).copied()
}

/// The fields that a letter names as lost: the list under *what information was involved*, in any
/// language.
fn named_fields(message: &[u8]) -> Option<FieldSet> {
    let message = MessageParser::default().parse(message)?;
    let text = message.body_text(0)?;
    let files = Files::shipped();
    let mut found = None;
    for words in files.languages().filter_map(|language| files.words(language).ok()) {
        let [_, from, to, ..] = words.headings.of(Audience::Customers) else { continue };
        let Some((_, rest)) = text.split_once(&from.to_uppercase()) else { continue };
        let (section, _) = rest.split_once(&to.to_uppercase())?;
        let points = section.lines().filter_map(|line| line.trim().strip_prefix("- "));
        let names: Vec<&str> =
            points.map(|point| point.trim_end_matches([',', ';', '.'])).collect();
        // The fields of a brought table have the same names, but letters name a customer's fields.
        let named = |field: &Field| {
            field.domain() == Domain::Accounts
                && words.phrase(*field).is_some_and(|phrase| names.contains(&phrase))
        };
        found = Some(Field::ALL.iter().copied().filter(named).collect());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letters_list_is_read() {
        let letter =
            b"Subject: x\r\nContent-Type: text/plain\r\n\r\nWHAT INFORMATION WAS INVOLVED\r\n\
            \r\n  - your name\r\n- your password\r\n\r\nYour e-mail address stays.\r\n\r\n\
            WHAT WE ARE DOING\r\n\r\n  - your telephone number\r\n";
        let expected: FieldSet = [Field::Name, Field::Password].into_iter().collect();
        assert_eq!(named_fields(letter), Some(expected));
    }

    fn row(person: u32, state: LedgerState) -> LedgerRow {
        LedgerRow {
            person,
            state,
            fields: FieldSet::EMPTY,
            while_signed_in: false,
            message_id: format!("1.{person}@shop.example"),
            outcome: None,
            at: "2012-01-15T20:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn missing_twice_and_strangers_are_each_seen() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("people.csv");
        std::fs::write(&file, "name,email\nA,a@x.example\nB,b@x.example\nC,c@x.example\n").unwrap();
        let mut roll = Roll::default();
        let records: Vec<_> = (0..3).map(|n| (u64::from(n) + 2, Record(n))).collect();
        assert_eq!(roll.add_file(&file, &records).unwrap(), 3);
        let index = "1\tearlier@x.example\treset\t0\t1\n\
                     2\tA@x.example\t1.0@shop.example\t0\t1\n\
                     3\tb@x.example\t1.1@shop.example\t0\t1\n\
                     4\tb@x.example\t1.1@shop.example\t0\t1\n\
                     5\tdecoy@x.example\t1.9@shop.example\t0\t1\n";
        std::fs::write(dir.path().join("index.tsv"), index).unwrap();
        let rows: Vec<_> = (0..3).map(|n| row(n, LedgerState::Accepted)).collect();
        let arrived = Arrived::load(dir.path(), 1).unwrap();
        let delivery = by_arrival(&rows, &arrived, &roll, &Tally::default());
        let expected = Delivery {
            planned: 3,
            accepted: 3,
            missing: 1,
            duplicated: 1,
            strangers: 1,
            mistaken: 0,
        };
        assert_eq!(delivery, expected);
        assert!(!delivery.is_perfect());
    }
}
