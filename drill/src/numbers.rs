//! The customer numbers of the shop, and the records behind them.

use accounts_api::{ListCustomers, MAX_NUMBERS, ReadCustomerNumbers};
use cofferdam_core::{CustomerNumber, Record};
use estate::{Compartment, Estate};

use crate::error::DrillError;

/// The customers in one page of the list.
const PAGE: u32 = 10_000;

/// The list of everybody, decoys among them, as `response` has it: number and record.
#[derive(Debug, Default)]
pub struct Numbers {
    /// Ascending by record.
    listed: Vec<(Record, CustomerNumber)>,
    /// Ascending by number.
    by_number: Vec<(CustomerNumber, Record)>,
}

impl Numbers {
    /// Lists the customers as `response` does.
    pub async fn read(estate: &Estate) -> Result<Self, DrillError> {
        let accounts = estate.own_client(Compartment::Accounts, Compartment::Response)?;
        let (mut records, mut from) = (Vec::new(), Record(0));
        loop {
            let page = accounts.call(&ListCustomers { from, limit: PAGE }).await?;
            let Some(last) = page.last() else { break };
            from = Record(last.record.0 + 1);
            records.extend(page.iter().map(|customer| customer.record));
        }
        let mut listed = Vec::with_capacity(records.len());
        for records in records.chunks(MAX_NUMBERS) {
            let read = ReadCustomerNumbers { records: records.to_vec() };
            listed.extend(records.iter().copied().zip(accounts.call(&read).await?));
        }
        Ok(Self::of(listed))
    }

    fn of(listed: Vec<(Record, CustomerNumber)>) -> Self {
        let mut by_number: Vec<_> =
            listed.iter().map(|(record, number)| (*number, *record)).collect();
        by_number.sort_unstable();
        Self { listed, by_number }
    }

    /// Every customer and decoy, ascending by record.
    pub fn listed(&self) -> &[(Record, CustomerNumber)] {
        &self.listed
    }

    /// The record behind a number.
    pub fn record(&self, number: CustomerNumber) -> Result<Record, DrillError> {
        let at = self.by_number.binary_search_by_key(&number, |(number, _)| *number);
        let at = at.map_err(|_| {
            DrillError::unexpected("accounts named a customer whom it does not list")
        })?;
        Ok(self.by_number[at].1)
    }

    /// The number of a customer.
    pub fn number(&self, record: Record) -> Result<CustomerNumber, DrillError> {
        let at = self.listed.binary_search_by_key(&record, |(record, _)| *record);
        let at = at.map_err(|_| DrillError::unexpected("accounts does not list a customer"))?;
        Ok(self.listed[at].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_and_numbers_are_found_from_each_other() {
        let listed = [(1, 70), (2, 30), (4, 50)].map(|(r, n)| (Record(r), CustomerNumber(n)));
        let numbers = Numbers::of(listed.to_vec());
        for (record, number) in listed {
            assert_eq!(numbers.record(number).unwrap(), record);
            assert_eq!(numbers.number(record).unwrap(), number);
        }
        assert!(numbers.record(CustomerNumber(1)).is_err());
        assert!(numbers.number(Record(3)).is_err());
    }
}
