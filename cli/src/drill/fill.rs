//! Fills accounts and payments through their own calls, as a shop would that moves in.

use std::path::{Path, PathBuf};

use cofferdam_core::{CallerName, Record, Timestamp};
use cofferdam_wire::Client;
use payments_api::{CardDetails, CardToken, StoreCards};

use super::attempts::year;
use super::cards::Cards;
use super::people::People;
use super::roll::Roll;
use crate::CommandError;
use crate::connect::Estate;
use crate::import;

/// Cards stored in one call.
const BATCH: usize = 1_000;
/// How many tokens are kept, to be tried.
const TOKENS: usize = 20;

/// Where customers come from.
pub enum Source {
    /// So many synthetic ones.
    Synthetic(u32),
    /// A file; its customers' passwords are nobody's to know, so that synthetic ones, so many,
    /// come on top and do the signing in.
    File(PathBuf, u32),
}

impl Source {
    /// The synthetic customers among all.
    pub const fn shoppers(&self) -> u32 {
        match self {
            Self::Synthetic(count) | Self::File(_, count) => *count,
        }
    }
}

/// What the compartments hold now.
pub struct Filled {
    /// Who has which record.
    pub roll: Roll,
    /// How many of them are synthetic.
    pub shoppers: u32,
    /// Customers, without decoys.
    pub customers: u64,
    /// Rows that were refused.
    pub rejected: u64,
    /// Cards stored.
    pub cards: u64,
    /// Some of their tokens.
    pub tokens: Vec<CardToken>,
}

/// Imports everybody, and stores the cards that profiles speak of. `own` is the drill's directory.
pub async fn fill(
    estate: &Estate,
    own: &Path,
    source: &Source,
    people: &People,
    now: Timestamp,
    seed: u64,
) -> Result<Filled, CommandError> {
    let shoppers = own.join("shoppers.csv");
    people.write_csv(&shoppers, source.shoppers())?;
    let mut filled = Filled {
        roll: Roll::default(),
        shoppers: source.shoppers(),
        customers: 0,
        rejected: 0,
        cards: 0,
        tokens: Vec::new(),
    };
    let importer: CallerName = "import-1".parse()?;
    let accounts = estate.accounts(&importer)?;
    let mut files = vec![shoppers.clone()];
    if let Source::File(file, _) = source {
        files.push(file.clone());
    }
    for (file, number) in files.iter().zip(1..) {
        let rejects = own.join(format!("rejects-{number}.csv"));
        let records = filled.import(&accounts, file, &rejects).await?;
        if *file == shoppers {
            filled.roll.add_shoppers(&records);
        }
    }
    let checkout: CallerName = "checkout-1".parse()?;
    let payments = estate.payments(&checkout)?;
    let mut cards = Cards::new(seed, year(now));
    for file in &files {
        filled.store_cards(&payments, file, &mut cards).await?;
    }
    Ok(filled)
}

impl Filled {
    async fn import(
        &mut self,
        accounts: &Client,
        file: &Path,
        rejects: &Path,
    ) -> Result<Vec<(u64, Record)>, CommandError> {
        let mut records = Vec::new();
        let mut note = |line, record| records.push((line, record));
        let summary = import::import_in_order(accounts, file, rejects, &mut note).await?;
        self.rejected += summary.rejected;
        records.sort_unstable();
        self.customers += u64::from(self.roll.add_file(file, &records)?);
        Ok(records)
    }

    async fn store_cards(
        &mut self,
        payments: &Client,
        file: &Path,
        cards: &mut Cards,
    ) -> Result<(), CommandError> {
        let mut rows = csv::ReaderBuilder::new().flexible(true).from_path(file)?;
        let column = rows.headers()?.iter().position(|name| name.trim() == "card_last4");
        let column = column.ok_or("the file has no column card_last4")?;
        let mut batch = Vec::new();
        let mut row = csv::ByteRecord::new();
        while rows.read_byte_record(&mut row)? {
            let last4 = std::str::from_utf8(row.get(column).unwrap_or_default()).unwrap_or("");
            if last4.len() == 4 && last4.bytes().all(|b| b.is_ascii_digit()) {
                batch.push(cards.ending(last4));
            }
            if batch.len() == BATCH {
                self.store(payments, std::mem::take(&mut batch)).await?;
            }
        }
        self.store(payments, batch).await
    }

    async fn store(
        &mut self,
        payments: &Client,
        cards: Vec<CardDetails>,
    ) -> Result<(), CommandError> {
        if cards.is_empty() {
            return Ok(());
        }
        let stored = payments.call(&StoreCards { cards }).await?;
        self.cards += stored.len() as u64;
        let room = TOKENS - self.tokens.len();
        self.tokens.extend(stored.into_iter().take(room).map(|card| card.token));
        Ok(())
    }
}
