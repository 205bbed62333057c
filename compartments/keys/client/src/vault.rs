//! The calls of a compartment to `keys`.

use std::collections::BTreeSet;
use std::sync::Arc;

use cofferdam_core::{CallerName, Epoch, FieldSet, KeyBytes, Operation, Record, Timestamp};
use cofferdam_store::{Db, HalfStage};
use cofferdam_wire::Client;
use keys_api::{
    ApproveVoidOrder, CheckPassword, ClaimDecoys, DomainEpochs, EnrolItem, EnrolPasswords,
    EnrolledPasswords, Enrolment, EraseRecords, IndexAddresses, IndexedAddresses, NewSession,
    NoteAddresses, NoteVoidOrder, Presence, ReadEpochs, ReleaseKeys, ReportMail, RightPassword,
    Search, Signed, Ticket, Verifier, VoidOrder, WarrantId,
};

use crate::released::{Asked, Released, Resealing, SealedRecord, Wish, resealing};
use crate::{Halves, VaultError};

/// The keys of one domain, as its compartment asks for them. `caller` is always the client that the
/// compartment serves, because the grant and the budget are that client's.
#[derive(Debug)]
pub struct Vault {
    client: Client,
    halves: Arc<Halves>,
}

impl Vault {
    /// Makes the vault of the domain of `halves`, which asks through `client`.
    #[must_use]
    pub fn new(client: Client, halves: Halves) -> Self {
        Self { client, halves: Arc::new(halves) }
    }

    /// The compartment's halves, under which verifiers and indexes rest.
    #[must_use]
    pub const fn halves(&self) -> &Arc<Halves> {
        &self.halves
    }

    /// The client of `keys`.
    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    /// Checks that this instance has the halves that its database knows, before it writes. An instance
    /// that was paused while one was made would go on without it.
    pub async fn check_halves(&self, db: &Db) -> Result<(), VaultError> {
        let known = db.halves().await?;
        if known.keys().eq(self.halves.epochs()) { Ok(()) } else { Err(VaultError::OtherHalves) }
    }

    /// Notes that the compartment seals under `epoch` from now on: its half has begun, and nothing is
    /// sealed under an earlier one again.
    pub async fn note_beginning(&self, db: &Db, epoch: Epoch) -> Result<(), VaultError> {
        if let Some(from) = self.halves.of(epoch) {
            db.note_half_stage(from, HalfStage::Begun).await?;
            self.halves.begin(epoch);
        }
        Ok(())
    }

    /// Asks for the keys to read records. Either all of them are released and logged, with everything
    /// that is known to be unset, or none.
    pub async fn keys_to_read(
        &self,
        caller: &CallerName,
        records: impl IntoIterator<Item = Asked>,
        allowed: Allowed,
    ) -> Result<Released, VaultError> {
        let mut wish = Wish::default();
        for asked in records {
            wish.add_asked(asked);
        }
        let mut call = self.release(caller, Operation::Release, &wish);
        match allowed {
            Allowed::ByGrant => {}
            Allowed::ByWarrant(warrant) => call.warrant = Some(warrant),
            Allowed::WhilePresent(presence) => call.presence = Some(*presence),
        }
        self.ask(&wish, call).await
    }

    /// Asks for the keys to seal fields of records under the current epoch.
    pub async fn keys_to_seal(
        &self,
        caller: &CallerName,
        records: impl IntoIterator<Item = (Record, FieldSet)>,
    ) -> Result<Released, VaultError> {
        let mut wish = Wish::default();
        for (record, fields) in records {
            wish.add(record, None, fields);
        }
        let call = self.release(caller, Operation::Seal, &wish);
        let released = self.ask(&wish, call).await?;
        released.epochs().try_for_each(|epoch| self.halves.check_sealing(epoch))?;
        Ok(released)
    }

    /// Asks for the keys to move records to the epoch `to`. A compartment asks for them under its
    /// own `name`; `keys` counts each record twice.
    pub async fn keys_to_reseal(
        &self,
        name: &CallerName,
        records: &[SealedRecord],
        to: Epoch,
    ) -> Result<Resealing, VaultError> {
        let mut wish = Wish::default();
        for SealedRecord { record, epoch, fields } in records {
            wish.add(*record, Some(*epoch), *fields);
            wish.add(*record, Some(to), *fields);
        }
        if wish.is_empty() {
            return Ok(Resealing::default());
        }
        let call = self.release(name, Operation::Reseal, &wish);
        let answer = self.client.call(&call).await?;
        resealing(records, to, &call, answer, &self.halves)
    }

    /// Reads the epochs of the domain.
    pub async fn epochs(&self) -> Result<DomainEpochs, VaultError> {
        Ok(self.client.call(&ReadEpochs { domain: self.halves.domain() }).await?)
    }

    /// Erases a record: its keys are never released again. A record that is not `held` must have
    /// been erased before.
    pub async fn erase(
        &self,
        caller: &CallerName,
        record: Record,
        held: bool,
    ) -> Result<(), VaultError> {
        let (domain, caller) = (self.halves.domain(), caller.clone());
        Ok(self.client.call(&EraseRecords { domain, caller, records: vec![record], held }).await?)
    }

    /// Has `keys` compare a typed password, and give the ticket of a session. `None` if it is refused.
    /// A sign-in gives the look-up that found the customer.
    pub async fn check_password(
        &self,
        caller: &CallerName,
        typed: Typed,
        session: Option<NewSession>,
        looked_up: LookUp,
    ) -> Result<Option<RightPassword>, VaultError> {
        let (Typed { record, hash, renew, stored }, LookUp(ticket)) = (typed, looked_up);
        let (caller, looked_up) = (caller.clone(), Some(ticket));
        let call = CheckPassword { caller, record, hash, stored, renew, session, looked_up };
        let (asked, right) = (call.session.is_some(), self.client.call(&call).await?.right);
        match right {
            Some(right) if right.ticket.is_some() != asked => Err(VaultError::Mismatch),
            right => Ok(right),
        }
    }

    /// Has `keys` make the verifiers of passwords that were set. Each input comes back with its verifier.
    pub async fn enrol<T>(
        &self,
        caller: &CallerName,
        on: Enrolment,
        inputs: Vec<T>,
        item: impl Fn(&T) -> EnrolItem,
    ) -> Result<Vec<(T, Verifier)>, VaultError> {
        let items = inputs.iter().map(item).collect();
        let call = EnrolPasswords { caller: caller.clone(), on, items };
        let EnrolledPasswords { set_at, verifiers } = self.client.call(&call).await?;
        let enrolled = pairs(inputs, verifiers)?.into_iter();
        Ok(enrolled.map(|(of, bytes)| (of, Verifier { bytes, set_at })).collect())
    }

    /// Turns digests of e-mail addresses into look-up indexes. Each input comes back with its
    /// index. The look-up must be noted before anything is answered.
    pub async fn index<T>(
        &self,
        caller: &CallerName,
        inputs: Vec<T>,
        digest: impl Fn(&T) -> KeyBytes,
    ) -> Result<(Vec<(T, KeyBytes)>, LookUp), VaultError> {
        let digests = inputs.iter().map(digest).collect();
        let call = IndexAddresses { caller: caller.clone(), digests };
        let IndexedAddresses { indexes, ticket } = self.client.call(&call).await?;
        Ok((pairs(inputs, indexes)?, LookUp(ticket)))
    }

    /// Turns the digest of one e-mail address into its look-up index.
    pub async fn index_one(
        &self,
        caller: &CallerName,
        digest: KeyBytes,
    ) -> Result<(KeyBytes, LookUp), VaultError> {
        let (pairs, looked_up) = self.index(caller, vec![digest], KeyBytes::clone).await?;
        Ok((only(pairs)?, looked_up))
    }

    /// Notes whom a look-up found. An answer to the caller may leave only after that.
    pub async fn note_found(
        &self,
        caller: &CallerName,
        looked_up: LookUp,
        search: Search,
        found: impl IntoIterator<Item = Record>,
    ) -> Result<(), VaultError> {
        let LookUp(ticket) = looked_up;
        let records: BTreeSet<_> = found.into_iter().collect();
        let records = records.into_iter().collect();
        let call = NoteAddresses { caller: caller.clone(), ticket, search, records };
        Ok(self.client.call(&call).await?)
    }

    /// Claims the decoys among `count` new record numbers from `from` on, ascending. `keys` names
    /// them once.
    pub async fn claim_decoys(&self, from: Record, count: u32) -> Result<Vec<Record>, VaultError> {
        let call = ClaimDecoys { domain: self.halves.domain(), from, count };
        let decoys = self.client.call(&call).await?.decoys;
        if is_claimed(&decoys, from, count) { Ok(decoys) } else { Err(VaultError::Mismatch) }
    }

    /// Has `keys` approve a void order over all customers, or over a set of them.
    pub async fn approve_void_order(&self, order: Signed<VoidOrder>) -> Result<(), VaultError> {
        Ok(self.client.call(&ApproveVoidOrder { order }).await?)
    }

    /// Names the customers of a void order over some to `keys`. Passwords set up to the first instant are
    /// void, and sessions opened up to the second one are over.
    pub async fn note_voided(
        &self,
        incident: u32,
        [set_before, opened_before]: [Timestamp; 2],
        roaring: Vec<u8>,
    ) -> Result<(), VaultError> {
        let call = NoteVoidOrder { incident, set_before, opened_before, roaring };
        Ok(self.client.call(&call).await?)
    }

    /// Reports that mail came for a customer, as `caller` said.
    pub async fn report_mail(&self, caller: &CallerName, record: Record) -> Result<(), VaultError> {
        Ok(self.client.call(&ReportMail { caller: caller.clone(), record }).await?)
    }

    fn release(&self, caller: &CallerName, operation: Operation, wish: &Wish) -> ReleaseKeys {
        ReleaseKeys {
            domain: self.halves.domain(),
            caller: caller.clone(),
            operation,
            groups: wish.groups(),
            warrant: None,
            presence: None,
        }
    }

    async fn ask(&self, wish: &Wish, call: ReleaseKeys) -> Result<Released, VaultError> {
        if wish.is_empty() {
            return Ok(wish.released_without_keys());
        }
        let answer = self.client.call(&call).await?;
        wish.released(&call, answer, &self.halves)
    }
}

/// The permission to read records.
#[derive(Debug)]
pub enum Allowed {
    /// The grants of the caller.
    ByGrant,
    /// A warrant that two people signed.
    ByWarrant(WarrantId),
    /// The grants of the caller, some of which ask that the customer be signed in there.
    WhilePresent(Box<Presence>),
}

/// A typed password and what it is compared with.
#[derive(Debug)]
pub struct Typed {
    /// The customer; [`Record::NOBODY`] for an unknown address.
    pub record: Record,
    /// The hash of the password by the stored scheme.
    pub hash: KeyBytes,
    /// The hash by the scheme of new passwords, if the stored one is older.
    pub renew: Option<KeyBytes>,
    /// The stored verifier.
    pub stored: Verifier,
}

/// A look-up that is not noted yet: its type keeps a caller from being answered without the note.
#[must_use = "a look-up is noted before its answer leaves"]
#[derive(Debug)]
pub struct LookUp(Ticket);

/// Pairs the items of a list with their answers.
fn pairs<T>(inputs: Vec<T>, answers: Vec<KeyBytes>) -> Result<Vec<(T, KeyBytes)>, VaultError> {
    if inputs.len() != answers.len() {
        return Err(VaultError::Mismatch);
    }
    Ok(inputs.into_iter().zip(answers).collect())
}

/// The answer to the only input.
fn only<T>(pairs: Vec<(T, KeyBytes)>) -> Result<KeyBytes, VaultError> {
    pairs.into_iter().next().map(|(_, answer)| answer).ok_or(VaultError::Mismatch)
}

/// Whether decoys ascend and lie within the claimed range.
fn is_claimed(decoys: &[Record], from: Record, count: u32) -> bool {
    let claimed = |record: &Record| (from.0..from.0.saturating_add(count)).contains(&record.0);
    decoys.is_sorted_by(|a, b| a < b) && decoys.iter().all(claimed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_belongs_to_its_input() {
        let answers = |n: u8| (0..n).map(|n| KeyBytes::new([n; 32])).collect::<Vec<_>>();
        let paired = pairs(vec!["a", "b"], answers(2)).unwrap();
        let shown: Vec<_> = paired.iter().map(|(input, of)| (*input, of.expose()[0])).collect();
        assert_eq!(shown, [("a", 0), ("b", 1)]);
        for count in [0, 1, 3] {
            let wrong = pairs(vec!["a", "b"], answers(count));
            assert!(matches!(wrong, Err(VaultError::Mismatch)), "{count}");
        }
        assert!(pairs(Vec::<u8>::new(), vec![]).unwrap().is_empty());
    }

    #[test]
    fn claimed_decoys_lie_in_their_range() {
        let check = |decoys: &[u32]| {
            let decoys: Vec<_> = decoys.iter().copied().map(Record).collect();
            is_claimed(&decoys, Record(10), 5)
        };
        for good in [&[][..], &[10], &[14], &[10, 12, 14]] {
            assert!(check(good), "{good:?}");
        }
        for bad in [&[9][..], &[15], &[12, 11], &[12, 12], &[10, 20]] {
            assert!(!check(bad), "{bad:?}");
        }
        assert!(is_claimed(&[Record(u32::MAX - 1)], Record(u32::MAX - 1), 100));
    }
}
