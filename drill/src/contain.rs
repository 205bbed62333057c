//! After the containment: old passwords and sessions are refused, the fallen server is refused
//! everything, and a customer who resets the password gets in again.

use std::path::Path;
use std::time::{Duration, Instant};

use accounts_api::{
    CheckPassword, CheckSession, CompleteReset, OpenSession, ReadCustomers, RequestReset, Session,
};
use cofferdam_core::{Call, Personal, Record};
use cofferdam_mail::sink::SinkIndex;
use cofferdam_wire::{Client, ProblemType};

use crate::error::DrillError;
use crate::numbers::Numbers;
use crate::people::{People, Person};
use crate::recorder::Recorder;
use crate::traffic::{OpenedSession, profile};

/// The number of old passwords and old sessions that are tried.
const SAMPLE: usize = 20;
/// The longest time that a reset code may take to arrive.
const MAIL: Duration = Duration::from_secs(20);

/// The shop after the containment.
pub struct Contained<'a> {
    /// A client of `accounts` as the app server that did not fall.
    pub healthy: &'a Client,
    /// A client of `accounts` as the app server that fell.
    pub fallen: &'a Client,
    /// The synthetic customers.
    pub people: &'a People,
    /// The customer numbers, and the records behind them.
    pub numbers: &'a Numbers,
    /// Sessions that were opened before at the healthy server.
    pub sessions: &'a [OpenedSession],
    /// The mail sink, where reset codes arrive.
    pub mail: &'a Path,
}

/// Checks the containment. Returns the customers who were mailed a reset code.
pub async fn check(
    contained: &Contained<'_>,
    recorder: &mut Recorder<'_>,
) -> Result<Vec<Record>, DrillError> {
    let Contained { healthy, fallen, people, numbers, sessions, mail } = contained;
    let some = &sessions[..sessions.len().min(SAMPLE)];
    let (mut passwords, mut tokens) = (0, 0);
    for session in some {
        let person = people.person(session.number);
        passwords += usize::from(
            refused_as(healthy, &sign_in(&person), accounts_api::BAD_CREDENTIALS).await,
        );
        let check = CheckSession { token: session.token.clone() };
        tokens += usize::from(refused_as(healthy, &check, accounts_api::NO_SESSION).await);
    }
    let all = some.len();
    let none_opens = all > 0 && passwords == all;
    recorder.check("old passwords are void", none_opens, format!("{passwords} of {all} refused"));
    let none_open = all > 0 && tokens == all;
    recorder.check("old sessions are closed", none_open, format!("{tokens} of {all} refused"));

    let Some(session) = some.first() else { return Ok(Vec::new()) };
    let person = people.person(session.number);
    let Session { record: number, token, .. } = reset(healthy, &person, mail).await?;
    let (records, session) = (vec![number], Some(token));
    let view = ReadCustomers { records, fields: profile(), session };
    let seen = healthy.call(&view).await?;
    let own = seen.iter().flat_map(|c| c.fields.values()).any(|v| v.expose() == person.email);
    recorder.check(
        "a reset opens the account again",
        own,
        "code by mail, new password, profile seen",
    );

    let asked = [
        refused_as(fallen, &sign_in(&person), ProblemType::FROZEN).await,
        refused_as(fallen, &view, ProblemType::FROZEN).await,
        refused_as(
            fallen,
            &CheckPassword { email: person.email.into(), password: "x".to_owned().into() },
            ProblemType::FROZEN,
        )
        .await,
    ];
    let refused = asked.iter().filter(|refused| **refused).count();
    let all = refused == asked.len();
    recorder.check(
        "the fallen server is refused",
        all,
        format!("{refused} of {} calls", asked.len()),
    );
    Ok(vec![numbers.record(number)?])
}

fn sign_in(person: &Person) -> OpenSession {
    OpenSession { email: person.email.clone().into(), password: person.password.clone().into() }
}

/// Sets a new password with the code that arrives by mail, and signs in with it.
async fn reset(accounts: &Client, person: &Person, mail: &Path) -> Result<Session, DrillError> {
    let email = Personal::new(person.email.clone());
    accounts.call(&RequestReset { email: email.clone() }).await?;
    let code = wait_for_code(&email, mail).await?;
    let password = Personal::new(format!("new-{}", person.salt));
    accounts.call(&CompleteReset { code, password: password.clone() }).await?;
    Ok(accounts.call(&OpenSession { email, password }).await?)
}

/// Waits for the code in the newest mail to an address: the line that is indented by four blanks.
async fn wait_for_code(email: &Personal, mail: &Path) -> Result<Personal, DrillError> {
    let deadline = Instant::now() + MAIL;
    while Instant::now() < deadline {
        if let Some(message) = SinkIndex::load(mail)?.read_message(email)? {
            let text = String::from_utf8_lossy(&message);
            let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
            let line = body.lines().find_map(|line| line.strip_prefix("    "));
            let code = line.ok_or_else(|| {
                DrillError::unexpected("the mail with the reset code has no code in it")
            })?;
            return Ok(Personal::new(code.trim()));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(DrillError::unexpected(format!("no reset code arrived in {MAIL:?}")))
}

/// Whether a call is refused with a problem of this type.
async fn refused_as<C: Call>(client: &Client, call: &C, expected: ProblemType) -> bool {
    client.call(call).await.is_err_and(|e| e.is(expected))
}
