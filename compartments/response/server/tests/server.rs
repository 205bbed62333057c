//! The compartment as staff see it: over mutual TLS, on a database of its own.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed step is a failed test")]

use std::collections::BTreeMap;
use std::sync::Arc;

use cofferdam_core::{
    Call, Field, FieldSet, MockClock, Operation, Personal, Record, RosterPerson, SystemRng,
};
use cofferdam_store::Location;
use cofferdam_wire::{CallError, Client, LogFormat, ProblemType};
use response_api::{
    ApproveLetter, Audience, BeginAccessLog, DeclareIncident, DraftLetter, DraftPost, FindPerson,
    FinishAccessLog, FinishRoster, FreezeCaller, GiveOrder, ImportAccesses, ImportRoster,
    IncidentId, KeysView, LetterId, Level, ListAccessLogs, ListIncidents, LowerBudget, MakeReport,
    OpenPost, OrderKind, PauseLetter, People, PlanLetter, PublishNotice, ReadExposure, ReadFeed,
    ReadGrounds, ReadJournal, ReadKeys, ReadLedger, ReadLetter, ReadPerson, ReadPost, ReadScoped,
    RemoveAccessLog, ResumeProvider, ScopeIncident, SealBag, SettleLetter, Span, StartLetter,
    StopLetter, VoidCredentials, VoidWhose,
};
use response_server::{
    Config, GateConfig, KeysInstance, LettersConfig, RelayConfig, RetryConfig, Server, Shop,
    TlsConfig,
};
use testkit::{Authority, free_address};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A verifier key that no log was signed with: these tests copy none.
const LOG_KEY: &str =
    "keys.cofferdam.example/log+d294651f+AR7ZW/K1JbE36RhqpXBC55cuiPtH+vbCRqjV7VoUswxt";

struct Bench {
    authority: Authority,
    base: String,
    notice: String,
    dir: tempfile::TempDir,
}

impl Bench {
    /// A server whose neighbours do not answer.
    async fn start() -> Self {
        let (authority, dir) = (Authority::new(), tempfile::tempdir().unwrap());
        let (notice, nobody) =
            (free_address(), format!("https://localhost:{}", free_address().port()));
        let config = Config {
            listen: free_address(),
            database: Location::Sqlite(dir.path().join("response.db")),
            keys: vec![KeysInstance { url: nobody.clone(), log_key: LOG_KEY.to_owned() }],
            accounts: nobody.clone(),
            payments: nobody,
            staff: vec!["operator-1".parse().unwrap()],
            log_copy: dir.path().join("log-copy"),
            witness_name: "response.example".to_owned(),
            witness_key: witness(dir.path()),
            notice_dir: dir.path().join("notice"),
            notice_listen: notice,
            notice_url: format!("http://{notice}"),
            notice_proxies: vec![],
            staff_roster: dir.path().join("staff.csv"),
            letters: letters(dir.path()),
            log_format: LogFormat::Text,
            tls: authority.files("response-1"),
            shop: Shop {
                name: "Shoeleather".to_owned(),
                web_address: "shoeleather.example".to_owned(),
                support_email: "help@shoeleather.example".to_owned(),
                mail_from: "notice@shoeleather.example".to_owned(),
                signatory: "Tony Hale".to_owned(),
                signatory_title: "Chief Executive".to_owned(),
                message_id_domain: "shoeleather.example".to_owned(),
                verify_address: "shoeleather.example/verify".to_owned(),
                measures: BTreeMap::new(),
                police_delay: BTreeMap::new(),
            },
        };
        let clock = MockClock::at("2012-01-15T10:00:00Z".parse().unwrap());
        let server = Server::start(config, Arc::new(clock), Arc::new(SystemRng)).await.unwrap();
        let base = format!("https://localhost:{}", server.address().port());
        tokio::spawn(server.run(std::future::pending()));
        Self { authority, base, notice: notice.to_string(), dir }
    }

    fn client(&self, name: &str) -> Client {
        self.authority.client(name, &self.base)
    }

    fn staff(&self) -> Client {
        self.client("operator-1")
    }
}

/// Letters go to a relay that does not answer.
fn letters(dir: &std::path::Path) -> LettersConfig {
    LettersConfig {
        state: dir.join("letters"),
        texts: None,
        domains: vec![],
        return_domain: None,
        return_listen: None,
        complaints_from: Vec::new(),
        relays: vec![RelayConfig {
            address: "127.0.0.1:1".to_owned(),
            tls: TlsConfig::None,
            authority: None,
            user: None,
            password_file: None,
            weight: 1,
        }],
        dkim: vec![],
        providers: vec![],
        connections: 1,
        reset_pages_busy: None,
        retry: RetryConfig::default(),
        gate: GateConfig::Open { open_because: "a test".to_owned() },
    }
}

fn witness(dir: &std::path::Path) -> std::path::PathBuf {
    let file = dir.join("witness.key");
    cofferdam_wire::write_secret(
        &file,
        &[b'A'; 43].iter().chain(b"=").copied().collect::<Vec<_>>(),
    )
    .unwrap();
    file
}

fn declare() -> DeclareIncident {
    DeclareIncident {
        title: "one app server".to_owned(),
        fallen: vec!["web-ky-1".parse().unwrap()],
        from: "2012-01-14T22:00:00Z".parse().unwrap(),
        to: None,
        found: "a decoy was opened".to_owned(),
        people: People::Accounts,
    }
}

fn kind<T: std::fmt::Debug>(answer: Result<T, CallError>) -> ProblemType {
    answer.unwrap_err().problem().unwrap().kind
}

const fn path<C: Call>(_: &C) -> &'static str {
    C::PATH
}

/// The name of an access log.
fn log() -> String {
    "ab".repeat(32)
}

fn span() -> Span {
    let at = "2012-01-15T10:00:00Z".parse().unwrap();
    Span { from: at, to: at }
}

/// Every route, asked by somebody who is no staff: a new route without a line here fails.
#[tokio::test]
async fn every_route_refuses_a_stranger() {
    let bench = Bench::start().await;
    let stranger = bench.client("web-ky-1");
    let mut walked = Vec::new();
    macro_rules! refused {
        ($($call:expr),* $(,)?) => {$(
            let call = $call;
            walked.push(path(&call));
            assert_eq!(kind(stranger.call(&call).await), ProblemType::NOT_GRANTED, "{}", path(&call));
        )*};
    }
    let (incident, letter) = (IncidentId(1), LetterId(1));
    refused![
        declare(),
        ListIncidents {},
        ReadJournal { incident },
        ReadFeed { after: 0 },
        ScopeIncident { incident, from_log: false },
        ReadExposure { incident, level: Level::Read, field: Field::Name },
        ReadPerson { incident, record: Record(0) },
        ReadScoped { incident, log: 0, from: 0 },
        ReadGrounds { incident },
        SealBag { incident, statement: String::new() },
        FreezeCaller {
            incident,
            caller: "web-ky-2".parse().unwrap(),
            frozen: true,
            reason: "x".to_owned(),
        },
        VoidCredentials { incident, whose: VoidWhose::Exposed },
        LowerBudget {
            incident,
            caller: "web-ky-2".parse().unwrap(),
            operation: Operation::Release,
            budget: None,
            reason: "x".to_owned(),
        },
        PlanLetter { incident, audience: Audience::Staff },
        ReadKeys { view: KeysView::Policy },
        GiveOrder { kind: OrderKind::Policy, signed: serde_json::Value::Null },
        DraftLetter { letter },
        DraftPost { letter },
        OpenPost { letter, warrant: serde_json::Value::Null },
        ReadPost { letter, warrant: String::new(), from: 0 },
        ApproveLetter { letter, warrant: serde_json::Value::Null },
        StartLetter { letter, before_staff: None },
        PauseLetter { letter, provider: None },
        ResumeProvider { letter, provider: "others".to_owned() },
        StopLetter { letter, reason: "x".to_owned() },
        SettleLetter { letter, relayed: vec![], complete: false },
        ReadLetter { letter },
        ReadLedger { letter, from: 0, limit: 1, state: None },
        PublishNotice { incident },
        MakeReport { incident },
        ImportRoster { people: vec![] },
        FinishRoster {},
        FindPerson { key: "1".to_owned() },
        BeginAccessLog { log: log(), name: "a".to_owned(), format: "combined".to_owned() },
        ImportAccesses { log: log(), page: 0, accesses: vec![] },
        FinishAccessLog { log: log(), covers: span(), unreadable: 0 },
        ListAccessLogs {},
        RemoveAccessLog { log: log() },
    ];
    walked.sort_unstable();
    let mut all = response_server::paths();
    all.sort_unstable();
    assert_eq!(walked, all, "a route is not walked");
}

#[tokio::test]
async fn an_incident_is_declared_listed_and_journalled() {
    let bench = Bench::start().await;
    let staff = bench.staff();
    let declared = staff.call(&declare()).await.unwrap();
    assert_eq!(declared.incident, IncidentId(1));
    assert_eq!(declared.declared.to_string(), "2012-01-15T10:00:00Z");
    assert_eq!(staff.call(&ListIncidents {}).await.unwrap(), std::slice::from_ref(&declared));
    let journal = staff.call(&ReadJournal { incident: declared.incident }).await.unwrap();
    let acts: Vec<_> = journal.iter().map(|e| (e.by.as_str(), e.action.as_str())).collect();
    assert_eq!(acts, [("operator-1", "declare")]);
}

#[tokio::test]
async fn nonsense_is_refused() {
    let bench = Bench::start().await;
    let staff = bench.staff();
    let at = |text: &str| text.parse().unwrap();
    for wrong in [
        DeclareIncident { title: " ".to_owned(), ..declare() },
        DeclareIncident { fallen: vec![], ..declare() },
        DeclareIncident { from: at("2012-01-15T10:00:01Z"), ..declare() },
        DeclareIncident { to: Some(at("2012-01-14T21:00:00Z")), ..declare() },
        DeclareIncident { found: "x".repeat(501), ..declare() },
    ] {
        assert_eq!(kind(staff.call(&wrong).await), ProblemType::BAD_REQUEST, "{wrong:?}");
    }
    let nowhere = ScopeIncident { incident: IncidentId(7), from_log: false };
    assert_eq!(kind(staff.call(&nowhere).await), ProblemType::NOT_FOUND);
    let nowhere = ReadLetter { letter: LetterId(7) };
    assert_eq!(kind(staff.call(&nowhere).await), ProblemType::NOT_FOUND);
}

/// What must come first is named, with the command that does it.
/// Pages of an access log come one after the other, and a finished log is left as it is.
#[tokio::test]
async fn an_access_log_is_brought_in_order() {
    let bench = Bench::start().await;
    let staff = bench.staff();
    let begin = |log: String| BeginAccessLog {
        log,
        name: "a.log".to_owned(),
        format: "combined".to_owned(),
    };
    for bad in ["../../etc/passwd".to_owned(), "g".repeat(64), String::new()] {
        assert_eq!(kind(staff.call(&begin(bad)).await), ProblemType::BAD_REQUEST);
    }
    let page = |page| ImportAccesses { log: log(), page, accesses: vec![] };
    assert_eq!(kind(staff.call(&page(0)).await), ProblemType::NOT_FOUND, "it was not begun");
    assert_eq!(staff.call(&begin(log())).await.unwrap().pages, 0);
    assert_eq!(kind(staff.call(&page(1)).await), ProblemType::BAD_REQUEST);
    staff.call(&page(0)).await.unwrap();
    assert_eq!(kind(staff.call(&page(0)).await), ProblemType::BAD_REQUEST, "it is there");
    assert_eq!(staff.call(&begin(log())).await.unwrap().pages, 1);

    let finish = FinishAccessLog { log: log(), covers: span(), unreadable: 0 };
    let whole = staff.call(&finish).await.unwrap();
    assert_eq!((whole.name.as_str(), whole.accesses), ("a.log", 0));
    assert_eq!(staff.call(&finish).await.unwrap(), whole, "finished twice");
    assert_eq!(kind(staff.call(&page(1)).await), ProblemType::BAD_REQUEST, "it is whole");
    assert!(staff.call(&begin(log())).await.unwrap().finished);
    assert_eq!(staff.call(&ListAccessLogs {}).await.unwrap(), [whole]);
    staff.call(&RemoveAccessLog { log: log() }).await.unwrap();
    assert_eq!(staff.call(&ListAccessLogs {}).await.unwrap(), []);
}

/// Without a roster, nothing is said of its people; what can't be one is refused.
#[tokio::test]
async fn a_roster_has_keys_that_name_nobody() {
    let bench = Bench::start().await;
    let staff = bench.staff();
    let person = |key: &str| RosterPerson {
        key: key.to_owned(),
        country: None,
        region: None,
        language: "en".parse().unwrap(),
        minor: false,
        name: Personal::new(""),
        email: Personal::new(""),
        address: None,
        holds: FieldSet::EMPTY,
    };
    let bring = |people| ImportRoster { people };
    for bad in [
        vec![],
        vec![person("")],
        vec![person("ada@post.example")],
        vec![person("1"), person("1")],
        vec![RosterPerson { holds: FieldSet::EMPTY.with(Field::CardNumber), ..person("1") }],
    ] {
        assert_eq!(kind(staff.call(&bring(bad)).await), ProblemType::BAD_REQUEST);
    }
    let declared = DeclareIncident { people: People::Roster, ..declare() };
    let incident = staff.call(&declared).await.unwrap().incident;
    let scope = ScopeIncident { incident, from_log: false };
    assert_eq!(kind(staff.call(&scope).await), ProblemType::CONFLICT, "there is no roster");
    // Who has no contacts needs no keys.
    let done = staff.call(&bring(vec![person("1"), person("2")])).await.unwrap();
    assert_eq!((done.created, done.updated), (2, 0));
    let done = staff.call(&bring(vec![person("2"), person("3")])).await.unwrap();
    assert_eq!((done.created, done.updated), (1, 1));
    assert_eq!(staff.call(&FinishRoster {}).await.unwrap().people, 3);
    let found = staff.call(&FindPerson { key: "3".to_owned() }).await.unwrap();
    assert_eq!(found, Some(Record(2)));
}

#[tokio::test]
async fn steps_out_of_order_name_what_is_missing() {
    let bench = Bench::start().await;
    let staff = bench.staff();
    let incident = staff.call(&declare()).await.unwrap().incident;
    let plan = PlanLetter { incident, audience: Audience::Customers };
    let refused = staff.call(&plan).await.unwrap_err().problem().unwrap().clone();
    assert!(refused.is(ProblemType::CONFLICT));
    assert!(refused.detail.contains("cofferdam incident scope 1"), "{}", refused.detail);
    let publish = PublishNotice { incident };
    assert_eq!(kind(staff.call(&publish).await), ProblemType::CONFLICT);
}

/// A freeze is asked for everywhere, and says where it was not done.
#[tokio::test]
async fn a_freeze_that_did_not_arrive_says_where() {
    let bench = Bench::start().await;
    let staff = bench.staff();
    let incident = staff.call(&declare()).await.unwrap().incident;
    let freeze = FreezeCaller {
        incident,
        caller: "web-ky-1".parse().unwrap(),
        frozen: true,
        reason: "fell".to_owned(),
    };
    let refused = staff.call(&freeze).await.unwrap_err().problem().unwrap().clone();
    assert!(refused.is(ProblemType::UPSTREAM));
    for compartment in ["keys", "accounts", "payments"] {
        assert!(refused.detail.contains(compartment), "{}", refused.detail);
    }
    let journal = staff.call(&ReadJournal { incident }).await.unwrap();
    assert_eq!(journal.last().unwrap().action, "freeze", "tried, so written down");
}

/// What the public pages answer to a request: its first line, and what comes after its head.
async fn anybody(bench: &Bench, first: &str, fields: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(&bench.notice).await.unwrap();
    let request = format!("{first} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{fields}\r\n{body}");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// Twenty attempts a minute: who guesses codes does not get far.
#[tokio::test]
async fn a_network_that_guesses_codes_is_slowed_down() {
    let bench = Bench::start().await;
    let fields = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 16\r\n";
    let mut answers = Vec::new();
    for _ in 0..25 {
        let answer = anybody(&bench, "POST /verify", fields, "code=AAAAA-AAAAA").await;
        answers.push(answer.split_whitespace().nth(1).unwrap().to_owned());
    }
    assert!(answers[..20].iter().all(|status| status == "200"), "{answers:?}");
    // One may have grown back in between.
    assert!(answers.iter().filter(|status| *status == "429").count() >= 4, "{answers:?}");
    assert!(anybody(&bench, "GET /verify", "", "").await.starts_with("HTTP/1.1 200"));
}

/// The notice is read without certificate, and nothing else is.
#[tokio::test]
async fn the_notice_is_a_static_page() {
    let bench = Bench::start().await;
    let get = async |path: &str| anybody(&bench, &format!("GET {path}"), "", "").await;
    assert!(get("/").await.starts_with("HTTP/1.1 404"));
    std::fs::write(bench.dir.path().join("notice/index.html"), "<h1>Notice</h1>").unwrap();
    let page = get("/").await;
    assert!(page.starts_with("HTTP/1.1 200") && page.ends_with("<h1>Notice</h1>"), "{page}");
    assert!(page.contains("content-security-policy: default-src 'none'"), "{page}");
    for other in ["/../response.db", "/index.html.sha256", "/v1/incidents/list"] {
        assert!(get(other).await.starts_with("HTTP/1.1 404"), "{other}");
    }
}
