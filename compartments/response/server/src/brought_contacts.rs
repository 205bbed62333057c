//! Sealing the contacts of the brought table, and opening them under a warrant.

use std::collections::BTreeMap;
use std::sync::Arc;

use cofferdam_core::{
    BroughtPerson, CallerName, Epoch, Field, FieldSet, Personal, Record, Rng, Sha256,
};
use cofferdam_store::StoreError;
use cofferdam_wire::Problem;
use keys_api::WarrantId;
use keys_client::{Allowed, Asked, SealedRecord, Vault, VaultError};
use response_exposure::Coarse;

use crate::address_index::AddressIndex;
use crate::store::{SealedPerson, Store};

/// Seals and opens contacts with the keys of the domain of `response`.
#[derive(Clone)]
pub struct BroughtContacts {
    store: Store,
    vault: Arc<Vault>,
    /// The compartment's own name as a caller.
    name: CallerName,
    address_index: Arc<AddressIndex>,
    rng: Arc<dyn Rng>,
}

/// Contacts that can't be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum ContactError {
    /// `keys` refused, or a key or a sealed text does not fit.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The table can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ContactError> for Problem {
    fn from(error: ContactError) -> Self {
        match error {
            ContactError::Vault(e) => e.into(),
            ContactError::Store(e) => e.into(),
        }
    }
}

impl BroughtContacts {
    /// Makes a sealer that asks `vault` under the compartment's own `name`.
    pub fn new(
        store: Store,
        vault: Vault,
        name: CallerName,
        address_index: Arc<AddressIndex>,
        rng: Arc<dyn Rng>,
    ) -> Self {
        Self { store, vault: Arc::new(vault), name, address_index, rng }
    }

    /// The keyed hash of an address, as the table stores it.
    #[must_use]
    pub fn hash_address(&self, email: &Personal) -> Vec<u8> {
        self.address_index.hash(email)
    }

    /// The id of the key of such hashes.
    #[must_use]
    pub fn address_key(&self) -> Sha256 {
        self.address_index.key_id()
    }

    /// Seals the contacts of people, each under the given record.
    pub async fn seal(
        &self,
        people: &BTreeMap<Record, BroughtPerson>,
    ) -> Result<Vec<SealedPerson>, ContactError> {
        let wanted = people.iter().map(|(record, person)| {
            (*record, texts_of(person).into_iter().map(|(field, _)| field).collect())
        });
        self.vault.check_halves(self.store.db()).await?;
        let keys = self.vault.keys_to_seal(&self.name, wanted).await?;
        if let Some(epoch) = people.keys().find_map(|record| Some(keys.get(*record)?.epoch())) {
            self.vault.note_beginning(self.store.db(), epoch).await?;
        }
        let mut sealed = Vec::with_capacity(people.len());
        for (record, person) in people {
            let keys = keys.of(*record)?;
            let mut contacts = BTreeMap::new();
            for (field, text) in texts_of(person) {
                contacts.insert(field, keys.seal(field, text, &*self.rng)?);
            }
            sealed.push(self.sealed_person(*record, person, keys.epoch(), contacts));
        }
        Ok(sealed)
    }

    /// Opens names and e-mail addresses under a warrant; nothing for people without an address.
    pub async fn read_emails(
        &self,
        warrant: WarrantId,
        records: &[Record],
    ) -> Result<BTreeMap<Record, (Personal, Personal)>, ContactError> {
        self.read(warrant, records, Field::BroughtEmail).await
    }

    /// Opens names and postal addresses under a warrant; nothing for people without an address.
    pub async fn read_postal(
        &self,
        warrant: WarrantId,
        records: &[Record],
    ) -> Result<BTreeMap<Record, (Personal, Personal)>, ContactError> {
        self.read(warrant, records, Field::BroughtAddress).await
    }

    async fn read(
        &self,
        warrant: WarrantId,
        records: &[Record],
        address: Field,
    ) -> Result<BTreeMap<Record, (Personal, Personal)>, ContactError> {
        let mut people = self.store.people(records).await?;
        people.retain(|person| sealed_text(person, address).is_some());
        let asked: FieldSet = [Field::BroughtName, address].into_iter().collect();
        let wanted = people.iter().map(|person| {
            let (record, epoch) = (person.record, person.epoch);
            let fields = asked.iter().filter(|field| sealed_text(person, *field).is_some());
            let fields = fields.collect();
            Asked::Stored(SealedRecord { record, epoch, fields }, asked.without(fields))
        });
        let keys = self.vault.keys_to_read(&self.name, wanted, Allowed::ByWarrant(warrant)).await?;
        let mut contacts = BTreeMap::new();
        for person in &people {
            // `keys` withholds the keys of decoys.
            let Some(keys) = keys.get(person.record) else { continue };
            let open = |field| match sealed_text(person, field) {
                Some(sealed) => keys.open(field, sealed),
                None => Ok(Personal::new("")),
            };
            contacts.insert(person.record, (open(Field::BroughtName)?, open(address)?));
        }
        Ok(contacts)
    }

    fn sealed_person(
        &self,
        record: Record,
        person: &BroughtPerson,
        epoch: Epoch,
        mut contacts: BTreeMap<Field, Vec<u8>>,
    ) -> SealedPerson {
        let has_email = contacts.contains_key(&Field::BroughtEmail);
        SealedPerson {
            record,
            key: person.key.clone(),
            email_index: has_email.then(|| self.address_index.hash(&person.email)),
            epoch,
            name: contacts.remove(&Field::BroughtName),
            email: contacts.remove(&Field::BroughtEmail),
            address: contacts.remove(&Field::BroughtAddress),
            coarse: Coarse {
                country: person.country.clone(),
                region: person.region.clone(),
                language: person.language.clone(),
                minor: person.minor,
            },
            holds: person.holds,
        }
    }
}

/// The contacts that a person has, by field.
fn texts_of(person: &BroughtPerson) -> Vec<(Field, &Personal)> {
    let all = [
        (Field::BroughtName, Some(&person.name)),
        (Field::BroughtEmail, Some(&person.email)),
        (Field::BroughtAddress, person.address.as_ref()),
    ];
    let mut texts = Vec::with_capacity(all.len());
    for (field, text) in all {
        texts.extend(text.filter(|text| !text.expose().is_empty()).map(|text| (field, text)));
    }
    texts
}

fn sealed_text(person: &SealedPerson, field: Field) -> Option<&[u8]> {
    match field {
        Field::BroughtName => person.name.as_deref(),
        Field::BroughtEmail => person.email.as_deref(),
        Field::BroughtAddress => person.address.as_deref(),
        _ => None,
    }
}
