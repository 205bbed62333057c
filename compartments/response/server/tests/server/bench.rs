//! A running compartment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cofferdam_core::{BroughtPerson, Call, Compartment, MockClock, Personal, SystemRng};
use cofferdam_store::Location;
use cofferdam_wire::{CallError, Client, LogFormat, Problem, ProblemType};
use response_api::{
    ActStage, Audience, BeginTable, DeclareIncident, FinishTable, ImportTable, IncidentId,
    JournalEntry, LetterDraft, LetterId, People, PlanLetter, ReadJournal, ScopeIncident,
    TableCounts, broken_journal,
};
use response_letter::Shop;
use response_mailing::RetryConfig;
use response_server::store::Store;
use response_server::{
    Config, GateConfig, KeysInstance, LettersConfig, RelayConfig, Server, TlsConfig,
};
use testkit::{Authority, free_address};

use crate::neighbours::Neighbours;

/// A verifier key under which no log was signed: these tests copy no log.
const LOG_KEY: &str =
    "keys.cofferdam.example/log+d294651f+AR7ZW/K1JbE36RhqpXBC55cuiPtH+vbCRqjV7VoUswxt";

/// The time at which the tests begin, and at which the clock stands.
pub const NOW: &str = "2012-01-15T10:00:00Z";

/// A running compartment, with its neighbours.
pub struct Bench {
    pub neighbours: Neighbours,
    /// `HOST:PORT` of the public pages.
    pub public: String,
    pub dir: tempfile::TempDir,
    pub authority: Authority,
    base: String,
}

impl Bench {
    /// Starts a compartment whose neighbours answer.
    pub async fn start() -> Self {
        Self::start_with(|_, _| ()).await
    }

    /// Starts a compartment whose neighbours are down.
    pub async fn start_alone() -> Self {
        let nobody = || format!("https://localhost:{}", free_address().port());
        Self::start_with(|config, _| {
            config.keys[0].url = nobody();
            config.accounts = vec![nobody()];
            config.payments = vec![nobody()];
        })
        .await
    }

    /// Starts a compartment after a change of its configuration. The change is given the directory.
    pub async fn start_with(change: impl FnOnce(&mut Config, &Path)) -> Self {
        let (authority, dir) = (Authority::new(), tempfile::tempdir().unwrap());
        let neighbours = Neighbours::start(&authority).await;
        let mut config = config(dir.path(), &authority, &neighbours);
        change(&mut config, dir.path());
        let public = config.notice_listen.to_string();
        let clock = Arc::new(MockClock::at(NOW.parse().unwrap()));
        let server = Server::start(config, clock, Arc::new(SystemRng)).await.unwrap();
        let base = format!("https://localhost:{}", server.address().port());
        tokio::spawn(server.run(std::future::pending()));
        Self { neighbours, public, dir, authority, base }
    }

    pub fn client(&self, name: &str) -> Client {
        self.authority.client(Compartment::Response, name, &self.base)
    }

    pub fn staff(&self) -> Client {
        self.client("operator-1")
    }

    /// The tables on disk.
    pub async fn store(&self) -> Store {
        Store::open(&Location::Sqlite(database(self.dir.path()))).await.unwrap()
    }

    /// Runs a statement on the database, unknown to the compartment.
    pub async fn execute(&self, statement: &'static str) {
        use sqlx::Connection as _;
        let url = format!("sqlite://{}", database(self.dir.path()).display());
        let mut connection = sqlx::AnyConnection::connect(&url).await.unwrap();
        sqlx::query(statement).execute(&mut connection).await.unwrap();
    }

    /// Makes a call that must succeed.
    pub async fn done<C: Call>(&self, call: C) -> C::Answer {
        self.staff().call(&call).await.unwrap_or_else(|e| panic!("{}: {e}", C::PATH))
    }

    /// Makes a call that must be refused with a problem that it declares.
    pub async fn refused<C: Call>(&self, call: C, kind: ProblemType) -> Problem {
        let Err(error) = self.staff().call(&call).await else { panic!("{} succeeded", C::PATH) };
        let Some(problem) = error.problem().cloned() else { panic!("{}: {error}", C::PATH) };
        assert_eq!(problem.code(), kind.code, "{}: {problem}", C::PATH);
        let mut declared = C::PROBLEMS.iter().chain(&ProblemType::GENERAL);
        assert!(declared.any(|of| *of == kind), "{} does not declare {}", C::PATH, kind.code);
        problem
    }

    /// The entries of a journal, which must be unbroken.
    pub async fn journal(&self, incident: IncidentId) -> Vec<JournalEntry> {
        let entries = self.done(ReadJournal { incident }).await;
        assert_eq!(broken_journal(&entries), None);
        entries
    }

    /// The last acts of a journal with their stages, oldest first.
    pub async fn last_acts<const N: usize>(
        &self,
        incident: IncidentId,
    ) -> [(String, Option<ActStage>); N] {
        let entries = self.journal(incident).await;
        let last = entries.iter().skip(entries.len().saturating_sub(N));
        let acts = last.map(|entry| (entry.action.to_string(), entry.stage)).collect::<Vec<_>>();
        acts.try_into().unwrap()
    }

    /// Declares an incident about the customers of `accounts`.
    pub async fn declare(&self) -> IncidentId {
        self.done(declare()).await.incident
    }

    /// Brings people of the table from a source, and finishes the import.
    pub async fn bring_table(&self, source: &str, keys: &[&str], rejected: u64) -> TableCounts {
        let import = self.done(BeginTable { source: source.to_owned(), replaces: None }).await;
        let people: Vec<_> = keys.iter().map(|key| person(key)).collect();
        let brought = people.len() as u64;
        self.done(ImportTable { import, people }).await;
        self.done(FinishTable { import, people: brought, rejected }).await
    }

    /// Declares an incident about a brought table of three people, and scopes it.
    pub async fn scoped_table(&self) -> IncidentId {
        self.bring_table("customers.csv", &["1", "2", "3"], 0).await;
        let declare = DeclareIncident { people: People::Table, ..declare() };
        let incident = self.done(declare).await.incident;
        self.done(ScopeIncident { incident, from_log: false }).await;
        incident
    }

    /// Plans a letter of a scoped incident.
    pub async fn plan(&self, incident: IncidentId, audience: Audience) -> LetterId {
        let plan = self.done(PlanLetter { incident, audience }).await;
        assert!(plan.planned);
        plan.letter
    }

    /// Drafts a letter, and has two people approve it.
    pub async fn approve(&self, letter: LetterId) -> LetterDraft {
        let draft = self.done(response_api::DraftLetter { letter }).await;
        self.done(crate::orders::warrant_order(&draft.warrant)).await;
        draft
    }

    /// Starts a letter to staff. It keeps running, because no relay accepts it.
    pub async fn running_letter(&self) -> (IncidentId, LetterId) {
        let incident = self.scoped_table().await;
        let letter = self.plan(incident, Audience::Staff).await;
        self.approve(letter).await;
        self.done(response_api::StartLetter { letter, before_staff: None }).await;
        (incident, letter)
    }
}

/// The code of the problem with which a call was refused.
pub fn code<T: std::fmt::Debug>(answer: Result<T, CallError>) -> String {
    answer.unwrap_err().problem().unwrap().code().to_owned()
}

pub fn declare() -> DeclareIncident {
    DeclareIncident {
        title: "one app server".to_owned(),
        fallen: vec!["web-ky-1".parse().unwrap()],
        from: "2012-01-14T22:00:00Z".parse().unwrap(),
        to: None,
        found: "a decoy was opened".to_owned(),
        people: People::Accounts,
        unlisted: vec!["web-ky-1".parse().unwrap()],
    }
}

/// A person without contacts, who needs no keys.
pub fn person(key: &str) -> BroughtPerson {
    BroughtPerson {
        key: key.to_owned(),
        country: None,
        region: None,
        language: "en".parse().unwrap(),
        minor: false,
        name: Personal::new(""),
        email: Personal::new(""),
        address: None,
        holds: cofferdam_core::FieldSet::EMPTY.with(cofferdam_core::Field::Phone),
    }
}

fn database(dir: &Path) -> PathBuf {
    dir.join("response.db")
}

fn config(dir: &Path, authority: &Authority, neighbours: &Neighbours) -> Config {
    let public = free_address();
    let secret = |name: &str, text: &str| {
        let file = dir.join(name);
        cofferdam_wire::write_secret(&file, text.as_bytes()).unwrap();
        file
    };
    let staff_list = "name,email,language\nAda,ada@shoeleather.example,en\n\
                      Bob,bob@shoeleather.example,de\n";
    Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        database: Location::Sqlite(database(dir)),
        halves: Vec::new(),
        keys: vec![KeysInstance { url: neighbours.keys(), log_key: LOG_KEY.to_owned() }],
        accounts: vec![neighbours.accounts()],
        payments: vec![neighbours.payments()],
        staff: vec!["operator-1".parse().unwrap()],
        log_copy: dir.join("log-copy"),
        witness_name: "response.example".to_owned(),
        witness_key: secret("witness.key", &("A".repeat(43) + "=")),
        notice_dir: dir.join("notice"),
        notice_listen: public,
        notice_url: format!("http://{public}"),
        notice_proxies: vec![],
        staff_list: secret("staff.csv", staff_list),
        letters: letters(dir),
        least_free_mib: 0,
        log_format: LogFormat::Text,
        tls: authority.files("response-1"),
        shop: shop(),
    }
}

/// Letters go to a relay that does not answer.
fn letters(dir: &Path) -> LettersConfig {
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

fn shop() -> Shop {
    Shop {
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
    }
}
