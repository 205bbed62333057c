//! The record number of each customer, from the answers to the import, in a few bytes each.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::Path;

use cofferdam_core::Record;
use roaring::RoaringBitmap;

/// Every customer who was imported.
#[derive(Debug, Default)]
pub struct Roll {
    /// Record and address of every customer, ascending by record.
    customers: Vec<(Record, AddressHash)>,
    /// Record and number of every synthetic customer, ascending by record.
    shoppers: Vec<(Record, u32)>,
}

/// The hash of an e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AddressHash(u64);

impl AddressHash {
    /// Hashes an address. Letter case and surrounding blanks make no difference.
    pub fn of(address: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        address.trim().to_lowercase().hash(&mut hasher);
        Self(hasher.finish())
    }
}

impl Roll {
    /// Adds the customers of a file. `records` has the record of each line, ascending by line.
    /// Returns the number of customers that were added.
    pub fn add_file(&mut self, file: &Path, records: &[(u64, Record)]) -> io::Result<u32> {
        let mut rows = csv::ReaderBuilder::new().flexible(true).from_path(file)?;
        let email = rows.headers()?.iter().position(|name| name.trim() == "email").unwrap_or(1);
        let mut created = records.iter().peekable();
        let mut row = csv::ByteRecord::new();
        let mut count = 0;
        while rows.read_byte_record(&mut row)? {
            let line = row.position().map_or(0, csv::Position::line);
            while created.next_if(|(at, _)| *at < line).is_some() {}
            if let Some((_, record)) = created.next_if(|(at, _)| *at == line) {
                let address = String::from_utf8_lossy(row.get(email).unwrap_or_default());
                self.customers.push((*record, AddressHash::of(&address)));
                count += 1;
            }
        }
        self.customers.sort_unstable();
        Ok(count)
    }

    /// Adds the synthetic customers. The first one is on line 2 of their file.
    pub fn add_shoppers(&mut self, records: &[(u64, Record)]) {
        let number = |line: u64| u32::try_from(line.checked_sub(2)?).ok();
        let shopper = |(line, record): &(u64, Record)| Some((*record, number(*line)?));
        self.shoppers.extend(records.iter().filter_map(shopper));
        self.shoppers.sort_unstable();
    }

    /// The synthetic customers, with their numbers among the synthetic ones, ascending by record.
    pub fn shoppers(&self) -> &[(Record, u32)] {
        &self.shoppers
    }

    /// Every customer with the hash of the address, ascending by record.
    pub fn customers(&self) -> &[(Record, AddressHash)] {
        &self.customers
    }

    /// The records of all customers.
    pub fn records(&self) -> RoaringBitmap {
        self.customers.iter().map(|(record, _)| record.0).collect()
    }

    /// The hash of a customer's address. A decoy has no address here.
    pub fn address(&self, record: Record) -> Option<AddressHash> {
        let at = self.customers.binary_search_by_key(&record, |(record, _)| *record).ok()?;
        Some(self.customers[at].1)
    }
}
