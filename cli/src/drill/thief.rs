//! The thief: holds the certificate of `web-ky-1` and nothing else, tries everything, and writes
//! down all that it got.

use accounts_api::ReadCustomers;
use cofferdam_core::{Field, FieldSet, Record};
use cofferdam_wire::{CallError, Client, ProblemType};
use fake::rand::rngs::ChaCha8Rng;
use fake::rand::{RngExt, SeedableRng};

use super::tally::Tally;
use super::traffic::profile;
use crate::CommandError;

/// The most that `accounts` answers at once.
const LARGEST: u32 = 1_000;

/// What the thief did and got.
#[derive(Debug, Default)]
pub struct Haul {
    /// All that it received.
    pub loot: Tally,
    /// How often its budget stopped it.
    pub budget_refusals: u32,
    next: u32,
}

impl Haul {
    /// Starts somewhere among the customers.
    pub fn new(seed: u64, customers: u32) -> Self {
        let next = ChaCha8Rng::seed_from_u64(seed ^ 0x7_41ef).random_range(0..customers / 2);
        Self { next, ..Self::default() }
    }

    /// Opens customers one by one with all that an app server may see, quietly, so that it passes
    /// for ordinary traffic.
    pub async fn look_closely(
        &mut self,
        accounts: &Client,
        looks: u32,
    ) -> Result<(), CommandError> {
        for _ in 0..looks {
            let got = self.read(accounts, 1, profile()).await?;
            if !got {
                return Err("the budget was spent before the thief began in earnest".into());
            }
        }
        Ok(())
    }

    /// Takes names and addresses by the thousand until the budget ends, then by ever fewer until
    /// not one more comes. Everybody has both fields, so that a request is one release: it is
    /// granted whole or not at all.
    pub async fn drain(&mut self, accounts: &Client) -> Result<(), CommandError> {
        let fields: FieldSet = [Field::Name, Field::Email].into_iter().collect();
        let mut batch = LARGEST;
        while batch > 0 {
            if !self.read(accounts, batch, fields).await? {
                batch /= 2;
            }
        }
        Ok(())
    }

    /// Reads the next customers, from the first again after the last; `false` when the budget
    /// refuses.
    async fn read(
        &mut self,
        accounts: &Client,
        count: u32,
        fields: FieldSet,
    ) -> Result<bool, CommandError> {
        let records = (self.next..self.next + count).map(Record).collect();
        match accounts.call(&ReadCustomers { records, fields }).await {
            Ok(customers) => {
                self.next = if customers.is_empty() { 0 } else { self.next + count };
                self.loot.received(&customers);
                Ok(true)
            }
            Err(CallError::Problem(p)) if p.is(ProblemType::BUDGET_EXHAUSTED) => {
                self.budget_refusals += 1;
                Ok(false)
            }
            Err(e) => Err(e.into()),
        }
    }
}
