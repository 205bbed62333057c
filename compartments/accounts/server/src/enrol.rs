//! Enrols people: numbers, decoys among them, sealed texts, verifiers of passwords. Customers and
//! decoys go through the same steps in the same calls, so that no trace tells them apart.

use accounts_api::Profile;
use cofferdam_core::{CallerName, KeyBytes, Personal, Rng};
use cofferdam_wire::{Problem, blocking};
use keys_api::{EnrolItem, Enrolment as On, Search, Verifier};
use keys_client::{Halves, LookUp, Released, Resting, VaultError};

use crate::app::{App, out_of_numbers};
use crate::at_rest;
use crate::domain::address::{self, EmailIndex};
use crate::domain::decoy::{self, Nobody};
use crate::domain::password::{self, Hashed, Scheme};
use crate::domain::profile;
use crate::domain::salts::salt_like;
use crate::domain::settle::{Candidate, Newcomer, Outcome, Settler, settle};
use crate::store::{Credential, NewCustomer};

/// The rows of new customers, and the outcome for each newcomer.
#[derive(Debug, Default)]
pub struct Enrolment {
    /// The outcomes, in the order of the newcomers.
    pub outcomes: Vec<Outcome>,
    /// The rows, ascending, decoys among them.
    pub rows: Vec<NewCustomer>,
}

/// Prepares the rows of `people`. A number that is taken here and not written stays unused.
pub async fn prepare(
    app: &App,
    caller: &CallerName,
    people: Vec<Newcomer>,
) -> Result<Enrolment, Problem> {
    if people.is_empty() {
        return Ok(Enrolment::default());
    }
    let (outcomes, settlers) = give_numbers(app, caller, people).await?;
    let rows = seal(app, caller, settlers).await?;
    Ok(Enrolment { outcomes, rows })
}

/// Gives numbers to newcomers with a free address, and fills the decoys between them.
async fn give_numbers(
    app: &App,
    caller: &CallerName,
    people: Vec<Newcomer>,
) -> Result<(Vec<Outcome>, Vec<Settler>), Problem> {
    let mut numbers = app.arrivals.numbers.lock().await;
    numbers.provide(&app.store, &app.vault, people.len()).await?;
    let decoys = make_decoys(app, &people, numbers.upcoming.decoys_before(people.len()));
    let (people, decoys, looked_up) = index_addresses(app, caller, people, decoys).await?;
    app.arrivals.remember(people.iter().map(|(person, _)| &person.profile));
    let of_decoys = decoys.iter().flat_map(|decoy| decoy.addresses.iter().map(|(_, index)| index));
    let indexes: Vec<_> = people.iter().map(|(_, index)| index).chain(of_decoys).copied().collect();
    let taken = at_rest::find_all(app, &indexes).await?;
    // The outcomes tell whose addresses the caller named.
    let named = people.iter().filter_map(|(_, index)| taken.get(index)).copied();
    app.vault.note_found(caller, looked_up, Search::SignUp, named).await?;
    settle(people, decoys, taken, &mut numbers.upcoming).ok_or_else(out_of_numbers)
}

/// A decoy whose addresses are not looked up yet.
struct Draft {
    person: Newcomer,
    addresses: Vec<Personal>,
}

/// An address to look up.
enum Lookup {
    /// The address of a newcomer.
    Newcomer(Box<Newcomer>),
    /// One of the addresses of the decoy with this place in the list.
    Decoy(usize, Personal),
}

impl Lookup {
    const fn address(&self) -> &Personal {
        match self {
            Self::Newcomer(person) => &person.profile.email,
            Self::Decoy(_, address) => address,
        }
    }
}

/// Looks up the addresses of newcomers and decoys in one call.
async fn index_addresses(
    app: &App,
    caller: &CallerName,
    people: Vec<Newcomer>,
    drafts: Vec<Draft>,
) -> Result<(Vec<(Newcomer, EmailIndex)>, Vec<Candidate>, LookUp), VaultError> {
    let mut lookups: Vec<_> =
        people.into_iter().map(|person| Lookup::Newcomer(Box::new(person))).collect();
    let mut candidates = Vec::with_capacity(drafts.len());
    for (place, Draft { person, addresses }) in drafts.into_iter().enumerate() {
        lookups.extend(addresses.into_iter().map(|address| Lookup::Decoy(place, address)));
        candidates.push(Candidate { person, addresses: Vec::new() });
    }
    let digest = |lookup: &Lookup| address::digest(lookup.address());
    let mut newcomers = Vec::new();
    let (indexed, looked_up) = app.vault.index(caller, lookups, digest).await?;
    for (lookup, index) in indexed {
        let index = *index.expose();
        match lookup {
            Lookup::Newcomer(person) => newcomers.push((*person, index)),
            Lookup::Decoy(place, address) => candidates[place].addresses.push((address, index)),
        }
    }
    Ok((newcomers, candidates, looked_up))
}

/// Makes `count` decoys from parts of the newcomers and of earlier customers.
fn make_decoys(app: &App, people: &[Newcomer], count: usize) -> Vec<Draft> {
    if count == 0 {
        return Vec::new();
    }
    let earlier = app.arrivals.donors_beside(people.len());
    let donors: Vec<&Profile> = people.iter().map(|p| &p.profile).chain(&earlier).collect();
    let draft = |_| {
        let mail_domains = &app.arrivals.mail_domains;
        let Nobody { profile, addresses } = decoy::recombine(&donors, mail_domains, &*app.rng)?;
        let password = decoy_password(people, &*app.rng)?;
        Some(Draft { person: Newcomer { profile, password }, addresses: addresses.into() })
    };
    (0..count).filter_map(draft).collect()
}

/// A password that nobody knows, hashed like a neighbour's.
fn decoy_password(neighbours: &[Newcomer], rng: &dyn Rng) -> Option<Hashed> {
    let scheme = decoy::pick(neighbours, rng)?.password.scheme;
    let salt = match scheme {
        Scheme::Argon2id(_) => password::fresh_salt(rng),
        Scheme::Legacy(_) => {
            let same = neighbours.iter().filter(|n| n.password.scheme == scheme);
            let salts: Vec<&[u8]> = same.map(|n| n.password.salt.as_slice()).collect();
            salt_like(&salts, rng)
        }
    };
    Some(Hashed { scheme, salt, hash: KeyBytes::new(rng.bytes()) })
}

/// Seals the texts and has verifiers made of the passwords.
async fn seal(
    app: &App,
    caller: &CallerName,
    settlers: Vec<Settler>,
) -> Result<Vec<NewCustomer>, Problem> {
    if settlers.is_empty() {
        return Ok(Vec::new());
    }
    app.vault.check_halves(app.store.db()).await?;
    let fields = settlers.iter().map(|of| (of.record, profile::filled(&of.person.profile)));
    let keys = app.vault.keys_to_seal(caller, fields).await?;
    let item =
        |of: &Settler| EnrolItem { record: of.record, hash: of.person.password.hash.clone() };
    let enrolled = app.vault.enrol(caller, On::SignUp, settlers, item).await?;
    let (halves, rng) = (app.vault.halves().clone(), app.rng.clone());
    let rows = blocking(move || {
        let row = |(of, verifier): (Settler, Verifier)| {
            let credential = credential(&halves, &of, &verifier)?;
            row(of, credential, &halves, &keys, &*rng)
        };
        enrolled.into_iter().map(row).collect::<Result<Vec<_>, _>>()
    });
    Ok(rows.await??)
}

fn credential(halves: &Halves, of: &Settler, made: &Verifier) -> Result<Credential, VaultError> {
    let Hashed { scheme, salt, .. } = &of.person.password;
    let verifier = at_rest::rest_verifier(halves, of.record, &made.bytes)?;
    Ok(Credential { scheme: *scheme, salt: salt.clone(), verifier, set_at: made.set_at })
}

fn row(
    settler: Settler,
    credential: Credential,
    halves: &Halves,
    keys: &Released,
    rng: &dyn Rng,
) -> Result<NewCustomer, VaultError> {
    let Settler { record, index, person } = settler;
    let keys = keys.of(record)?;
    let seal = |(field, text)| Ok((field, keys.seal(field, text, rng)?));
    let sealed = profile::texts(&person.profile).map(seal).collect::<Result<_, VaultError>>()?;
    let email_index = halves.rest(Resting::Index, &KeyBytes::new(index))?;
    let (epoch, coarse) = (keys.epoch(), person.profile.coarse);
    Ok(NewCustomer { record, epoch, coarse, email_index, sealed, credential })
}
