//! The checks of credentials that are set: passwords and passkeys.

use cofferdam_core::{Domain, Record, Timestamp};
use cofferdam_wire::Problem;
use keys_api::RECORDS_SEALED;
use roaring::RoaringBitmap;

use super::{App, Parties};
use crate::store;

impl App {
    /// Refuses a first credential for a customer who has one: a fallen `accounts` would set others without
    /// the word that a reset code came back.
    pub async fn check_new(&self, who: &Parties<'_>, records: &[Record]) -> Result<(), Problem> {
        let named: RoaringBitmap = records.iter().map(|record| record.0).collect();
        let Some(first) = self.sealed.among(Domain::Accounts, &named).min() else { return Ok(()) };
        let what = format!("first credentials of customers who have one, from {first}");
        let Problem { detail, .. } = self.refuse_party(who, what).await;
        Err(Problem::new(RECORDS_SEALED, detail))
    }

    /// Counts the customers for whom no void order raises the budget. A void order makes all its customers
    /// set credentials, so each counts on the order.
    pub async fn count_outside_orders(
        &self,
        records: &[Record],
        now: Timestamp,
    ) -> Result<usize, Problem> {
        let voids = self.shared.voids();
        let mut outside = 0;
        for record in records {
            let mut raised = false;
            for order in voids.covering(*record, now) {
                raised = raised || store::use_raised(&self.db, order).await?;
            }
            outside += usize::from(!raised);
        }
        Ok(outside)
    }
}
