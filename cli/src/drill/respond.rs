//! Steps 4 to 8: the response, through the functions behind `cofferdam incident`.

use std::path::Path;
use std::time::{Duration, Instant};

use cofferdam_core::{Clock, Domain, Record, SystemClock, SystemRng};
use cofferdam_wire::Client;
use keys_api::ApproverSecret;
use response_api::{
    Audience, DeclareIncident, Exposure, FeedAlarm, FreezeCaller, IncidentId, LedgerState,
    LetterStatus,
};

use super::breach::{Breach, FALLEN, HEALTHY, Happened};
use super::contain::{self, Contained};
use super::letters::{self, Arrived};
use super::report::{AlarmReport, DrillReport, Steps};
use super::{DrillArgs, notice, scope_check};
use crate::CommandError;
use crate::incident;
use crate::incident::letters::Approval;
use crate::incident::void::VoidApproval;
use crate::staff::{self, StaffKey};
use crate::up::APPROVERS;

/// How long the alarms may take to come through to `response`.
const ALARMS: Duration = Duration::from_secs(20);

struct Response<'a> {
    breach: &'a Breach<'a>,
    happened: &'a Happened,
    client: Client,
    incident: IncidentId,
    steps: &'a mut Steps,
    report: &'a mut DrillReport,
    /// A code out of a letter that arrived.
    code: Option<String>,
}

/// Responds to the breach; who was mailed a reset code meanwhile.
pub async fn respond(
    breach: &Breach<'_>,
    happened: &Happened,
    args: &DrillArgs,
    steps: &mut Steps,
    report: &mut DrillReport,
) -> Result<Vec<Record>, CommandError> {
    let client = breach.estate.response(&"operator-1".parse()?)?;
    steps.begin("alarms");
    let alarms = alarms(&client).await?;
    take_alarms(&alarms, report);
    steps.end(format!("{} alarms by {FALLEN}", alarms.iter().filter(|a| is_thief(a)).count()));

    steps.begin("declare");
    let call = DeclareIncident {
        title: format!("{FALLEN} reads customers without cause"),
        fallen: vec![FALLEN.parse()?],
        from: happened.since,
        to: None,
        found: "It opened decoys and ran into its read budget".to_owned(),
        people: response_api::People::Accounts,
    };
    let declared = incident::declare::declare(&client, &call).await?;
    steps.end(format!("incident {}", declared.incident));

    let incident = declared.incident;
    let mut response = Response { breach, happened, client, incident, steps, report, code: None };
    response.freeze().await?;
    response.scope().await?;
    let reset = response.void().await?;
    response.letters(args).await?;
    response.publish().await?;
    Ok(reset)
}

fn is_thief(alarm: &FeedAlarm) -> bool {
    alarm.caller.as_ref().is_some_and(|caller| caller.as_str() == FALLEN)
}

/// The kinds of alarm that a theft raises.
const RINGING: [(&str, &str); 3] = [
    ("budget", "the spent budget raises an alarm"),
    ("decoy", "the opened decoys raise an alarm"),
    ("refused_grant", "the refused attempts raise an alarm"),
];

/// Waits until all of them have come through.
async fn alarms(client: &Client) -> Result<Vec<FeedAlarm>, CommandError> {
    let deadline = Instant::now() + ALARMS;
    loop {
        let alarms = incident::alarms::alarms(client, 0).await?;
        let rang = |kind| alarms.iter().any(|alarm| is_thief(alarm) && alarm.kind == kind);
        if RINGING.iter().all(|(kind, _)| rang(*kind)) || Instant::now() > deadline {
            return Ok(alarms);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn take_alarms(alarms: &[FeedAlarm], report: &mut DrillReport) {
    for (kind, name) in RINGING {
        let of_kind = alarms.iter().filter(|alarm| is_thief(alarm) && alarm.kind == kind);
        let count: u64 = of_kind.map(|alarm| alarm.count).sum();
        report.checks.add(name, count > 0, format!("by {FALLEN}"));
    }
    report.alarms = alarms
        .iter()
        .map(|alarm| AlarmReport {
            kind: alarm.kind.clone(),
            caller: alarm.caller.as_ref().map(ToString::to_string),
            count: alarm.count,
        })
        .collect();
}

impl Response<'_> {
    async fn freeze(&mut self) -> Result<(), CommandError> {
        self.steps.begin("freeze");
        let call = FreezeCaller {
            incident: self.incident,
            caller: FALLEN.parse()?,
            frozen: true,
            reason: "fell; reads customers without cause".to_owned(),
        };
        incident::freeze::freeze(&self.client, &call).await?;
        self.steps.end(format!("{FALLEN} is refused everywhere"));
        Ok(())
    }

    async fn scope(&mut self) -> Result<(), CommandError> {
        self.steps.begin("scope");
        let exposure = incident::scope::scope(&self.client, self.incident, false).await?;
        let truth = &self.happened.truth;
        let people = self.breach.filled.roll.records();
        let difference = scope_check::compare(&self.client, self.incident, truth, &people).await?;
        let people = exposure.people;
        let of_report = &mut self.report.exposure;
        (of_report.read, of_report.presented) = (people.read, people.presented);
        of_report.reachable = people.reachable;
        (of_report.missed, of_report.wrong) = (difference.missed, difference.wrong);
        of_report.fields = difference.read;
        let exact = difference.missed + difference.wrong == 0;
        let detail = match difference.places.as_slice() {
            [] => "nothing missed, nothing wrong, in every field".to_owned(),
            places => places.join("; "),
        };
        self.report.checks.add("the log knows exactly what the server got", exact, detail);
        self.cards(&exposure);
        self.steps.end(format!(
            "{} people read, {} presented a password, {} within reach",
            people.read, people.presented, people.reachable
        ));
        Ok(())
    }

    /// The proof that no card was touched: payments is named untouched, with all its cards.
    fn cards(&mut self, exposure: &Exposure) {
        let stored = self.breach.filled.cards;
        let proof = exposure.untouched.iter().find(|of| of.domain == Domain::Payments);
        let released = proof.map(|of| of.released);
        self.report.cards.stored = stored;
        // Without the proof, all count as released.
        self.report.cards.released_to_fallen = released.unwrap_or(stored);
        let held = proof.is_some_and(|of| of.released == 0 && of.records == stored && !of.granted);
        let detail = match proof {
            Some(of) => format!("{} of {} cards released to {FALLEN}", of.released, of.records),
            None => "payments is not among the untouched".to_owned(),
        };
        self.report.checks.add("no card was released to the fallen server", held, detail);
    }

    async fn void(&mut self) -> Result<Vec<Record>, CommandError> {
        self.steps.begin("void");
        let staff = self.breach.estate.dir.join("staff");
        let [first, second] = APPROVERS.map(|name| approver(&staff, name));
        let (approvers, now) = ([first?, second?], SystemClock.now());
        let approval =
            VoidApproval { approvers: &approvers, now, set_before: now, break_glass: None };
        let voided = incident::void::everybody(&self.client, self.incident, approval).await?;
        self.report.void.customers = voided.customers;
        self.report.void.seconds = voided.seconds;
        let all = voided.customers >= self.report.customers;
        let detail = format!("{} customers in {:.2} s", voided.customers, voided.seconds);
        self.report.checks.add("one order voids every password", all, detail.clone());
        let estate = self.breach.estate;
        let contained = Contained {
            healthy: &estate.accounts(&HEALTHY.parse()?)?,
            fallen: &estate.accounts(&FALLEN.parse()?)?,
            people: self.breach.people,
            sessions: &self.happened.sessions,
            mail: &estate.dir.join("mail"),
        };
        let reset = contain::check(&contained, &mut self.report.checks).await?;
        self.steps.end(detail);
        Ok(reset)
    }

    async fn letters(&mut self, args: &DrillArgs) -> Result<(), CommandError> {
        let mail = self.breach.estate.dir.join("mail");
        let before = letters::last_arrival(&mail)?;
        self.steps.begin("letters to staff");
        let staff = self.send(Audience::Staff).await?;
        let accepted = staff.of(LedgerState::Accepted);
        self.report.letters.staff = accepted;
        let all = accepted > 0 && accepted == staff.total();
        self.report.checks.add("staff are told first", all, format!("{accepted} letters"));
        self.steps.end(format!("{accepted} accepted"));
        let before_customers = before + if args.relay.is_none() { accepted } else { 0 };

        self.steps.begin("letters to customers");
        let status = self.send(Audience::Customers).await?;
        let seconds = self.steps.end(format!("{} accepted", status.of(LedgerState::Accepted)));
        self.report.letters.seconds = seconds;
        self.steps.begin("count the letters");
        let counted = self.count(&status, &mail, before_customers, args).await?;
        self.steps.end(counted);
        Ok(())
    }

    async fn count(
        &mut self,
        status: &LetterStatus,
        mail: &Path,
        before: u64,
        args: &DrillArgs,
    ) -> Result<String, CommandError> {
        let rows = letters::ledger(&self.client, status.letter).await?;
        let (roll, truth) = (&self.breach.filled.roll, &self.happened.truth);
        let arrived = Arrived::load(mail, before)?;
        let (delivery, against) = if args.relay.is_none() {
            (letters::by_arrival(&rows, &arrived, roll, truth), "held against the mail sink")
        } else {
            (letters::by_ledger(&rows, roll, truth), "by the ledger alone: the mail went elsewhere")
        };
        let of_report = &mut self.report.letters;
        (of_report.planned, of_report.accepted) = (delivery.planned, delivery.accepted);
        (of_report.missing, of_report.duplicated) = (delivery.missing, delivery.duplicated);
        let name = "every customer gets one letter, and nobody else any";
        let detail = format!("{} letters, {against}", delivery.accepted);
        let detail = if delivery.is_perfect() { detail } else { format!("{detail}: {delivery:?}") };
        self.report.checks.add(name, delivery.is_perfect(), detail);
        if args.relay.is_none() {
            let (opened, wrong) = letters::spot_check(&rows, &arrived, truth)?;
            self.code = letters::a_code(&rows, &arrived)?;
            let detail = format!("{opened} letters opened, {wrong} say something else");
            let name = "a letter names exactly what its reader lost";
            self.report.checks.add(name, opened > 0 && wrong == 0, detail);
        }
        Ok(against.to_owned())
    }

    async fn send(&self, audience: Audience) -> Result<LetterStatus, CommandError> {
        let staff = self.breach.estate.dir.join("staff");
        let keys = APPROVERS.map(|name| approver(&staff, name));
        let [first, second] = keys;
        let keys = [first?, second?];
        let approval = Approval {
            approvers: &keys,
            now: SystemClock.now(),
            rng: &SystemRng,
            before_staff: None,
        };
        let mut bar = None;
        let progress = incident::letters::bar_of(&mut bar);
        let sent =
            incident::letters::send(&self.client, self.incident, audience, &approval, progress)
                .await;
        if let Some(bar) = bar {
            bar.finish();
        }
        Ok(sent?)
    }

    async fn publish(&mut self) -> Result<(), CommandError> {
        self.steps.begin("notice and report");
        let published = incident::notice::publish(&self.client, self.incident).await?;
        let page = notice::fetch(&published.url).await?;
        self.report.notice.status = page.status;
        self.report.notice.url.clone_from(&published.url);
        let whole = page.status == 200
            && page.sha256 == published.sha256
            && page.body.contains("Notice of Data Breach");
        let detail = format!("{} from {}", page.status, published.url);
        self.report.checks.add("anybody can read the notice", whole, detail);

        if let Some(code) = self.code.take() {
            self.check_letter(&published.url, &code).await?;
        }

        let report = incident::report::report(&self.client, self.incident).await?;
        let path = self.breach.estate.dir.join("response/report.html");
        incident::report::write(&report, &path)?;
        let whole = report.html.contains("<svg") && report.exposure.is_some();
        let detail = path.display().to_string();
        self.report.checks.add("the report is written", whole, detail.clone());
        self.steps.end(format!("{}; {detail}", published.url));
        Ok(())
    }
}

impl Response<'_> {
    /// Types a letter's code where the letter says, and one that is nobody's.
    async fn check_letter(&mut self, url: &str, code: &str) -> Result<(), CommandError> {
        let page = format!("{url}verify");
        let genuine = notice::check_code(&page, code).await?;
        let forged = notice::check_code(&page, "00000-00000").await?;
        let holds =
            genuine.body.contains("answer genuine") && forged.body.contains("answer forged");
        let detail = format!("{} and {} from {page}", genuine.status, forged.status);
        self.report.checks.add("anybody can check a letter", holds, detail);
        Ok(())
    }
}

fn approver(dir: &Path, name: &str) -> Result<ApproverSecret, CommandError> {
    let file =
        |end: &str| StaffKey { name: name.to_owned(), file: dir.join(format!("{name}.{end}")) };
    let mut opened = staff::open_all(&[file("pem")], &[file("passphrase")])?;
    opened.pop().ok_or_else(|| format!("{name} has no key").into())
}
