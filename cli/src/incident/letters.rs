//! `cofferdam incident letters`

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use cofferdam_core::{Clock, Rng, SystemClock, SystemRng, Timestamp};
use cofferdam_wire::Client;
use jiff::SignedDuration;
use keys_api::{ApproverSecret, Signed, Warrant, WarrantId};
use response_api::{
    ApproveLetter, Audience, DraftLetter, IncidentId, LedgerState, LetterPlan, LetterState,
    LetterStatus, PlanLetter, ReadLetter, ResetPages, StartLetter, WarrantTerms,
};

use super::error::scope_first;
use super::{Common, StepError, incident_number, table};
use crate::CommandError;
use crate::output::{self, Progress};
use crate::staff::{self, StaffKey};

/// How long a warrant for letters holds: as long as `keys` allows.
const HOURS: i64 = 7 * 24;
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
    /// Who approves what the letter says, and the file with that person's key; twice
    #[arg(long = "approver", value_name = "NAME=KEYFILE")]
    approvers: Vec<StaffKey>,
    /// The file with that person's passphrase; who has none is asked
    #[arg(long = "passphrase-file", value_name = "NAME=FILE")]
    passphrases: Vec<StaffKey>,
    /// Write to customers though staff have not been told, for this reason; it is journalled
    #[arg(long, value_name = "REASON")]
    before_staff: Option<String>,
    #[command(flatten)]
    common: Common,
}

/// To whom, on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum To {
    /// The staff roster
    Staff,
    /// Every customer
    Customers,
}

impl From<To> for Audience {
    fn from(to: To) -> Self {
        match to {
            To::Staff => Self::Staff,
            To::Customers => Self::Customers,
        }
    }
}

/// Two people's approval of what a letter says.
pub struct Approval<'a> {
    /// Their keys.
    pub approvers: &'a [ApproverSecret],
    /// From when on.
    pub now: Timestamp,
    /// Numbers the warrant.
    pub rng: &'a dyn Rng,
    /// Why customers are written to before staff are.
    pub before_staff: Option<String>,
}

/// Plans a letter, has a version of it approved, sends it, and follows it until nothing moves any
/// more. A letter that is under way is followed; one that stopped goes on; one that is done is left
/// alone. `progress` sees it again and again.
pub async fn send(
    client: &Client,
    incident: IncidentId,
    audience: Audience,
    approval: &Approval<'_>,
    mut progress: impl FnMut(&LetterStatus),
) -> Result<LetterStatus, StepError> {
    let letter = plan(client, incident, audience).await?.letter;
    let look = ReadLetter { letter };
    let mut status = client.call(&look).await.map_err(StepError::plain)?;
    if status.state != LetterState::Running && status.open() > 0 {
        if status.version.is_none() || status.state == LetterState::Stopped {
            let draft = client.call(&DraftLetter { letter }).await.map_err(StepError::plain)?;
            let warrant = serde_json::to_value(sign(draft.warrant, approval)?)?;
            client.call(&ApproveLetter { letter, warrant }).await.map_err(StepError::plain)?;
        }
        let before_staff = approval.before_staff.clone();
        let started = client.call(&StartLetter { letter, before_staff }).await;
        status = started.map_err(|e| StepError::of(e, staff_first(incident)))?;
    }
    follow(client, status, progress_of(&mut progress)).await
}

/// Plans a letter: millions of rows take several calls.
pub async fn plan(
    client: &Client,
    incident: IncidentId,
    audience: Audience,
) -> Result<LetterPlan, StepError> {
    loop {
        let plan = client.call(&PlanLetter { incident, audience }).await;
        let plan = plan.map_err(|e| StepError::of(e, scope_first(incident)))?;
        if plan.planned {
            return Ok(plan);
        }
        let written = table::number(plan.people);
        output::note(&format!("letter {}: {written} people planned so far", plan.letter));
    }
}

fn progress_of(progress: &mut impl FnMut(&LetterStatus)) -> impl FnMut(&LetterStatus) {
    move |status| progress(status)
}

/// Follows a letter until it is done or rests.
pub async fn follow(
    client: &Client,
    mut status: LetterStatus,
    mut progress: impl FnMut(&LetterStatus),
) -> Result<LetterStatus, StepError> {
    let look = ReadLetter { letter: status.letter };
    progress(&status);
    while status.state == LetterState::Running {
        tokio::time::sleep(LOOK_EVERY).await;
        status = client.call(&look).await.map_err(StepError::plain)?;
        progress(&status);
    }
    Ok(status)
}

/// The warrant of these terms with its signatures.
fn sign(terms: WarrantTerms, approval: &Approval<'_>) -> Result<Signed<Warrant>, StepError> {
    let people = approval.approvers;
    if people.len() < 2 {
        return Err(StepError::Approvers(people.len()));
    }
    let warrant = warrant(terms, approval.now, approval.rng);
    let signatures = people.iter().map(|person| person.sign(&warrant)).collect();
    Ok(Signed { order: warrant, signatures })
}

/// The warrant of these terms, from now on.
pub fn warrant(terms: WarrantTerms, now: Timestamp, rng: &dyn Rng) -> Warrant {
    let from = now.saturating_sub(SKEW).unwrap_or(now);
    Warrant {
        id: WarrantId::random(rng),
        incident: terms.incident,
        subject: terms.subject,
        caller: terms.caller,
        domain: terms.domain,
        fields: terms.fields,
        records: terms.records,
        from,
        until: from.saturating_add(SignedDuration::from_hours(HOURS)).unwrap_or(now),
    }
}

fn staff_first(incident: IncidentId) -> String {
    format!("staff come first: `cofferdam incident letters {incident} --audience staff`")
}

/// Runs the command. It fails while a row is without an outcome.
pub async fn run(args: LettersArgs) -> Result<ExitCode, CommandError> {
    let client = args.common.client()?;
    let keys = staff::open_all(&args.approvers, &args.passphrases)?;
    let approval = Approval {
        approvers: &keys,
        now: SystemClock.now(),
        rng: &SystemRng,
        before_staff: args.before_staff.clone(),
    };
    let mut bar = None;
    let sent =
        send(&client, args.incident, args.audience.into(), &approval, bar_of(&mut bar)).await;
    if let Some(bar) = bar {
        bar.finish();
    }
    conclude(&args.common, &sent?)
}

/// Shows how far a letter is.
pub fn bar_of(bar: &mut Option<Progress>) -> impl FnMut(&LetterStatus) {
    move |status| {
        let bar = bar.get_or_insert_with(|| Progress::new("letters", status.total()));
        bar.set(status.total() - status.open());
    }
}

/// Says how a letter stands; it fails while a row is without an outcome.
pub fn conclude(common: &Common, status: &LetterStatus) -> Result<ExitCode, CommandError> {
    common.print(status, lines)?;
    if status.open() == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    let why = status.trouble.as_deref().unwrap_or("the sending was stopped");
    let left = table::number(status.open());
    output::note(&format!("{left} letters are not out: {why}; run the same command to go on"));
    Ok(ExitCode::FAILURE)
}

/// A letter's counts, its pace and its providers.
pub fn lines(status: &LetterStatus) -> Vec<String> {
    let words = |state: LedgerState| match state {
        LedgerState::Planned => "still to send",
        LedgerState::Claimed => "at a worker",
        LedgerState::Accepted => "accepted",
        LedgerState::InDoubt => "in doubt",
        LedgerState::Deferred => "put off",
        LedgerState::Bounced => "bounced",
        LedgerState::Complained => "complained of",
        LedgerState::Suppressed => "not written to",
        LedgerState::Expired => "given up",
    };
    let rows: Vec<_> = LedgerState::ALL
        .into_iter()
        .map(|state| vec![words(state).to_owned(), table::number(status.of(state))])
        .collect();
    let head = format!(
        "letter {} to {}: {}",
        status.letter,
        audience_name(status.audience),
        status.state.as_str()
    );
    let mut out: Vec<_> = std::iter::once(head).chain(table::lines(&rows)).collect();
    if let Some(version) = &status.version {
        out.push(format!("version {version}"));
    }
    if let Some(left) = status.seconds_left.filter(|_| status.open() > 0) {
        let minute = table::number(status.last_minute);
        out.push(format!("{minute} in the last minute; about {} min left", left.div_ceil(60)));
    }
    for of in &status.providers {
        let rate = of.rate.map_or_else(String::new, |rate| format!(", {rate} a second at most"));
        let why = of.paused.as_ref().map_or_else(String::new, |why| format!(", PAUSED: {why}"));
        if of.waiting > 0 || of.rate.is_some() || of.paused.is_some() {
            out.push(format!("{}: {} wait{rate}{why}", of.provider, table::number(of.waiting)));
        }
    }
    out.extend(status.reset_pages.map(reset_pages));
    out.extend(status.trouble.clone());
    out
}

fn reset_pages(pages: ResetPages) -> String {
    let busy = pages.busy_percent.map_or_else(
        || "how busy the reset pages are is not known".to_owned(),
        |busy| format!("the reset pages are {busy} % busy"),
    );
    let rate = pages.rate.map_or_else(String::new, |rate| format!("; {rate} a second at most"));
    format!("{busy}{rate}")
}

/// One line on a letter.
pub(super) fn summary(status: &LetterStatus) -> String {
    format!(
        "to {}: {} accepted, {} in doubt, {} bounced, {} still to send",
        audience_name(status.audience),
        table::number(status.of(LedgerState::Accepted)),
        table::number(status.of(LedgerState::InDoubt)),
        table::number(status.of(LedgerState::Bounced)),
        table::number(status.open()),
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
    use cofferdam_core::{Domain, Field, FieldSet, SeededRng, WarrantSubject};

    use super::*;

    fn terms() -> WarrantTerms {
        WarrantTerms {
            incident: 1,
            subject: WarrantSubject::PaperPost { letter: 1 },
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
        let approval = Approval { approvers: &people, now, rng: &rng, before_staff: None };
        let signed = sign(terms(), &approval).unwrap();
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
        let approval = Approval { approvers: &people, now, rng: &rng, before_staff: None };
        let alone = sign(terms(), &approval);
        let error = alone.unwrap_err().to_string();
        assert!(error.contains("--approver NAME=KEYFILE"), "{error}");
    }
}
