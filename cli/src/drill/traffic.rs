//! Ordinary traffic at the app servers: people sign in and look at their profiles. What each host
//! got is written down exactly.

use std::sync::Arc;

use accounts_api::{CheckSession, CloseSession, OpenSession, ReadCustomers};
use cofferdam_core::{Field, FieldSet, Personal, Record};
use cofferdam_wire::Client;
use fake::rand::rngs::ChaCha8Rng;
use fake::rand::{RngExt, SeedableRng};
use tokio::task::JoinSet;

use super::people::People;
use super::roll::Roll;
use super::size::VIEWS;
use super::tally::Tally;
use crate::CommandError;

/// How many people are at a host at once.
const AT_ONCE: usize = 4;

/// The fields of a profile page.
pub fn profile() -> FieldSet {
    [Field::Name, Field::Email, Field::Phone, Field::ShippingAddress, Field::CardLast4]
        .into_iter()
        .collect()
}

/// One visit that will be made.
#[derive(Debug, Clone)]
pub struct Visit {
    /// The customer's number among the synthetic ones.
    pub number: u32,
    record: Record,
    email: Personal,
    password: Personal,
    /// Whether a wrong password comes first.
    mistyped: bool,
    ending: Ending,
}

/// How a visit ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// The password does not come to mind: nothing was read, but passwords were typed.
    GivesUp,
    /// The session is closed.
    Leaves,
    /// It stays open.
    Stays,
}

/// A session that was left open.
#[derive(Debug, Clone)]
pub struct OpenedSession {
    /// The customer's number among the synthetic ones.
    pub number: u32,
    /// What stands for it.
    pub token: Personal,
}

/// Who will visit: `count` synthetic customers. Another `host` number draws others.
pub fn plan(people: &People, roll: &Roll, seed: u64, host: u64, count: u32) -> Vec<Visit> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(u64::MAX - host);
    let records = roll.shoppers().len();
    let visit = |_| {
        let (record, number) = roll.shoppers()[rng.random_range(0..records)];
        let person = people.person(number);
        Visit {
            number,
            record,
            email: person.email.into(),
            password: person.password.into(),
            mistyped: rng.random_ratio(1, 10),
            ending: match rng.random_range(0..8) {
                0 => Ending::GivesUp,
                1..4 => Ending::Leaves,
                _ => Ending::Stays,
            },
        }
    };
    (0..count).map(visit).collect()
}

/// Makes the visits at the host that `accounts` is a client for.
pub async fn run(
    accounts: &Client,
    visits: Vec<Visit>,
) -> Result<(Tally, Vec<OpenedSession>), CommandError> {
    let (mut tally, mut open) = (Tally::default(), Vec::new());
    let mut visits = visits.into_iter();
    let mut at_host = JoinSet::new();
    let accounts = Arc::new(accounts.clone());
    loop {
        while at_host.len() < AT_ONCE
            && let Some(visit) = visits.next()
        {
            let accounts = accounts.clone();
            at_host.spawn(async move { make(&accounts, visit).await });
        }
        let Some(ended) = at_host.join_next().await else { break };
        let (seen, session) = ended??;
        tally.add(&seen);
        open.extend(session);
    }
    Ok((tally, open))
}

async fn make(
    accounts: &Client,
    visit: Visit,
) -> Result<(Tally, Option<OpenedSession>), CommandError> {
    let mut tally = Tally::default();
    let Visit { number, record, email, password, mistyped, ending } = visit;
    tally.typed(record);
    if mistyped || ending == Ending::GivesUp {
        let wrong = Personal::new(format!("{}x", password.expose()));
        let refused = accounts.call(&OpenSession { email: email.clone(), password: wrong }).await;
        match refused {
            Err(e) if e.is(accounts_api::BAD_CREDENTIALS) => {}
            other => return Err(format!("a wrong password was answered with {other:?}").into()),
        }
    }
    if ending == Ending::GivesUp {
        return Ok((tally, None));
    }
    let session = accounts.call(&OpenSession { email, password }).await?;
    tally.opened(record);
    if session.record != record {
        return Err("a sign-in ended in another customer's account".into());
    }
    for _ in 0..VIEWS {
        let whose = accounts.call(&CheckSession { token: session.token.clone() }).await?;
        let view = ReadCustomers { records: vec![whose], fields: profile() };
        tally.received(&accounts.call(&view).await?);
    }
    if ending == Ending::Leaves {
        accounts.call(&CloseSession { token: session.token }).await?;
        return Ok((tally, None));
    }
    Ok((tally, Some(OpenedSession { number, token: session.token })))
}
