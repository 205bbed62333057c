//! Fills `accounts` and `payments` through their own calls, like a shop that moves in.

use std::path::{Path, PathBuf};

use cofferdam_core::{CallerName, Clock, CustomerNumber, SystemClock};
use cofferdam_wire::Client;
use estate::Compartment;
use payments_api::{CardDetails, CardToken, StoreCards};
use staff::Progress;
use staff::import::import_in_order;

use crate::attempts::year;
use crate::cards::Cards;
use crate::error::DrillError;
use crate::numbers::Numbers;
use crate::people::People;
use crate::place::DrillEstate;
use crate::recorder::Recorder;
use crate::roll::Roll;

/// The number of cards stored in one call.
const BATCH: usize = 1_000;
/// The number of tokens that are kept for the thief to try.
const TOKENS: usize = 20;

/// The source of the customers.
pub enum CustomerSource {
    /// This many synthetic customers.
    Synthetic(u32),
    /// A file, and this many synthetic customers. Only the synthetic ones sign in, because nobody
    /// knows the passwords of the customers in the file.
    File(PathBuf, u32),
}

impl CustomerSource {
    /// The number of synthetic customers.
    pub const fn shoppers(&self) -> u32 {
        match self {
            Self::Synthetic(count) | Self::File(_, count) => *count,
        }
    }
}

/// The contents of the compartments.
pub struct Filled {
    /// The record of each customer.
    pub roll: Roll,
    /// The customer numbers, and the records behind them.
    pub numbers: Numbers,
    /// The number of synthetic customers.
    pub shoppers: u32,
    /// The number of customers, without decoys.
    pub customers: u64,
    /// The number of rows that were refused.
    pub rejected: u64,
    /// The number of stored cards.
    pub cards: u64,
    /// Some of the cards' tokens.
    pub tokens: Vec<CardToken>,
}

/// Imports the customers, and stores the cards that their profiles name.
pub async fn fill(
    place: &DrillEstate,
    source: &CustomerSource,
    people: &People,
    seed: u64,
    recorder: &Recorder<'_>,
) -> Result<Filled, DrillError> {
    let (estate, own) = (&place.estate, &place.own);
    let shoppers = own.join("shoppers.csv");
    people.write_csv(&shoppers, source.shoppers())?;
    let mut filled = Filled {
        roll: Roll::default(),
        numbers: Numbers::default(),
        shoppers: source.shoppers(),
        customers: 0,
        rejected: 0,
        cards: 0,
        tokens: Vec::new(),
    };
    let importer: CallerName = "import-1".parse()?;
    let accounts = estate.client(Compartment::Accounts, &importer)?;
    let mut files = vec![shoppers.clone()];
    if let CustomerSource::File(file, _) = source {
        files.push(file.clone());
    }
    let mut imported = Vec::new();
    for (file, number) in files.iter().zip(1..) {
        let rejects = own.join(format!("rejects-{number}.csv"));
        let progress = &mut recorder.progress("importing customers");
        imported.push(filled.import(&accounts, file, &rejects, progress).await?);
    }
    filled.numbers = Numbers::read(estate).await?;
    for (file, lines) in files.iter().zip(imported) {
        filled.add_file(file, lines, *file == shoppers)?;
    }
    let checkout: CallerName = "checkout-1".parse()?;
    let payments = estate.client(Compartment::Payments, &checkout)?;
    let mut cards = Cards::new(seed, year(SystemClock.now()));
    for file in &files {
        filled.store_cards(&payments, file, &mut cards).await?;
    }
    Ok(filled)
}

impl Filled {
    /// Imports a file. Returns the number of the customer of each line.
    async fn import(
        &mut self,
        accounts: &Client,
        file: &Path,
        rejects: &Path,
        progress: Progress<'_>,
    ) -> Result<Vec<(u64, CustomerNumber)>, DrillError> {
        let mut lines = Vec::new();
        let mut created = |line, number| lines.push((line, number));
        let summary = import_in_order(accounts, file, rejects, &mut created, progress).await?;
        self.rejected += summary.rejected;
        Ok(lines)
    }

    /// Adds the customers of a file by the records behind their numbers.
    fn add_file(
        &mut self,
        file: &Path,
        lines: Vec<(u64, CustomerNumber)>,
        synthetic: bool,
    ) -> Result<(), DrillError> {
        let record = |(line, number)| Ok((line, self.numbers.record(number)?));
        let mut records = lines.into_iter().map(record).collect::<Result<Vec<_>, DrillError>>()?;
        records.sort_unstable();
        self.customers += u64::from(self.roll.add_file(file, &records)?);
        if synthetic {
            self.roll.add_shoppers(&records);
        }
        Ok(())
    }

    async fn store_cards(
        &mut self,
        payments: &Client,
        file: &Path,
        cards: &mut Cards,
    ) -> Result<(), DrillError> {
        let mut rows = csv::ReaderBuilder::new().flexible(true).from_path(file)?;
        let column = rows.headers()?.iter().position(|name| name.trim() == "card_last4");
        let column =
            column.ok_or_else(|| DrillError::unexpected("the file has no column card_last4"))?;
        let mut batch = Vec::new();
        let mut row = csv::ByteRecord::new();
        while rows.read_byte_record(&mut row)? {
            let last4 = std::str::from_utf8(row.get(column).unwrap_or_default()).unwrap_or("");
            if last4.len() == 4 && last4.bytes().all(|b| b.is_ascii_digit()) {
                batch.push(cards.ending(last4));
            }
            if batch.len() == BATCH {
                self.store_batch(payments, std::mem::take(&mut batch)).await?;
            }
        }
        self.store_batch(payments, batch).await
    }

    async fn store_batch(
        &mut self,
        payments: &Client,
        cards: Vec<CardDetails>,
    ) -> Result<(), DrillError> {
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
