//! What stands in the configuration files of a new estate.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Range;
use std::path::Path;

use cofferdam_core::{CallerName, Domain, Field, FieldSet, KeyBytes, Operation, Rng};
use cofferdam_store::Location;
use cofferdam_wire::{LogFormat, TlsFiles};
use keys_api::{ApproverKey, Budget, CallerPolicy, Grant, Policy};
use keys_server::custody::Custody;
use response_server::{
    DkimConfig, GateConfig, KeysInstance, LettersConfig, RelayConfig, RetryConfig, Shop, TlsConfig,
};

use crate::connect::Addresses;

/// The example callers: who gets a certificate besides the compartments.
pub const CALLERS: [&str; 8] = [
    "web-ky-1",
    "web-ky-2",
    "checkout-1",
    "processor-1",
    "import-1",
    "operator-1",
    "auditor-1",
    "mail-trap-1",
];

/// The two people whose keys an estate is made with, for drills and development.
pub const APPROVERS: [&str; 2] = ["ann", "bob"];

/// The log's name in its checkpoints.
pub const LOG_ORIGIN: &str = "keys.cofferdam.example/log";

/// The name under which `response` cosigns checkpoints.
pub const WITNESS: &str = "response.cofferdam.example";

/// The key that signs letters, in the directory of `response`.
pub const DKIM_KEY: &str = "dkim.pem";

/// What may differ between estates.
#[derive(Debug, Clone)]
pub struct Plan {
    /// One customer in this many is a decoy.
    pub decoy_one_in: u32,
    /// Where letters of an incident go; `None`: to the estate's own sink, as all other mail does.
    pub letters_relay: Option<String>,
    /// The key that chooses the decoys; `None`: a random one. A drill gives it, so that the same
    /// seed makes the same estate.
    pub decoy_key: Option<KeyBytes>,
    /// How many records an app server may read.
    pub web_release: Budget,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            decoy_one_in: 10_000,
            letters_relay: None,
            decoy_key: None,
            web_release: Budget { minute: 600, hour: 10_000, day: 50_000, burst: 0 },
        }
    }
}

/// Where an estate's ports are: below what Linux and macOS lend to outgoing connections, which
/// would take one while the estate is down.
const PORTS: Range<u16> = 20_000..30_000;

/// Picks ports that are free now, from somewhere else on for each estate.
pub fn addresses(rng: &dyn Rng) -> Option<Addresses> {
    let first = u16::from_be_bytes(rng.bytes()) % (PORTS.end - PORTS.start) + PORTS.start;
    let mut free = (first..PORTS.end)
        .chain(PORTS.start..first)
        .filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
    let mut at = |scheme: &str, host: &str| Some(format!("{scheme}{host}:{}", free.next()?));
    Some(Addresses {
        keys: at("https://", "localhost")?,
        accounts: at("https://", "localhost")?,
        payments: at("https://", "localhost")?,
        response: at("https://", "localhost")?,
        notice: at("http://", "localhost")?,
        relay: at("", "127.0.0.1")?,
    })
}

/// The loopback address of a URL that [`addresses`] made.
pub fn listen(url: &str) -> SocketAddr {
    let port = url.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or(0);
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

fn tls(dir: &Path, compartment: &str) -> TlsFiles {
    let own = dir.join(compartment).join("tls");
    TlsFiles { ca: dir.join("ca/ca.pem"), cert: own.join("cert.pem"), key: own.join("key.pem") }
}

fn database(dir: &Path, compartment: &str) -> Location {
    Location::Sqlite(dir.join(compartment).join(format!("{compartment}.db")))
}

/// `keys.toml`
pub fn keys(dir: &Path, plan: &Plan, at: &Addresses, witness_key: &str) -> keys_server::Config {
    keys_server::Config {
        listen: listen(&at.keys),
        tls: tls(dir, "keys"),
        database: database(dir, "keys"),
        custody: Custody::File { root_key: dir.join("root-key/root.key") },
        log: dir.join("keys/log"),
        log_archive: None,
        log_origin: LOG_ORIGIN.to_owned(),
        witness_key: Some(witness_key.to_owned()),
        log_format: LogFormat::Text,
        controller: name("response-1"),
        auditors: vec![name("auditor-1")],
        alarms: Vec::new(),
        decoy_one_in: plan.decoy_one_in,
        fronts: [
            (Domain::Accounts, name("accounts")),
            (Domain::Payments, name("payments")),
            (Domain::Response, name("response-1")),
        ]
        .into(),
    }
}

/// The first policy.
pub fn policy(plan: &Plan, approvers: Vec<ApproverKey>) -> Policy {
    Policy { version: 1, approvers, callers: callers(plan) }
}

/// `accounts.toml`
pub fn accounts(dir: &Path, at: &Addresses) -> accounts_server::Config {
    let mailboxes = ["post.example", "inbox.example", "mailhaus.example"].map(str::to_owned);
    #[expect(clippy::expect_used, reason = "the three domains above are well formed")]
    let decoy_mail_domains = mailboxes.to_vec().try_into().expect("good mail domains");
    accounts_server::Config {
        listen: listen(&at.accounts),
        tls: tls(dir, "accounts"),
        database: database(dir, "accounts"),
        keys: vec![at.keys.clone()],
        controller: name("response-1"),
        importers: vec![name("import-1")],
        relay: at.relay.clone(),
        mail_from: "accounts@shop.example".to_owned(),
        decoy_mail_domains,
        log_format: LogFormat::Text,
    }
}

/// `payments.toml`
pub fn payments(dir: &Path, at: &Addresses) -> payments_server::Config {
    payments_server::Config {
        listen: listen(&at.payments),
        tls: tls(dir, "payments"),
        database: database(dir, "payments"),
        keys: vec![at.keys.clone()],
        controller: name("response-1"),
        log_format: LogFormat::Text,
    }
}

/// What each example caller may do. App servers show neither billing addresses nor cards; a
/// checkout server sees no more of a card than its last digits; only the forwarder to the
/// processor gets a card in full.
fn callers(plan: &Plan) -> Vec<CallerPolicy> {
    let shown =
        set(&[Field::Name, Field::Email, Field::Phone, Field::ShippingAddress, Field::CardLast4]);
    let profile = shown.with(Field::BillingAddress);
    let ordinary = Budget { minute: 600, hour: 10_000, day: 50_000, burst: 0 };
    let loading = Budget { minute: 2_000_000, hour: 50_000_000, day: 50_000_000, burst: 0 };
    let customers = |operation, fields| Grant { domain: Domain::Accounts, operation, fields };
    let cards = |operation, fields| Grant { domain: Domain::Payments, operation, fields };
    let web = |name_: &str| CallerPolicy {
        name: name(name_),
        grants: vec![
            customers(Operation::Release, shown),
            customers(Operation::Seal, profile),
            customers(Operation::Harden, FieldSet::EMPTY),
            customers(Operation::Index, FieldSet::EMPTY),
        ],
        budgets: [
            (Operation::Release, plan.web_release),
            (Operation::Seal, ordinary),
            (Operation::Harden, ordinary),
            (Operation::Index, ordinary),
        ]
        .into(),
    };
    let whole = set(&[Field::CardNumber, Field::CardExpiry, Field::CardMasked]);
    vec![
        web("web-ky-1"),
        web("web-ky-2"),
        CallerPolicy {
            name: name("checkout-1"),
            grants: vec![
                cards(Operation::Seal, whole),
                cards(Operation::Release, set(&[Field::CardMasked, Field::CardExpiry])),
            ],
            budgets: [(Operation::Release, ordinary), (Operation::Seal, loading)].into(),
        },
        CallerPolicy {
            name: name("processor-1"),
            grants: vec![cards(Operation::Release, set(&[Field::CardNumber, Field::CardExpiry]))],
            budgets: [(Operation::Release, ordinary)].into(),
        },
        CallerPolicy {
            name: name("import-1"),
            grants: vec![
                customers(Operation::Seal, profile),
                customers(Operation::Harden, FieldSet::EMPTY),
                customers(Operation::Index, FieldSet::EMPTY),
            ],
            budgets: [Operation::Seal, Operation::Harden, Operation::Index]
                .map(|operation| (operation, loading))
                .into(),
        },
        // Where mail for decoys arrives: it looks addresses up, and sees nobody.
        CallerPolicy {
            name: name("mail-trap-1"),
            grants: vec![customers(Operation::Index, FieldSet::EMPTY)],
            budgets: [(Operation::Index, ordinary)].into(),
        },
        resealing("accounts"),
        resealing("payments"),
        // Seals the contacts of a roster that is brought to it; reads them under warrants alone.
        CallerPolicy {
            name: name("response-1"),
            grants: vec![Grant {
                domain: Domain::Response,
                operation: Operation::Seal,
                fields: set(&[Field::RosterName, Field::RosterEmail, Field::RosterAddress]),
            }],
            budgets: [(Operation::Seal, loading)].into(),
        },
    ]
}

/// A compartment that moves its own records to a new epoch, while two people allow it: each
/// record is charged twice, for the old key and the new one.
fn resealing(compartment: &str) -> CallerPolicy {
    let budget = Budget { minute: 6_000_000, hour: 100_000_000, day: 200_000_000, burst: 0 };
    CallerPolicy {
        name: name(compartment),
        grants: Vec::new(),
        budgets: [(Operation::Reseal, budget)].into(),
    }
}

/// `response.toml`
pub fn response(
    dir: &Path,
    plan: &Plan,
    at: &Addresses,
    log_key: String,
) -> response_server::Config {
    let own = dir.join("response");
    response_server::Config {
        listen: listen(&at.response),
        tls: tls(dir, "response"),
        database: database(dir, "response"),
        keys: vec![KeysInstance { url: at.keys.clone(), log_key }],
        accounts: at.accounts.clone(),
        payments: at.payments.clone(),
        staff: vec![name("operator-1")],
        log_copy: own.join("log-copy"),
        witness_name: WITNESS.to_owned(),
        witness_key: own.join("witness.key"),
        notice_dir: own.join("notice"),
        notice_listen: listen(&at.notice),
        notice_url: at.notice.clone(),
        notice_proxies: vec![],
        staff_roster: own.join("staff.csv"),
        letters: letters(&own, plan, at),
        shop: shop(),
        log_format: LogFormat::Text,
    }
}

fn shop() -> Shop {
    Shop {
        name: "Example Shop".to_owned(),
        support_email: "care@shop.example".to_owned(),
        web_address: "www.shop.example".to_owned(),
        signatory: "Alex Morgan".to_owned(),
        signatory_title: "Chief Executive Officer".to_owned(),
        mail_from: "notice@shop.example".to_owned(),
        message_id_domain: "shop.example".to_owned(),
        verify_address: "www.shop.example/verify".to_owned(),
        measures: sentences(&[
            ("en", "We have called in the police and outside experts."),
            ("fr", "Nous avons fait appel à la police et à des experts externes."),
            ("es", "Hemos acudido a la policía y a expertos externos."),
            ("de", "Wir haben die Polizei und externe Fachleute hinzugezogen."),
            ("pt", "Chamamos a polícia e especialistas externos."),
        ]),
        police_delay: sentences(&[
            ("en", "Law enforcement has not asked us to delay this notice."),
            ("fr", "Les autorités ne nous ont pas demandé de retarder cet avis."),
            ("es", "Las autoridades no nos han pedido que retrasemos este aviso."),
            ("de", "Die Behörden haben uns nicht gebeten, diese Mitteilung aufzuschieben."),
            ("pt", "As autoridades não nos pediram para adiar este aviso."),
        ]),
    }
}

fn sentences(all: &[(&str, &str)]) -> std::collections::BTreeMap<String, String> {
    all.iter().map(|(language, text)| ((*language).to_owned(), (*text).to_owned())).collect()
}

/// Letters end in the sink, or at the relay of a drill: nothing of them reaches the world.
fn letters(own: &Path, plan: &Plan, at: &Addresses) -> LettersConfig {
    LettersConfig {
        state: own.join("letters"),
        texts: None,
        domains: vec![],
        return_domain: None,
        return_listen: None,
        complaints_from: Vec::new(),
        relays: vec![RelayConfig {
            address: plan.letters_relay.as_ref().unwrap_or(&at.relay).clone(),
            tls: TlsConfig::None,
            authority: None,
            user: None,
            password_file: None,
            weight: 1,
        }],
        dkim: vec![DkimConfig {
            domain: "shop.example".to_owned(),
            selector: "letters".to_owned(),
            key_file: own.join(DKIM_KEY),
        }],
        providers: vec![],
        connections: 8,
        reset_pages_busy: None,
        retry: RetryConfig::default(),
        gate: GateConfig::Open {
            open_because: "an estate for development: its mail ends in a sink".to_owned(),
        },
    }
}

/// The name of a caller or compartment of an estate.
pub fn name(text: &str) -> CallerName {
    #[expect(clippy::expect_used, reason = "called with the names in this file")]
    text.parse().expect("a caller's name")
}

fn set(fields: &[Field]) -> FieldSet {
    fields.iter().copied().collect()
}
