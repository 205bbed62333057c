//! Names and addresses, from the staff list, from `accounts`, or from the brought table.

use std::collections::HashMap;
use std::path::PathBuf;

use accounts_api::ReadContacts;
use async_trait::async_trait;
use cofferdam_core::Record;
use cofferdam_wire::Client;
use keys_api::{CloseWarrant, WarrantId};
use response_api::{Audience, People};
use response_mailing::{Contact, Contacts, ContactsError, Letter, LetterContacts};

use super::staff_list::{Member, load_staff_list};
use crate::brought_contacts::BroughtContacts;
use crate::store::Store;

/// The number of records in one call to `accounts`.
const RECORDS_AT_ONCE: usize = 1_000;

/// The contacts that this compartment can read.
pub struct StoredContacts {
    /// The tables of `response`.
    pub store: Store,
    /// The file of the staff list.
    pub staff_list: PathBuf,
    /// `accounts`, which opens its customers' contacts under a warrant.
    pub accounts: Client,
    /// `keys`, which closes warrants.
    pub keys: Client,
    /// The contacts of the brought table.
    pub brought: BroughtContacts,
}

#[async_trait]
impl Contacts for StoredContacts {
    async fn open(&self, letter: &Letter) -> Result<Box<dyn LetterContacts>, ContactsError> {
        if letter.audience == Audience::Staff {
            return Ok(Box::new(self.staff_of(letter).await?));
        }
        let missing = || unavailable("the letter has no warrant");
        let warrant = letter.warrant.ok_or_else(missing)?;
        let incident = self.store.incident(letter.incident).await.map_err(unavailable)?;
        let incident = incident.ok_or_else(|| unavailable("there is no such incident"))?;
        Ok(match incident.people {
            People::Accounts => {
                Box::new(CustomerContacts { accounts: self.accounts.clone(), warrant })
            }
            People::Table => Box::new(TableContacts { brought: self.brought.clone(), warrant }),
        })
    }

    async fn close(&self, letter: &Letter) -> Result<(), ContactsError> {
        match letter.warrant {
            Some(warrant) => self.keys.call(&CloseWarrant { warrant }).await.map_err(unavailable),
            None => Ok(()),
        }
    }
}

impl StoredContacts {
    /// The staff list, if it is the one that the letter was planned for: ledger rows are places in
    /// it.
    async fn staff_of(&self, letter: &Letter) -> Result<StaffContacts, ContactsError> {
        let (members, hash) = load_staff_list(&self.staff_list).map_err(unavailable)?;
        let planned = self.store.staff_list_of(letter.letter, hash).await.map_err(unavailable)?;
        if planned == hash {
            Ok(StaffContacts(members))
        } else {
            Err(ContactsError::StaffListChanged)
        }
    }
}

struct StaffContacts(Vec<Member>);

#[async_trait]
impl LetterContacts for StaffContacts {
    async fn read(&self, people: &[u32]) -> Result<Vec<Option<Contact>>, ContactsError> {
        let contact = |person: &u32| {
            let member = self.0.get(usize::try_from(*person).ok()?)?;
            Some(Contact { name: member.name.clone(), email: member.email.clone() })
        };
        Ok(people.iter().map(contact).collect())
    }
}

struct CustomerContacts {
    accounts: Client,
    warrant: WarrantId,
}

#[async_trait]
impl LetterContacts for CustomerContacts {
    async fn read(&self, people: &[u32]) -> Result<Vec<Option<Contact>>, ContactsError> {
        let mut records: Vec<_> = people.iter().copied().map(Record).collect();
        records.sort_unstable();
        let mut contacts: HashMap<u32, Contact> = HashMap::with_capacity(people.len());
        for some in records.chunks(RECORDS_AT_ONCE) {
            let warrant = self.warrant.to_string();
            let call = ReadContacts { warrant, records: some.to_vec() };
            let answer = self.accounts.call(&call).await.map_err(unavailable)?;
            contacts.extend(answer.contacts.into_iter().map(|contact| {
                (contact.record.0, Contact { name: contact.name, email: contact.email })
            }));
        }
        Ok(people.iter().map(|person| contacts.remove(person)).collect())
    }
}

struct TableContacts {
    brought: BroughtContacts,
    warrant: WarrantId,
}

#[async_trait]
impl LetterContacts for TableContacts {
    async fn read(&self, people: &[u32]) -> Result<Vec<Option<Contact>>, ContactsError> {
        let records: Vec<_> = people.iter().copied().map(Record).collect();
        let contacts = self.brought.read_emails(self.warrant, &records).await;
        let mut contacts = contacts.map_err(unavailable)?;
        let contact = |record: &Record| {
            let (name, email) = contacts.remove(record)?;
            Some(Contact { name, email })
        };
        Ok(records.iter().map(contact).collect())
    }
}

fn unavailable(cause: impl std::fmt::Display) -> ContactsError {
    ContactsError::Unavailable(cause.to_string())
}
