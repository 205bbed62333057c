//! The thief with the host of `payments`: its table, its certificate, and its halves of keys.

use cofferdam_core::{CallerName, Domain, Epoch, Field, FieldSet, Record};
use cofferdam_store::Location;
use cofferdam_wire::{ProblemType, load_config};
use estate::{Compartment, Estate};
use keys_client::{Allowed, Asked, SealedRecord, Vault, open_halves};
use payments_server::store::{SealedCard, Store};

use crate::breach::Breach;
use crate::error::DrillError;
use crate::recorder::Recorder;
use crate::tally::Tally;

/// The number of cards that the thief reads from the table at once.
const CARDS: u32 = 100;
/// The callers that may open cards, and the fields that each may open.
const OPENING: [(&str, [Field; 2]); 2] = [
    ("processor-1", [Field::CardNumber, Field::CardExpiry]),
    ("checkout-1", [Field::CardMasked, Field::CardExpiry]),
];

impl Breach<'_> {
    /// The thief opens every card that the host lets it open, in the name of each caller that may open
    /// cards.
    pub async fn steal_at_payments(
        &self,
        recorder: &mut Recorder<'_>,
    ) -> Result<(Tally, String), DrillError> {
        let mut root = Root::at(self.estate).await?;
        let (mut parts, mut stopped) = (Vec::new(), true);
        for (caller, fields) in OPENING {
            let fields = fields.into_iter().collect();
            let (opened, refused) = root.open_by_grant(&caller.parse()?, fields).await?;
            parts.push(format!("{opened} as {caller}"));
            // In a small shop, the table ends before the budget does.
            stopped &= refused || opened == self.filled.cards;
        }
        let detail = format!("{} cards: {}", root.loot.people().len(), parts.join(", "));
        recorder.check("the budgets stop the thief", stopped, detail.clone());
        Ok((root.loot, detail))
    }
}

/// The thief's means.
struct Root {
    table: Store,
    vault: Vault,
    loot: Tally,
}

impl Root {
    async fn at(estate: &Estate) -> Result<Self, DrillError> {
        let table = Store::open(&Location::Sqlite(estate.dir.join("payments/payments.db"))).await?;
        let config: payments_server::Config =
            load_config(&estate.dir.join("payments/payments.toml"))?;
        let holds = async |span| table.holds_under(span).await;
        let halves = open_halves(Domain::Payments, table.db(), &config.halves, holds).await?;
        let keys = estate.own_client(Compartment::Keys, Compartment::Payments)?;
        Ok(Self { table, vault: Vault::new(keys, halves), loot: Tally::default() })
    }

    /// Opens cards from the table until the budget of `caller` ends. Returns their number, and whether the
    /// budget refused.
    async fn open_by_grant(
        &mut self,
        caller: &CallerName,
        fields: FieldSet,
    ) -> Result<(u64, bool), DrillError> {
        let (mut opened, mut from) = (0, Record(0));
        loop {
            let cards = self.table.cards_before(from, Epoch(u16::MAX), CARDS).await?;
            let Some(last) = cards.last() else { return Ok((opened, false)) };
            from = Record(last.record.0 + 1);
            for card in &cards {
                if !self.open(caller, card, fields).await? {
                    return Ok((opened, true));
                }
                opened += 1;
            }
        }
    }

    /// Asks for the keys of one card, and opens the texts with them. `false` if the budget refuses.
    async fn open(
        &mut self,
        caller: &CallerName,
        card: &SealedCard,
        fields: FieldSet,
    ) -> Result<bool, DrillError> {
        let sealed = SealedRecord { record: card.record, epoch: card.epoch, fields };
        let asked = Asked::Stored(sealed, FieldSet::EMPTY);
        let keys = match self.vault.keys_to_read(caller, [asked], Allowed::ByGrant).await {
            Ok(keys) => keys.take(card.record)?,
            Err(e) if e.is(ProblemType::BUDGET_EXHAUSTED) => return Ok(false),
            Err(e) => return Err(e.into()),
        };
        let texts = [
            (Field::CardNumber, &card.number),
            (Field::CardExpiry, &card.expiry),
            (Field::CardMasked, &card.masked),
        ];
        for (field, text) in texts.into_iter().filter(|(field, _)| fields.contains(*field)) {
            keys.open(field, text)?;
            self.loot.add_read(field, card.record);
        }
        Ok(true)
    }
}
