//! Taking people in: numbers, decoys among them, sealed texts, hardened passwords. Customers and
//! decoys go through the same steps together, so that no trace tells them apart.

use std::collections::{BTreeMap, HashMap, HashSet};

use accounts_api::Profile;
use cofferdam_core::{
    CallerName, Epoch, FieldSet, KeyBytes, Operation, Personal, Record, Rng, SealedAs, Timestamp,
};
use cofferdam_wire::Problem;
use keys_api::{HardenItem, KeyGroup};

use crate::app::App;
use crate::domain::decoy::Nobody;
use crate::domain::password::{self, Hashed, Scheme};
use crate::domain::profile::{self, SEALED};
use crate::domain::{address, decoy};
use crate::keys::{GroupKeys, Wanted};
use crate::store::{Credential, EmailIndex, NewCustomer};

/// Somebody who wants to be a customer.
#[derive(Debug)]
pub struct Newcomer {
    /// Who.
    pub profile: Profile,
    /// The password, hashed and not yet hardened.
    pub password: Hashed,
}

/// What became of a newcomer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A customer of this number, once the rows are written.
    New(Record),
    /// The e-mail address is this customer's.
    Taken(Record),
}

/// Customers ready to be written, and what became of each newcomer.
#[derive(Debug)]
pub struct Enrolment {
    /// In the order of the newcomers.
    pub outcomes: Vec<Outcome>,
    /// Ascending, decoys among them.
    pub rows: Vec<NewCustomer>,
}

/// Somebody with a number, real or not.
struct Settler {
    record: Record,
    index: EmailIndex,
    person: Newcomer,
}

/// Somebody made up, and the addresses to choose from.
struct Decoy {
    person: Newcomer,
    addresses: Vec<Personal>,
}

impl Decoy {
    /// At the first of the addresses, whose indexes are `indexes`, that nobody has or wants.
    fn at_a_free_address(
        mut self,
        indexes: impl Iterator<Item = EmailIndex>,
        is_taken: impl Fn(&EmailIndex) -> bool,
    ) -> Option<(EmailIndex, Newcomer)> {
        // All of them are drawn, so that the next decoy's follow.
        let both: Vec<_> = indexes.zip(self.addresses).collect();
        let (index, address) = both.into_iter().find(|(index, _)| !is_taken(index))?;
        self.person.profile.email = address;
        Some((index, self.person))
    }
}

/// Prepares the rows of `people`. Numbers that are taken here and not written stay unused.
pub async fn prepare(
    app: &App,
    caller: &CallerName,
    people: Vec<Newcomer>,
) -> Result<Enrolment, Problem> {
    if people.is_empty() {
        return Ok(Enrolment { outcomes: Vec::new(), rows: Vec::new() });
    }
    let (outcomes, settlers) = settle(app, caller, people).await?;
    let rows = seal(app, caller, settlers).await?;
    Ok(Enrolment { outcomes, rows })
}

/// Gives numbers to those whose address is free, and people to the decoys on the way.
async fn settle(
    app: &App,
    caller: &CallerName,
    people: Vec<Newcomer>,
) -> Result<(Vec<Outcome>, Vec<Settler>), Problem> {
    let mut numbers = app.numbers.lock().await;
    numbers.provide(&app.store, &app.keys, people.len()).await?;
    let mut decoys = make_decoys(app, &people, numbers.decoys_before(people.len())).into_iter();

    let addresses = people.iter().map(|p| &p.profile.email);
    let addresses = addresses.chain(decoys.as_slice().iter().flat_map(|d| &d.addresses));
    let mut indexes = app.keys.index(caller, addresses.map(address::digest).collect()).await?;
    let found = app.store.find_all(&indexes).await;
    let mut taken: HashMap<EmailIndex, Record> = found?;
    let mut decoy_indexes = indexes.split_off(people.len()).into_iter();
    let wanted: HashSet<EmailIndex> = indexes.iter().copied().collect();

    let mut outcomes = Vec::with_capacity(people.len());
    let mut settlers = Vec::with_capacity(people.len());
    app.donors.remember(people.iter().map(|p| &p.profile));
    for (index, person) in indexes.into_iter().zip(people) {
        if let Some(record) = taken.get(&index) {
            outcomes.push(Outcome::Taken(*record));
            continue;
        }
        let mut place = numbers.take()?;
        while place.decoy {
            let decoy = decoys.next().and_then(|decoy| {
                let indexes = decoy_indexes.by_ref().take(decoy.addresses.len());
                decoy.at_a_free_address(indexes, |i| taken.contains_key(i) || wanted.contains(i))
            });
            // Should all addresses be taken, the number stays unused.
            if let Some((index, person)) = decoy {
                taken.insert(index, place.record);
                settlers.push(Settler { record: place.record, index, person });
            }
            place = numbers.take()?;
        }
        taken.insert(index, place.record);
        outcomes.push(Outcome::New(place.record));
        settlers.push(Settler { record: place.record, index, person });
    }
    Ok((outcomes, settlers))
}

/// Makes people for `count` decoys out of parts of the newcomers and of some before them.
fn make_decoys(app: &App, people: &[Newcomer], count: usize) -> Vec<Decoy> {
    if count == 0 {
        return Vec::new();
    }
    let earlier = app.donors.recall(people.len());
    let donors: Vec<&Profile> = people.iter().map(|p| &p.profile).chain(&earlier).collect();
    let person = |_| {
        let Nobody { profile, addresses } =
            decoy::recombine(&donors, &app.decoy_mail_domains, &*app.rng)?;
        let password = decoy_password(people, &*app.rng)?;
        Some(Decoy { person: Newcomer { profile, password }, addresses: addresses.into() })
    };
    (0..count).filter_map(person).collect()
}

/// A password that nobody knows, hashed like a neighbour's.
fn decoy_password(neighbours: &[Newcomer], rng: &dyn Rng) -> Option<Hashed> {
    let scheme = decoy::pick(neighbours, rng)?.password.scheme;
    let salt = match scheme {
        Scheme::Argon2id(_) => password::fresh_salt(rng),
        Scheme::Legacy(_) => {
            let same = neighbours.iter().filter(|n| n.password.scheme == scheme);
            let salts: Vec<&[u8]> = same.map(|n| n.password.salt.as_slice()).collect();
            decoy::salt_like(&salts, rng)
        }
    };
    Some(Hashed { scheme, salt, hash: KeyBytes::new(rng.bytes()) })
}

/// Seals the texts and hardens the passwords.
async fn seal(
    app: &App,
    caller: &CallerName,
    settlers: Vec<Settler>,
) -> Result<Vec<NewCustomer>, Problem> {
    if settlers.is_empty() {
        return Ok(Vec::new());
    }
    let keys = keys_to_seal(app, caller, &settlers).await?;
    let items = settlers
        .iter()
        .map(|s| HardenItem { record: s.record, hash: s.person.password.hash.clone() })
        .collect();
    let verifiers = app.keys.harden(caller, items).await?;
    let (rng, set_at) = (app.rng.clone(), app.now());
    let sealing = cofferdam_wire::blocking(move || {
        let both = settlers.into_iter().zip(verifiers);
        both.filter_map(|(s, verifier)| row(s, &verifier, set_at, &keys, &*rng)).collect()
    });
    Ok(sealing.await?)
}

/// One group for each set of fields that somebody fills: a key is given out only for a text
/// that there is.
async fn keys_to_seal(
    app: &App,
    caller: &CallerName,
    settlers: &[Settler],
) -> Result<HashMap<FieldSet, GroupKeys>, Problem> {
    let mut groups: BTreeMap<u16, Vec<Record>> = BTreeMap::new();
    for settler in settlers {
        let filled = profile::filled(&settler.person.profile);
        groups.entry(filled.bits()).or_default().push(settler.record);
    }
    let group = |(bits, records)| KeyGroup {
        fields: FieldSet::from_bits(bits).unwrap_or_default(),
        epoch: None,
        records,
    };
    let groups: Vec<_> = groups.into_iter().map(group).collect();
    let fields: Vec<_> = groups.iter().map(|group| group.fields).collect();
    let wanted = Wanted { caller, operation: Operation::Seal, groups, warrant: None };
    let released = app.keys.release(wanted).await?;
    Ok(fields.into_iter().zip(released.groups).collect())
}

/// The row of one settler; there is none only without its keys, which [`Keys::release`] rules
/// out.
///
/// [`Keys::release`]: crate::keys::Keys::release
fn row(
    settler: Settler,
    verifier: &KeyBytes,
    set_at: Timestamp,
    keys: &HashMap<FieldSet, GroupKeys>,
    rng: &dyn Rng,
) -> Option<NewCustomer> {
    let Settler { record, index: email_index, person } = settler;
    let released = keys.get(&profile::filled(&person.profile))?;
    let mut keys = released.keys.get(&record)?.iter();
    let epoch: Epoch = released.epoch;
    let mut sealed: [Option<Vec<u8>>; SEALED.len()] = Default::default();
    for ((field, text), place) in
        SEALED.into_iter().zip(profile::texts(&person.profile)).zip(&mut sealed)
    {
        if let Some(text) = text {
            *place = Some(SealedAs { record, field, epoch }.seal(keys.next()?, text, rng));
        }
    }
    let Hashed { scheme, salt, .. } = person.password;
    let credential = Credential { scheme, salt, verifier: *verifier.expose(), set_at };
    let coarse = person.profile.coarse;
    Some(NewCustomer { record, epoch, coarse, email_index, sealed, credential })
}
