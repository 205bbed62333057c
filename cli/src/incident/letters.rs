//! `cofferdam incident letters`

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use cofferdam_core::{Clock, Rng, SystemClock, SystemRng, Timestamp};
use cofferdam_wire::Client;
use jiff::SignedDuration;
use keys_api::{ApproverSecret, Signed, Warrant, WarrantId};
use response_api::{
    Audience, IncidentId, LetterStatus, PlanLetter, ReadLetter, StartLetter, WarrantTerms,
};

use super::error::scope_first;
use super::{Common, StepError, incident_number, table};
use crate::CommandError;
use crate::output::{self, Progress};
use crate::staff::{self, StaffKey};

/// How long a warrant for letters holds.
const HOURS: i64 = 24;
/// How far the clocks of this machine and of `keys` may be apart.
const SKEW: SignedDuration = SignedDuration::from_mins(5);
/// Between two looks at a letter that is being sent.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// `cofferdam incident letters`
#[derive(Debug, Args)]
pub struct LettersArgs {
    /// The incident's number
    #[arg(value_parser = incident_number)]
    incident: IncidentId,
    /// To whom; customers only after staff
    #[arg(long, value_enum)]
    audience: To,
    /// Who approves letters to customers, and the file with that person's key; twice
    #[arg(long = "approver", value_name = "NAME=KEYFILE")]
    approvers: Vec<StaffKey>,
    /// The file with that person's passphrase; who has none is asked
    #[arg(long = "passphrase-file", value_name = "NAME=FILE")]
    passphrases: Vec<StaffKey>,
    #[command(flatten)]
    common: Common,
}

/// To whom, on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum To {
    /// The staff roster
    Staff,
    /// Every customer
    Customers,
}

/// Two people's leave to write to customers.
pub struct Approval<'a> {
    /// Their keys.
    pub approvers: &'a [ApproverSecret],
    /// From when on.
    pub now: Timestamp,
    /// Numbers the warrant.
    pub rng: &'a dyn Rng,
}

/// Plans a letter, has its warrant signed, sends it, and follows it until nothing moves any more.
/// A letter that is under way is followed; one that stopped goes on; one that is done is left
/// alone. `progress` sees it again and again.
pub async fn send(
    client: &Client,
    incident: IncidentId,
    audience: Audience,
    approval: &Approval<'_>,
    mut progress: impl FnMut(&LetterStatus),
) -> Result<LetterStatus, StepError> {
    let plan = client.call(&PlanLetter { incident, audience }).await;
    let plan = plan.map_err(|e| StepError::of(e, scope_first(incident)))?;
    let look = ReadLetter { letter: plan.letter };
    let mut status = client.call(&look).await.map_err(StepError::plain)?;
    if !status.running && open(&status) > 0 {
        let warrant = plan.warrant.map(|terms| sign(terms, approval)).transpose()?;
        let start = StartLetter { letter: plan.letter, warrant };
        let started = client.call(&start).await;
        status = started.map_err(|e| StepError::of(e, staff_first(incident)))?;
    }
    progress(&status);
    while status.running {
        tokio::time::sleep(LOOK_EVERY).await;
        status = client.call(&look).await.map_err(StepError::plain)?;
        progress(&status);
    }
    Ok(status)
}

/// The rows without an outcome.
pub fn open(status: &LetterStatus) -> u64 {
    status.planned + status.claimed
}

/// The warrant of these terms with its signatures, as JSON.
fn sign(terms: WarrantTerms, approval: &Approval<'_>) -> Result<serde_json::Value, StepError> {
    let people = approval.approvers;
    if people.len() < 2 {
        return Err(StepError::Approvers(people.len()));
    }
    let now = approval.now;
    let warrant = Warrant {
        id: WarrantId::random(approval.rng),
        incident: terms.incident,
        purpose: terms.purpose,
        caller: terms.caller,
        domain: terms.domain,
        fields: terms.fields,
        records: terms.records,
        from: now.saturating_sub(SKEW).unwrap_or(now),
        until: now.saturating_add(SignedDuration::from_hours(HOURS)).unwrap_or(now),
    };
    let signatures = people.iter().map(|person| person.sign(&warrant)).collect();
    Ok(serde_json::to_value(Signed { order: warrant, signatures })?)
}

fn staff_first(incident: IncidentId) -> String {
    format!("staff come first: `cofferdam incident letters {incident} --audience staff`")
}

/// Runs the command. It fails while a row is without an outcome.
pub async fn run(args: LettersArgs) -> Result<ExitCode, CommandError> {
    let client = args.common.client()?;
    let keys = staff::open_all(&args.approvers, &args.passphrases)?;
    let approval = Approval { approvers: &keys, now: SystemClock.now(), rng: &SystemRng };
    let audience = match args.audience {
        To::Staff => Audience::Staff,
        To::Customers => Audience::Customers,
    };
    let mut bar = None;
    let sent = send(&client, args.incident, audience, &approval, |status| {
        let bar = bar.get_or_insert_with(|| Progress::new("letters", total(status)));
        bar.set(total(status) - open(status));
    })
    .await;
    if let Some(bar) = bar {
        bar.finish();
    }
    let status = sent?;
    args.common.print(&status, lines)?;
    if open(&status) == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    let why = status.trouble.as_deref().unwrap_or("the sending was stopped");
    let left = table::number(open(&status));
    output::note(&format!("{left} letters are not out: {why}; run the same command to go on"));
    Ok(ExitCode::FAILURE)
}

/// The people planned.
fn total(status: &LetterStatus) -> u64 {
    open(status) + status.accepted + status.in_doubt + status.bounced + status.suppressed
}

fn lines(status: &LetterStatus) -> Vec<String> {
    let rows = [
        ("accepted", status.accepted),
        ("in doubt", status.in_doubt),
        ("bounced", status.bounced),
        ("not written to", status.suppressed),
        ("still to send", open(status)),
    ];
    let rows: Vec<_> =
        rows.iter().map(|(what, n)| vec![(*what).to_owned(), table::number(*n)]).collect();
    let head = format!("letter {} to {}", status.letter, audience_name(status.audience));
    std::iter::once(head).chain(table::lines(&rows)).collect()
}

/// One line on a letter.
pub(super) fn summary(status: &LetterStatus) -> String {
    format!(
        "to {}: {} accepted, {} in doubt, {} bounced, {} still to send",
        audience_name(status.audience),
        table::number(status.accepted),
        table::number(status.in_doubt),
        table::number(status.bounced),
        table::number(open(status)),
    )
}

const fn audience_name(audience: Audience) -> &'static str {
    match audience {
        Audience::Staff => "staff",
        Audience::Customers => "customers",
    }
}

#[cfg(test)]
mod tests {
    use cofferdam_core::{Domain, Field, FieldSet, SeededRng};

    use super::*;

    fn terms() -> WarrantTerms {
        WarrantTerms {
            incident: 1,
            purpose: "letters to customers".into(),
            caller: "response-1".parse().unwrap(),
            domain: Domain::Accounts,
            fields: FieldSet::EMPTY.with(Field::Name).with(Field::Email),
            records: 20_000,
        }
    }

    #[test]
    fn a_warrant_is_signed_by_both_as_keys_checks_it() {
        let rng = SeededRng::new(1);
        let people = ["ann", "bob"].map(|name| ApproverSecret::generate(name, &rng));
        let now: Timestamp = "2012-01-15T20:00:00Z".parse().unwrap();
        let signed = sign(terms(), &Approval { approvers: &people, now, rng: &rng }).unwrap();
        let signed: Signed<Warrant> = serde_json::from_value(signed).unwrap();
        let public = people.each_ref().map(ApproverSecret::public);
        assert_eq!(signed.verify(&public), Ok(["ann".to_owned(), "bob".to_owned()]));
        let warrant = signed.order;
        assert_eq!((warrant.incident, warrant.records), (1, 20_000));
        assert_eq!(warrant.fields, terms().fields);
        assert!(warrant.from < now && now < warrant.until);
    }

    #[test]
    fn one_person_is_not_enough() {
        let rng = SeededRng::new(1);
        let people = [ApproverSecret::generate("ann", &rng)];
        let now = "2012-01-15T20:00:00Z".parse().unwrap();
        let alone = sign(terms(), &Approval { approvers: &people, now, rng: &rng });
        let error = alone.unwrap_err().to_string();
        assert!(error.contains("--approver NAME=KEYFILE"), "{error}");
    }
}
