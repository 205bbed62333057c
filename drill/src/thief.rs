//! The thief. It holds the certificate of the fallen app server and a list of all customer numbers,
//! and takes everything that they open. Its loot is written down.

use std::collections::HashSet;

use accounts_api::{CheckSession, FindCustomer, ReadCustomers, RequestReset};
use cofferdam_core::{CustomerNumber, Field, FieldSet, Personal, Record};
use cofferdam_wire::{Client, ProblemType};
use fake::rand::rngs::ChaCha8Rng;
use fake::rand::{RngExt, SeedableRng};

use crate::error::DrillError;
use crate::numbers::Numbers;
use crate::tally::Tally;
use crate::traffic::{OpenedSession, profile};

/// The most records that `accounts` accepts in one call.
const LARGEST: usize = 1_000;

/// The loot of the thief.
#[derive(Debug)]
pub struct Haul<'a> {
    /// Every field that it got.
    pub loot: Tally,
    /// The number of times that the budget refused it.
    pub budget_refusals: u32,
    /// The reads of customers who were not signed in that it tried.
    pub absent_reads: u32,
    /// How many of them were refused.
    pub absent_refusals: u32,
    /// The list from which the thief reads. Guessed numbers would hit nobody.
    numbers: &'a Numbers,
    /// The place in the list at which the next read begins.
    next: usize,
}

impl<'a> Haul<'a> {
    /// Makes a thief that has taken nothing yet. The first read begins at a random customer.
    pub fn new(seed: u64, numbers: &'a Numbers) -> Self {
        let half = numbers.listed().len() / 2;
        let next = ChaCha8Rng::seed_from_u64(seed ^ 0x7_41ef).random_range(0..half);
        let (budget_refusals, absent_reads, absent_refusals) = (0, 0, 0);
        let loot = Tally::default();
        Self { loot, budget_refusals, absent_reads, absent_refusals, numbers, next }
    }

    /// Opens everybody whose session token passed through the fallen server, and then tries customers from
    /// its list: without a session, and with the session of somebody else.
    pub async fn take_those_signed_in(
        &mut self,
        accounts: &Client,
        caught: &[OpenedSession],
        tries: u32,
    ) -> Result<(), DrillError> {
        for OpenedSession { token, .. } in caught {
            let whose = accounts.call(&CheckSession { token: token.clone() }).await?;
            let (records, session) = (vec![whose], Some(token.clone()));
            let call = ReadCustomers { records, fields: profile(), session };
            let customers = accounts.call(&call).await?;
            self.loot.add_answer(&call, &customers, |number| self.numbers.record(number))?;
        }
        let mut signed_in = HashSet::new();
        for record in self.loot.people() {
            signed_in.insert(self.numbers.number(Record(record))?);
        }
        let listed = self.numbers.listed()[self.next..].iter().map(|(_, number)| *number);
        let absent = listed.filter(|number| !signed_in.contains(number)).take(tries as usize);
        for number in absent {
            for session in [None, caught.first().map(|of| of.token.clone())] {
                let call = ReadCustomers { records: vec![number], fields: profile(), session };
                self.absent_reads += 1;
                match accounts.call(&call).await {
                    Err(e) if e.is(accounts_api::NO_SESSION) => self.absent_refusals += 1,
                    Ok(customers) => {
                        let numbers = self.numbers;
                        self.loot.add_answer(&call, &customers, |of| numbers.record(of))?;
                    }
                    Err(e) => return Err(e.into()),
                }
            }
        }
        Ok(())
    }

    /// Opens customers one by one, with every field that an app server may see. This passes for
    /// ordinary traffic.
    pub async fn look_closely(&mut self, accounts: &Client, looks: u32) -> Result<(), DrillError> {
        for _ in 0..looks {
            let got = self.read(accounts, 1, profile()).await?;
            if !got {
                return Err(DrillError::unexpected(
                    "the budget was spent before the thief began in earnest",
                ));
            }
        }
        Ok(())
    }

    /// Takes names and addresses by the thousand until the budget refuses, then fewer and fewer at
    /// a time until it refuses a single one. Every customer has both fields, so a request is one
    /// release, which is granted whole or not at all.
    pub async fn drain(&mut self, accounts: &Client) -> Result<(), DrillError> {
        let fields: FieldSet = [Field::Name, Field::Email].into_iter().collect();
        let mut batch = LARGEST;
        while batch > 0 {
            if !self.read(accounts, batch, fields).await? {
                batch /= 2;
            }
        }
        Ok(())
    }

    /// Looks customers up by their addresses, and asks for reset codes for them.
    pub async fn look_up(
        &mut self,
        accounts: &Client,
        wanted: &[(Record, Personal)],
    ) -> Result<(), DrillError> {
        for (record, email) in wanted {
            let found = accounts.call(&FindCustomer { email: email.clone() }).await?;
            if found != Some(self.numbers.number(*record)?) {
                return Err(DrillError::unexpected("an address was another customer's"));
            }
            accounts.call(&RequestReset { email: email.clone() }).await?;
            self.loot.add_presented(Field::Email, *record);
        }
        Ok(())
    }

    /// Reads the next customers on the list. After the last one it starts again at the first. `false`
    /// if the budget refuses.
    async fn read(
        &mut self,
        accounts: &Client,
        count: usize,
        fields: FieldSet,
    ) -> Result<bool, DrillError> {
        let rest = &self.numbers.listed()[self.next..];
        let page = &rest[..rest.len().min(count)];
        let mut records: Vec<CustomerNumber> = page.iter().map(|(_, number)| *number).collect();
        records.sort_unstable();
        let call = ReadCustomers { records, fields, session: None };
        match accounts.call(&call).await {
            Ok(customers) => {
                let ended = page.len() == rest.len();
                self.next = if ended { 0 } else { self.next + page.len() };
                self.loot.add_answer(&call, &customers, |number| self.numbers.record(number))?;
                Ok(true)
            }
            Err(e) if e.is(ProblemType::BUDGET_EXHAUSTED) => {
                self.budget_refusals += 1;
                Ok(false)
            }
            Err(e) => Err(e.into()),
        }
    }
}
