//! The thief with the host of `accounts`: its table, its certificate, its halves of keys, and everything that
//! passes through it.

use accounts_server::domain::{address, token};
use accounts_server::store::{KeptSession, SealedCustomer, Store};
use cofferdam_core::{
    CallerName, Clock, Domain, Field, FieldSet, KeyBytes, Personal, Record, Sha256, SystemClock,
};
use cofferdam_store::Location;
use cofferdam_wire::{ProblemType, load_config};
use estate::{Compartment, Estate};
use jiff::SignedDuration;
use keys_api::{EnrolItem, Enrolment, NewSession, Presence};
use keys_client::{Allowed, Asked, SealedRecord, Typed, Vault, open_halves};

use crate::breach::{Breach, FALLEN, HEALTHY};
use crate::error::DrillError;
use crate::recorder::Recorder;
use crate::tally::Tally;
use crate::traffic::{OpenedSession, profile};

/// The number of records that the thief reads from the table at once.
const RECORDS: u32 = 100;
/// The servers behind which people of the shop work. They open customers who are not there.
const BACK_OFFICE: [(&str, &[Field]); 2] = [
    ("shipping-1", &[Field::Name, Field::Phone, Field::ShippingAddress]),
    ("support-1", &[Field::Name, Field::Email, Field::Phone]),
];
/// The secret of the sessions that the thief opens, and the hash of the passwords that it sets.
const OWN: [u8; 32] = [0x7e; 32];

/// The thief's means.
struct Root {
    table: Store,
    vault: Vault,
    /// The record at which the thief begins.
    start: u32,
    loot: Tally,
}

impl Breach<'_> {
    /// The thief opens everybody whom the host lets it open: by the grants of callers that ask for no
    /// presence, with the sessions that passed through, and as customers for whom it says that a reset code
    /// came back.
    pub async fn steal_at_accounts(
        &self,
        caught: &[OpenedSession],
        recorder: &mut Recorder<'_>,
    ) -> Result<(Tally, String), DrillError> {
        let mut root = Root::at(self.estate, u32::try_from(self.filled.customers / 4)?).await?;
        let web = [FALLEN, HEALTHY].map(str::parse::<CallerName>);
        let mut parts = Vec::new();
        let mut stopped = true;
        if self.presence {
            let shown = root.open_those_signed_in(caught).await?;
            parts.push(format!("{shown} who were signed in"));
            for web in web {
                let (attested, refused) = root.reset_in_the_name_of(&web?).await?;
                parts.push(format!("{attested} by reset"));
                stopped &= refused;
            }
            for (caller, fields) in BACK_OFFICE {
                let fields = fields.iter().copied().collect();
                // In a small shop, the table ends before the budget does.
                let (opened, _) = root.open_by_grant(&caller.parse()?, fields).await?;
                parts.push(format!("{opened} as {caller}"));
            }
        } else {
            let (opened, refused) = root.open_by_grant(&FALLEN.parse()?, profile()).await?;
            parts.push(format!("{opened} as {FALLEN}"));
            stopped &= refused;
        }
        let detail = format!("{} records: {}", root.loot.people().len(), parts.join(", "));
        let stopped = stopped || self.filled.customers < self.size.hourly_reads;
        recorder.check("the budgets stop the thief", stopped, detail.clone());
        Ok((root.loot, detail))
    }
}

impl Root {
    async fn at(estate: &Estate, start: u32) -> Result<Self, DrillError> {
        let table = Store::open(&Location::Sqlite(estate.dir.join("accounts/accounts.db"))).await?;
        let config: accounts_server::Config =
            load_config(&estate.dir.join("accounts/accounts.toml"))?;
        let holds = async |span| table.holds_under(span).await;
        let halves = open_halves(Domain::Accounts, table.db(), &config.halves, holds).await?;
        let keys = estate.own_client(Compartment::Keys, Compartment::Accounts)?;
        Ok(Self { table, vault: Vault::new(keys, halves), start, loot: Tally::default() })
    }

    /// Opens customers from the table until the budget of `caller` ends. Returns their number, and whether
    /// the budget refused.
    async fn open_by_grant(
        &mut self,
        caller: &CallerName,
        fields: FieldSet,
    ) -> Result<(u64, bool), DrillError> {
        let mut opened = 0;
        for from in (self.start..).step_by(RECORDS as usize) {
            let records: Vec<Record> = (from..from + RECORDS).map(Record).collect();
            let sealed = self.table.sealed_customers(&records).await?;
            if sealed.is_empty() {
                break;
            }
            for customer in &sealed {
                if !self.open(caller, customer, fields, Allowed::ByGrant).await? {
                    return Ok((opened, true));
                }
                opened += 1;
            }
        }
        Ok((opened, false))
    }

    /// Opens the customers whose tokens passed through. Returns their number.
    async fn open_those_signed_in(&mut self, caught: &[OpenedSession]) -> Result<u64, DrillError> {
        let web: CallerName = FALLEN.parse()?;
        let mut shown = 0;
        for OpenedSession { token, .. } in caught {
            let found = self.table.session(&token::session_hash(token), &web).await?;
            let Some((KeptSession { record, ticket: Some(ticket), .. }, _)) = found else {
                return Err(DrillError::unexpected("a session has no ticket"));
            };
            let presence = Presence { record, ticket, secret: token::presence_secret(token) };
            if !self.show(&web, presence).await? {
                return Err(DrillError::unexpected("the budget ended before those signed in"));
            }
            shown += 1;
        }
        Ok(shown)
    }

    /// Sets passwords of customers, one after the other, on its word that a reset code came back, and signs
    /// in with them, until the budget of such words ends.
    async fn reset_in_the_name_of(&mut self, web: &CallerName) -> Result<(u64, bool), DrillError> {
        let mut reset = 0;
        let records = (self.start..).map(Record);
        // The two servers begin at different customers, so that each budget gives others.
        let behind = usize::from(*web.as_str() == *HEALTHY) * 1_000;
        for record in records.skip(behind) {
            let item = EnrolItem { record, hash: KeyBytes::new(OWN) };
            let made = self.vault.enrol(web, Enrolment::Reset, vec![item], EnrolItem::clone).await;
            let stored = match made {
                Ok(made) => made.into_iter().next().map(|(_, verifier)| verifier),
                Err(e) if e.is(ProblemType::BUDGET_EXHAUSTED) => return Ok((reset, true)),
                Err(e) => return Err(e.into()),
            };
            let stored = stored.ok_or_else(|| DrillError::unexpected("no verifier was made"))?;
            self.loot.add_enrolled(record);
            let digest = address::digest(&Personal::new(format!("{record}@thief.example")));
            let (_, looked_up) = self.vault.index_one(web, digest).await?;
            let typed = Typed { record, hash: KeyBytes::new(OWN), renew: None, stored };
            let until = SystemClock.now() + SignedDuration::from_hours(1);
            let session = Some(NewSession { secret: Sha256::of(&OWN), until });
            let right = self.vault.check_password(web, typed, session, looked_up).await?;
            self.loot.add_typed(record);
            let ticket = right.and_then(|right| right.ticket);
            let ticket = ticket.ok_or_else(|| DrillError::unexpected("no ticket was given"))?;
            self.show(web, Presence { record, ticket, secret: KeyBytes::new(OWN) }).await?;
            reset += 1;
        }
        Ok((reset, false))
    }

    async fn show(&mut self, web: &CallerName, presence: Presence) -> Result<bool, DrillError> {
        let sealed = self.table.sealed_customers(&[presence.record]).await?;
        let Some(customer) = sealed.first() else { return Ok(true) };
        self.open(web, customer, profile(), Allowed::WhilePresent(Box::new(presence))).await
    }

    /// Asks for the keys of one customer, and opens the texts with them. `false` if the budget refuses.
    async fn open(
        &mut self,
        caller: &CallerName,
        customer: &SealedCustomer,
        fields: FieldSet,
        allowed: Allowed,
    ) -> Result<bool, DrillError> {
        let fields = customer.filled().intersection(fields);
        let (record, epoch) = (customer.record, customer.epoch);
        let asked = Asked::Stored(SealedRecord { record, epoch, fields }, FieldSet::EMPTY);
        let keys = match self.vault.keys_to_read(caller, [asked], allowed).await {
            Ok(keys) => keys.take(record)?,
            Err(e) if e.is(ProblemType::BUDGET_EXHAUSTED) => return Ok(false),
            Err(e) => return Err(e.into()),
        };
        for field in fields.iter() {
            let sealed = customer.sealed.get(&field).map(Vec::as_slice).unwrap_or_default();
            keys.open(field, sealed)?;
            self.loot.add_read(field, record);
        }
        Ok(true)
    }
}
