//! The response, through the steps that staff take.

use std::time::{Duration, Instant};

use cofferdam_core::{Clock, Domain, Record, SystemClock, SystemRng};
use cofferdam_wire::Client;
use estate::{APPROVERS, Compartment};
use keys_api::ApproverSecret;
use response_api::{
    Alarm, AppliedOrder, Audience, DeclareIncident, Exposure, FallenHost, FreezeCaller, HostKind,
    IncidentId, LedgerState, LetterStatus, MakeReport, People, PublishNotice,
};
use staff::approvers::open_directory;
use staff::incident::write_report;
use staff::letters::{Approval, LetterProgress};
use staff::order::void_everybody;

use crate::breach::{Breach, FALLEN, HEALTHY, Happened};
use crate::contain::{self, Contained};
use crate::error::DrillError;
use crate::letters::{self, Arrived};
use crate::recorder::Recorder;
use crate::report::AlarmReport;
use crate::{notice, scope_check};

/// The longest time that the alarms may take to arrive at `response`.
const ALARMS: Duration = Duration::from_secs(20);

/// The kinds of alarm that a theft raises, and the check of each. The last two ring only where a thief can
/// open customers who are not there.
const RINGING: [(&str, &str); 3] = [
    ("refused_grant", "the refused attempts raise an alarm"),
    ("budget", "the spent budget raises an alarm"),
    ("decoy", "the opened decoys raise an alarm"),
];

fn ringing(presence: bool) -> &'static [(&'static str, &'static str)] {
    if presence { &RINGING[..1] } else { &RINGING }
}

/// The response to an incident, under way.
struct Response<'a, 'r> {
    breach: &'a Breach<'a>,
    happened: &'a Happened,
    client: Client,
    incident: IncidentId,
    recorder: &'a mut Recorder<'r>,
    /// Whether the letters end in the estate's own mail sink, where they can be counted and read.
    own_sink: bool,
    /// A code from a letter that arrived.
    code: Option<String>,
}

/// Responds to the breach. Returns the customers who were mailed a reset code during it.
pub async fn respond(
    breach: &Breach<'_>,
    happened: &Happened,
    own_sink: bool,
    recorder: &mut Recorder<'_>,
) -> Result<Vec<Record>, DrillError> {
    let client = breach.estate.client(Compartment::Response, &"operator-1".parse()?)?;
    recorder.begin("alarms");
    let alarms = wait_for_alarms(&client, breach.presence).await?;
    record_alarms(&alarms, breach.presence, recorder);
    let by_thief = alarms.iter().filter(|alarm| is_thief(alarm)).count();
    recorder.end(format!("{by_thief} alarms by {FALLEN}"));

    recorder.begin("declare");
    let found = if breach.presence {
        "It asked for customers who were not signed in"
    } else {
        "It opened decoys and ran into its read budget"
    };
    let call = DeclareIncident {
        title: format!("{FALLEN} reads customers without cause"),
        fallen: vec![FallenHost { host: FALLEN.parse()?, kind: HostKind::App }],
        from: happened.since,
        to: None,
        found: found.to_owned(),
        people: People::Accounts,
        unlisted: vec![],
    };
    let incident = staff::call(&client, &call).await?.incident;
    recorder.end(format!("incident {incident}"));

    let mut response =
        Response { breach, happened, client, incident, recorder, own_sink, code: None };
    response.freeze().await?;
    response.scope().await?;
    let reset = response.void().await?;
    response.write_letters().await?;
    response.publish().await?;
    Ok(reset)
}

/// Waits until every kind of alarm that the theft raises has arrived.
async fn wait_for_alarms(client: &Client, presence: bool) -> Result<Vec<Alarm>, DrillError> {
    let deadline = Instant::now() + ALARMS;
    loop {
        let alarms = staff::incident::alarms(client, 0).await?;
        let rang = |kind| alarms.iter().any(|alarm| is_thief(alarm) && alarm.kind == kind);
        if ringing(presence).iter().all(|(kind, _)| rang(*kind)) || Instant::now() > deadline {
            return Ok(alarms);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn is_thief(alarm: &Alarm) -> bool {
    alarm.caller.as_ref().is_some_and(|caller| caller.as_str() == FALLEN)
}

fn record_alarms(alarms: &[Alarm], presence: bool, recorder: &mut Recorder<'_>) {
    for (kind, name) in ringing(presence) {
        let of_kind = alarms.iter().filter(|alarm| is_thief(alarm) && alarm.kind == *kind);
        let count: u64 = of_kind.map(|alarm| alarm.count).sum();
        recorder.check(name, count > 0, format!("by {FALLEN}"));
    }
    recorder.report.alarms = alarms
        .iter()
        .map(|alarm| AlarmReport {
            kind: alarm.kind.clone(),
            caller: alarm.caller.as_ref().map(ToString::to_string),
            count: alarm.count,
        })
        .collect();
}

impl Response<'_, '_> {
    async fn freeze(&mut self) -> Result<(), DrillError> {
        self.recorder.begin("freeze");
        let call = FreezeCaller {
            incident: self.incident,
            caller: FALLEN.parse()?,
            frozen: true,
            reason: "fell; reads customers without cause".parse()?,
            key: None,
            order: None,
        };
        staff::call(&self.client, &call).await?;
        self.recorder.end(format!("{FALLEN} is refused everywhere"));
        Ok(())
    }

    async fn scope(&mut self) -> Result<(), DrillError> {
        self.recorder.begin("scope");
        let (truth, customers) = (&self.happened.truth, self.breach.filled.roll.records());
        let scoped =
            scope_check::scope(&self.client, self.incident, false, truth, &customers).await?;
        scoped.record(self.recorder);
        let detail = scoped.difference.in_words();
        let exact = scoped.difference.is_none();
        self.recorder.check("the log knows exactly what the server got", exact, detail);
        self.check_cards(&scoped.exposure);
        let people = scoped.exposure.people;
        self.recorder.end(format!(
            "{} people read, {} presented a password, {} within reach",
            people.read, people.presented, people.reachable
        ));
        Ok(())
    }

    /// Checks the proof that no card was touched: the exposure lists payments, with all its cards,
    /// as untouched.
    fn check_cards(&mut self, exposure: &Exposure) {
        let stored = self.breach.filled.cards;
        let proof = exposure.untouched.iter().find(|of| of.domain == Domain::Payments);
        let released = proof.map(|of| of.released);
        self.recorder.report.cards.stored = stored;
        // Without the proof, every card counts as released.
        self.recorder.report.cards.released_to_fallen = released.unwrap_or(stored);
        let held = proof.is_some_and(|of| of.released == 0 && of.records == stored && !of.granted);
        let detail = match proof {
            Some(of) => format!("{} of {} cards released to {FALLEN}", of.released, of.records),
            None => "payments is not among the untouched".to_owned(),
        };
        self.recorder.check("no card was released to the fallen server", held, detail);
    }

    async fn void(&mut self) -> Result<Vec<Record>, DrillError> {
        self.recorder.begin("void");
        let now = SystemClock.now();
        let mut order = void_everybody(self.incident, now, None, now);
        self.approvers()?.iter().for_each(|approver| order.sign(approver));
        let AppliedOrder::Void(voided) = order.apply(&self.client).await? else {
            return Err(DrillError::unexpected("another order was carried out"));
        };
        let report = &mut self.recorder.report;
        (report.void.customers, report.void.seconds) = (voided.customers, voided.seconds);
        let all = voided.customers >= report.customers;
        let detail = format!("{} customers in {:.2} s", voided.customers, voided.seconds);
        self.recorder.check("one order voids every password", all, detail.clone());
        let estate = self.breach.estate;
        let contained = Contained {
            healthy: &estate.client(Compartment::Accounts, &HEALTHY.parse()?)?,
            fallen: &estate.client(Compartment::Accounts, &FALLEN.parse()?)?,
            people: self.breach.people,
            numbers: &self.breach.filled.numbers,
            sessions: &self.happened.sessions,
            mail: &estate.dir.join("mail"),
        };
        let reset = contain::check(&contained, self.recorder).await?;
        self.recorder.end(detail);
        Ok(reset)
    }

    async fn write_letters(&mut self) -> Result<(), DrillError> {
        let before = letters::last_arrival(&self.breach.estate.dir.join("mail"))?;
        self.recorder.begin("letters to staff");
        let staff = self.send(Audience::Staff).await?;
        let accepted = staff.of(LedgerState::Accepted);
        self.recorder.report.letters.staff = accepted;
        let all = accepted > 0 && accepted == staff.total();
        self.recorder.check("staff are told first", all, format!("{accepted} letters"));
        self.recorder.end(format!("{accepted} accepted"));
        let before_customers = before + if self.own_sink { accepted } else { 0 };

        self.recorder.begin("letters to customers");
        let status = self.send(Audience::Customers).await?;
        let sent = format!("{} accepted", status.of(LedgerState::Accepted));
        self.recorder.report.letters.seconds = self.recorder.end(sent);
        self.recorder.begin("count the letters");
        let counted = self.count(&status, before_customers).await?;
        self.recorder.end(counted);
        Ok(())
    }

    async fn send(&self, audience: Audience) -> Result<LetterStatus, DrillError> {
        let approval = Approval {
            approvers: &self.approvers()?,
            now: SystemClock.now(),
            rng: &SystemRng,
            before_staff: None,
        };
        let mut sent = self.recorder.progress("letters");
        let progress = |progress: LetterProgress<'_>| {
            if let LetterProgress::Sending(status) = progress {
                sent(status.total() - status.open(), status.total());
            }
        };
        let (client, incident) = (&self.client, self.incident);
        Ok(staff::letters::send(client, incident, audience, &approval, progress).await?)
    }

    /// Counts the letters that arrived, or the ledger's rows if the mail went elsewhere.
    async fn count(&mut self, status: &LetterStatus, before: u64) -> Result<String, DrillError> {
        let rows = letters::ledger(&self.client, status.letter).await?;
        let (roll, truth) = (&self.breach.filled.roll, &self.happened.truth);
        let arrived = Arrived::load(&self.breach.estate.dir.join("mail"), before)?;
        let (delivery, against) = if self.own_sink {
            (letters::by_arrival(&rows, &arrived, roll, truth), "held against the mail sink")
        } else {
            (letters::by_ledger(&rows, roll, truth), "by the ledger alone: the mail went elsewhere")
        };
        let report = &mut self.recorder.report.letters;
        (report.planned, report.accepted) = (delivery.planned, delivery.accepted);
        (report.missing, report.duplicated) = (delivery.missing, delivery.duplicated);
        let name = "every customer gets one letter, and nobody else any";
        let detail = format!("{} letters, {against}", delivery.accepted);
        let detail = if delivery.is_perfect() { detail } else { format!("{detail}: {delivery:?}") };
        self.recorder.check(name, delivery.is_perfect(), detail);
        if self.own_sink {
            let (opened, wrong) = letters::spot_check(&rows, &arrived, truth)?;
            self.code = letters::find_code(&rows, &arrived)?;
            let detail = format!("{opened} letters opened, {wrong} say something else");
            let name = "a letter names exactly what its reader lost";
            self.recorder.check(name, opened > 0 && wrong == 0, detail);
        }
        Ok(against.to_owned())
    }

    async fn publish(&mut self) -> Result<(), DrillError> {
        self.recorder.begin("notice and report");
        let published =
            staff::call(&self.client, &PublishNotice { incident: self.incident }).await?;
        let page = notice::fetch(&published.url).await?;
        self.recorder.report.notice.status = page.status;
        self.recorder.report.notice.url.clone_from(&published.url);
        let whole = page.status == 200
            && page.sha256 == published.sha256
            && page.body.contains("Notice of Data Breach");
        let detail = format!("{} from {}", page.status, published.url);
        self.recorder.check("anybody can read the notice", whole, detail);

        if let Some(code) = self.code.take() {
            self.check_letter(&published.url, &code).await?;
        }

        let report = staff::call(&self.client, &MakeReport { incident: self.incident }).await?;
        let path = self.breach.estate.dir.join("response/report.html");
        write_report(&report, &path)?;
        let whole = report.html.contains("<svg") && report.exposure.is_some();
        let detail = path.display().to_string();
        self.recorder.check("the report is written", whole, detail.clone());
        let agree = report.people.is_some_and(|of| {
            let places = of.told + of.session_only + of.gone;
            let exposed = report.exposure.as_ref().map(Exposure::exposed);
            of.planned == Some(of.told) && places == of.exposed && exposed == Some(of.exposed)
        });
        let counted = format!("{:?}", report.people);
        self.recorder.check("notice, letters and report count the same people", agree, counted);
        self.recorder.end(format!("{}; {detail}", published.url));
        Ok(())
    }

    /// Types a letter's code into the public page, and a code that no letter has.
    async fn check_letter(&mut self, url: &str, code: &str) -> Result<(), DrillError> {
        let page = format!("{url}verify");
        let genuine = notice::check_code(&page, code).await?;
        let forged = notice::check_code(&page, "00000-00000").await?;
        let holds =
            genuine.body.contains("answer genuine") && forged.body.contains("answer forged");
        let detail = format!("{} and {} from {page}", genuine.status, forged.status);
        self.recorder.check("anybody can check a letter", holds, detail);
        Ok(())
    }

    fn approvers(&self) -> Result<Vec<ApproverSecret>, DrillError> {
        Ok(open_directory(&self.breach.estate.dir.join("staff"), &APPROVERS)?)
    }
}
