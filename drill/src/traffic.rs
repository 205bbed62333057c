//! Ordinary traffic at the app servers: customers sign in and look at their profiles. Everything
//! that reaches a host is written down.

use std::sync::Arc;

use accounts_api::{CheckSession, CloseSession, OpenSession, ReadCustomers};
use cofferdam_core::{CustomerNumber, Field, FieldSet, Personal, Record};
use cofferdam_wire::Client;
use fake::rand::rngs::ChaCha8Rng;
use fake::rand::{RngExt, SeedableRng};
use tokio::task::JoinSet;

use crate::error::DrillError;
use crate::fill::Filled;
use crate::people::People;
use crate::size::VIEWS;
use crate::tally::Tally;

/// The number of customers who are at a host at the same time.
const AT_ONCE: usize = 4;

/// The fields of a profile page.
pub fn profile() -> FieldSet {
    [Field::Name, Field::Email, Field::Phone, Field::ShippingAddress, Field::CardLast4]
        .into_iter()
        .collect()
}

/// A visit that will be made.
#[derive(Debug, Clone)]
pub struct Visit {
    /// The customer's number among the synthetic ones.
    pub number: u32,
    record: Record,
    customer: CustomerNumber,
    email: Personal,
    password: Personal,
    /// Whether the customer first types a wrong password.
    mistyped: bool,
    ending: Ending,
}

/// The ending of a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// The customer never types the right password. Nothing is read, but a password was typed.
    GivesUp,
    /// The customer signs out.
    SignsOut,
    /// The session stays open.
    StaysSignedIn,
}

/// A session that was left open.
#[derive(Debug, Clone)]
pub struct OpenedSession {
    /// The customer's number among the synthetic ones.
    pub number: u32,
    /// The session's token.
    pub token: Personal,
}

/// Draws the visits of `count` synthetic customers at a host. Each host number draws others.
pub fn plan(
    people: &People,
    filled: &Filled,
    seed: u64,
    host: u64,
    count: u32,
) -> Result<Vec<Visit>, DrillError> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(u64::MAX - host);
    let shoppers = filled.roll.shoppers();
    let visit = |_| {
        let (record, number) = shoppers[rng.random_range(0..shoppers.len())];
        let person = people.person(number);
        Ok(Visit {
            number,
            record,
            customer: filled.numbers.number(record)?,
            email: person.email.into(),
            password: person.password.into(),
            mistyped: rng.random_ratio(1, 10),
            ending: match rng.random_range(0..8) {
                0 => Ending::GivesUp,
                1..4 => Ending::SignsOut,
                _ => Ending::StaysSignedIn,
            },
        })
    };
    (0..count).map(visit).collect()
}

/// Makes the visits at the host whose certificate `accounts` shows. Returns the data that reached
/// the host, and the sessions that stay open.
pub async fn run(
    accounts: &Client,
    visits: Vec<Visit>,
) -> Result<(Tally, Vec<OpenedSession>), DrillError> {
    let (mut tally, mut open) = (Tally::default(), Vec::new());
    let mut visits = visits.into_iter();
    let mut at_host = JoinSet::new();
    let accounts = Arc::new(accounts.clone());
    loop {
        while at_host.len() < AT_ONCE
            && let Some(visit) = visits.next()
        {
            let accounts = accounts.clone();
            at_host.spawn(async move { make_visit(&accounts, visit).await });
        }
        let Some(ended) = at_host.join_next().await else { break };
        let (seen, session) = ended??;
        tally.add(&seen);
        open.extend(session);
    }
    Ok((tally, open))
}

async fn make_visit(
    accounts: &Client,
    visit: Visit,
) -> Result<(Tally, Option<OpenedSession>), DrillError> {
    let mut tally = Tally::default();
    let Visit { number, record, customer, email, password, mistyped, ending } = visit;
    tally.add_typed(record);
    if mistyped || ending == Ending::GivesUp {
        let wrong = Personal::new(format!("{}x", password.expose()));
        let refused = accounts.call(&OpenSession { email: email.clone(), password: wrong }).await;
        match refused {
            Err(e) if e.is(accounts_api::BAD_CREDENTIALS) => {}
            other => {
                let what = format!("a wrong password was answered with {other:?}");
                return Err(DrillError::Unexpected(what));
            }
        }
    }
    if ending == Ending::GivesUp {
        return Ok((tally, None));
    }
    let session = accounts.call(&OpenSession { email, password }).await?;
    tally.add_session(record);
    if session.record != customer {
        return Err(DrillError::unexpected("a sign-in ended in another customer's account"));
    }
    for _ in 0..VIEWS {
        let whose = accounts.call(&CheckSession { token: session.token.clone() }).await?;
        let view = ReadCustomers {
            records: vec![whose],
            fields: profile(),
            session: Some(session.token.clone()),
        };
        if whose != customer {
            return Err(DrillError::unexpected("a session became another customer's"));
        }
        tally.add_answer(&view, &accounts.call(&view).await?, |_| Ok(record))?;
    }
    if ending == Ending::SignsOut {
        accounts.call(&CloseSession { token: session.token }).await?;
        return Ok((tally, None));
    }
    Ok((tally, Some(OpenedSession { number, token: session.token })))
}
