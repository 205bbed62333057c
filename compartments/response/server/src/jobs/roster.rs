//! The roster: people of the shop's own table, their contacts sealed before they are stored.

use std::collections::{BTreeMap, BTreeSet};

use cofferdam_core::{
    Domain, Epoch, Field, FieldKey, FieldSet, OpenError, Operation, Personal, Record, RosterPerson,
    SealedAs,
};
use cofferdam_wire::{Problem, ProblemType};
use keys_api::{KeyGroup, ReleaseKeys, ReleasedKeys, WarrantId};
use response_api::{MAX_PAGE, RosterPage};

use crate::app::App;
use crate::domain::population::Coarse;
use crate::store::SealedPerson;

/// What is sealed of a person, in the order of [`SealedPerson::sealed`].
const SEALED: [Field; 3] = [Field::RosterName, Field::RosterEmail, Field::RosterAddress];

/// Somebody's contacts.
#[derive(Debug)]
pub struct RosterContact {
    /// The name; empty where there is none.
    pub name: Personal,
    /// The e-mail address.
    pub email: Personal,
}

/// Takes a page of people: all of it, or nothing.
pub async fn import_people(app: &App, people: Vec<RosterPerson>) -> Result<RosterPage, Problem> {
    check(&people)?;
    // One page at a time: numbers are dense.
    let _turn = app.roster_turn.lock().await;
    let keys: Vec<&str> = people.iter().map(|person| person.key.as_str()).collect();
    let known = app.store.roster_keys(&keys).await?;
    let mut next = app.store.roster_end().await?;
    let mut numbered = BTreeMap::new();
    let mut page = RosterPage::default();
    for person in people {
        let record = known.get(&person.key).copied().unwrap_or_else(|| {
            next += 1;
            next - 1
        });
        *(if known.contains_key(&person.key) { &mut page.updated } else { &mut page.created }) += 1;
        numbered.insert(Record(record), person);
    }
    let sealed = seal(app, numbered).await?;
    app.store.put_people(&sealed).await?;
    Ok(page)
}

fn check(people: &[RosterPerson]) -> Result<(), Problem> {
    if !(1..=MAX_PAGE).contains(&people.len()) {
        return Err(Problem::bad_request(format!("bring 1 to {MAX_PAGE} people")));
    }
    let mut keys = BTreeSet::new();
    for person in people {
        if person.key.is_empty() || person.key.len() > 200 || person.key.contains('@') {
            return Err(Problem::bad_request("a key has 1 to 200 bytes, and is no e-mail address"));
        }
        if !keys.insert(person.key.as_str()) {
            return Err(Problem::bad_request("a key stands twice on the page"));
        }
        if person.holds.iter().any(|field| field.domain() != Domain::Accounts) {
            return Err(Problem::bad_request("a shop's table holds fields of customers alone"));
        }
    }
    Ok(())
}

/// What is there to seal of a person.
fn texts(person: &RosterPerson) -> [Option<&Personal>; 3] {
    let given = |text: &'_ Personal| !text.expose().is_empty();
    [
        Some(&person.name).filter(|text| given(text)),
        Some(&person.email).filter(|text| given(text)),
        person.address.as_ref().filter(|text| given(text)),
    ]
}

async fn seal(
    app: &App,
    people: BTreeMap<Record, RosterPerson>,
) -> Result<Vec<SealedPerson>, Problem> {
    let mut groups: BTreeMap<u16, Vec<Record>> = BTreeMap::new();
    for (record, person) in &people {
        let there = SEALED.iter().zip(texts(person)).filter(|(_, text)| text.is_some());
        let fields: FieldSet = there.map(|(field, _)| *field).collect();
        groups.entry(fields.bits()).or_default().push(*record);
    }
    let bare = groups.remove(&0).unwrap_or_default();
    let keys = keys_for(app, Operation::Seal, groups, None, None).await?;
    let mut sealed = Vec::with_capacity(people.len());
    for (record, person) in &people {
        let mut out = [const { None }; 3];
        let mut epoch = Epoch(0);
        if !bare.contains(record) {
            let missing = || Problem::new(ProblemType::UPSTREAM, "keys withheld some keys");
            let (of, keys) = keys.get(record).ok_or_else(missing)?;
            epoch = *of;
            let mut keys = keys.iter();
            for (place, text) in texts(person).into_iter().enumerate() {
                if let Some((text, key)) = text.and_then(|text| Some((text, keys.next()?))) {
                    let at = SealedAs { record: *record, field: SEALED[place], epoch };
                    out[place] = Some(at.seal(key, text, &*app.rng));
                }
            }
        }
        sealed.push(SealedPerson {
            record: *record,
            key: person.key.clone(),
            email_index: texts(person)[1].map(|email| app.lookup.index(email)),
            epoch,
            sealed: out,
            coarse: Coarse {
                country: person.country.clone(),
                region: person.region.clone(),
                language: person.language.clone(),
                minor: person.minor,
            },
            holds: person.holds,
        });
    }
    Ok(sealed)
}

/// Each record's keys, by fields in the order of their numbers.
type Keys = BTreeMap<Record, (Epoch, Vec<FieldKey>)>;

async fn keys_for(
    app: &App,
    operation: Operation,
    groups: BTreeMap<u16, Vec<Record>>,
    epoch: Option<Epoch>,
    warrant: Option<WarrantId>,
) -> Result<Keys, Problem> {
    if groups.is_empty() {
        return Ok(Keys::new());
    }
    let group = |(bits, records)| KeyGroup {
        fields: FieldSet::from_bits(bits).unwrap_or_default(),
        epoch,
        records,
    };
    let call = ReleaseKeys {
        domain: Domain::Response,
        caller: app.name.clone(),
        operation,
        groups: groups.into_iter().map(group).collect(),
        warrant,
    };
    let answer: ReleasedKeys = app.keys.call(&call).await?;
    if !answer.answers(&call) {
        return Err(Problem::new(
            ProblemType::UPSTREAM,
            "another compartment's answer is incomplete",
        ));
    }
    let of_group = |group: keys_api::ReleasedGroup| {
        let epoch = group.epoch;
        group.records.into_iter().map(move |of| (of.record, (epoch, of.keys)))
    };
    Ok(answer.groups.into_iter().flat_map(of_group).collect())
}

/// Names and e-mail addresses of people, under a warrant; nothing for those who have no address.
pub async fn read_contacts(
    app: &App,
    warrant: WarrantId,
    records: &[Record],
) -> Result<BTreeMap<Record, RosterContact>, Problem> {
    let contact = |(record, (name, email))| (record, RosterContact { name, email });
    Ok(read(app, warrant, records, 1).await?.into_iter().map(contact).collect())
}

/// Names and postal addresses of people, under a warrant; nothing for those who have none.
pub async fn read_postal(
    app: &App,
    warrant: WarrantId,
    records: &[Record],
) -> Result<BTreeMap<Record, (Personal, Personal)>, Problem> {
    read(app, warrant, records, 2).await
}

/// Name, and what stands at `place` of what is sealed, of those who have that.
async fn read(
    app: &App,
    warrant: WarrantId,
    records: &[Record],
    place: usize,
) -> Result<BTreeMap<Record, (Personal, Personal)>, Problem> {
    let people = app.store.people(records).await?;
    let mut contacts = BTreeMap::new();
    let mut epochs: BTreeMap<Epoch, Vec<&SealedPerson>> = BTreeMap::new();
    for person in people.iter().filter(|person| person.sealed[place].is_some()) {
        epochs.entry(person.epoch).or_default().push(person);
    }
    for (epoch, people) in epochs {
        let mut groups: BTreeMap<u16, Vec<Record>> = BTreeMap::new();
        for person in &people {
            groups.entry(filled(person, place).bits()).or_default().push(person.record);
        }
        let keys = keys_for(app, Operation::Release, groups, Some(epoch), Some(warrant)).await?;
        for person in people {
            let Some((_, keys)) = keys.get(&person.record) else { continue };
            let both = open(person, epoch, keys, place)?;
            contacts.insert(person.record, both);
        }
    }
    Ok(contacts)
}

fn filled(person: &SealedPerson, place: usize) -> FieldSet {
    let wanted = [0, place].into_iter().filter(|of| person.sealed[*of].is_some());
    wanted.map(|of| SEALED[of]).collect()
}

fn open(
    person: &SealedPerson,
    epoch: Epoch,
    keys: &[FieldKey],
    place: usize,
) -> Result<(Personal, Personal), OpenError> {
    let (mut name, mut other) = (Personal::new(""), Personal::new(""));
    for (field, key) in filled(person, place).iter().zip(keys) {
        let (at, text) = if field == SEALED[0] { (0, &mut name) } else { (place, &mut other) };
        let sealed = person.sealed[at].as_deref().unwrap_or_default();
        *text = SealedAs { record: person.record, field, epoch }.open(key, sealed)?;
    }
    Ok((name, other))
}
