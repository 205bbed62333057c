//! The configuration files of a new estate.

use std::collections::BTreeMap;
use std::path::Path;

use cofferdam_core::Domain;
use cofferdam_custody::Custody;
use cofferdam_store::{DiskWatch, Location};
use cofferdam_wire::{LogFormat, TlsFiles};
use keys_client::HalfConfig;
use response_letter::Shop;
use response_mailing::RetryConfig;
use response_server::{
    DkimConfig, GateConfig, KeysInstance, LettersConfig, RelayConfig, TlsConfig,
};

use crate::addresses::listen;
use crate::plan::{caller, identity};
use crate::{Addresses, Compartment, Plan};

/// The release log's name in its checkpoints.
const LOG_ORIGIN: &str = "keys.cofferdam.example/log";

/// The name under which `response` cosigns checkpoints.
pub const WITNESS: &str = "response.cofferdam.example";

/// The file of the key that signs letters, in the directory of `response`.
pub const DKIM_KEY: &str = "dkim.pem";

fn tls(dir: &Path, compartment: Compartment) -> TlsFiles {
    let own = dir.join(compartment.as_str()).join("tls");
    TlsFiles { ca: dir.join("ca/ca.pem"), cert: own.join("cert.pem"), key: own.join("key.pem") }
}

fn database(dir: &Path, compartment: Compartment) -> Location {
    Location::Sqlite(dir.join(compartment.as_str()).join(format!("{compartment}.db")))
}

/// The directory of the secrets of the compartments' halves of keys.
pub const HALVES: &str = "halves";

/// The half that a compartment of a new estate has from its first epoch on.
fn halves(dir: &Path, compartment: Compartment) -> Vec<HalfConfig> {
    let root_key = dir.join(HALVES).join(format!("{compartment}.key"));
    vec![HalfConfig { from_epoch: 0, custody: Custody::File { root_key } }]
}

/// Makes the content of `keys.toml`.
pub fn keys(dir: &Path, plan: &Plan, at: &Addresses, witness_key: &str) -> keys_server::Config {
    keys_server::Config {
        listen: listen(&at.keys),
        tls: tls(dir, Compartment::Keys),
        database: database(dir, Compartment::Keys),
        custody: Custody::File { root_key: dir.join("root-key/root.key") },
        log: dir.join("keys/log"),
        log_archive: None,
        log_origin: LOG_ORIGIN.to_owned(),
        witness_key: Some(witness_key.to_owned()),
        least_free_mib: DiskWatch::least_free_mib(),
        log_format: LogFormat::Text,
        controller: identity(Compartment::Response),
        auditors: vec![caller("auditor-1")],
        alarms: Vec::new(),
        decoy_one_in: plan.decoy_one_in,
        fronts: [
            (Domain::Accounts, identity(Compartment::Accounts)),
            (Domain::Payments, identity(Compartment::Payments)),
            (Domain::Response, identity(Compartment::Response)),
        ]
        .into(),
    }
}

/// Makes the content of `accounts.toml`.
pub fn accounts(dir: &Path, plan: &Plan, at: &Addresses) -> accounts_server::Config {
    let mailboxes = ["post.example", "inbox.example", "mailhaus.example"].map(str::to_owned);
    #[expect(clippy::expect_used, reason = "the three domains above are well formed")]
    let decoy_mail_domains = mailboxes.to_vec().try_into().expect("good mail domains");
    accounts_server::Config {
        listen: listen(&at.accounts),
        tls: tls(dir, Compartment::Accounts),
        database: database(dir, Compartment::Accounts),
        halves: halves(dir, Compartment::Accounts),
        keys: vec![at.keys.clone()],
        controller: identity(Compartment::Response),
        importers: vec![caller("import-1")],
        relay: at.relay.clone(),
        mail_from: "accounts@shop.example".to_owned(),
        decoy_mail_domains,
        least_free_mib: DiskWatch::least_free_mib(),
        decoy_one_in: plan.decoy_one_in,
        log_format: LogFormat::Text,
    }
}

/// Makes the content of `payments.toml`.
pub fn payments(dir: &Path, at: &Addresses) -> payments_server::Config {
    payments_server::Config {
        listen: listen(&at.payments),
        tls: tls(dir, Compartment::Payments),
        database: database(dir, Compartment::Payments),
        halves: halves(dir, Compartment::Payments),
        keys: vec![at.keys.clone()],
        controller: identity(Compartment::Response),
        least_free_mib: DiskWatch::least_free_mib(),
        log_format: LogFormat::Text,
    }
}

/// Makes the content of `response.toml`.
pub fn response(
    dir: &Path,
    plan: &Plan,
    at: &Addresses,
    log_key: String,
) -> response_server::Config {
    let own = dir.join("response");
    response_server::Config {
        listen: listen(&at.response),
        tls: tls(dir, Compartment::Response),
        database: database(dir, Compartment::Response),
        halves: halves(dir, Compartment::Response),
        keys: vec![KeysInstance { url: at.keys.clone(), log_key }],
        accounts: vec![at.accounts.clone()],
        payments: vec![at.payments.clone()],
        staff: vec![caller("operator-1")],
        log_copy: own.join("log-copy"),
        witness_name: WITNESS.to_owned(),
        witness_key: own.join("witness.key"),
        notice_dir: own.join("notice"),
        notice_listen: listen(&at.notice),
        notice_url: at.notice.clone(),
        notice_proxies: vec![],
        staff_list: own.join("staff.csv"),
        letters: letters(&own, plan, at),
        shop: shop(),
        least_free_mib: DiskWatch::least_free_mib(),
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

/// Makes a map of sentences by language.
fn sentences(all: &[(&str, &str)]) -> BTreeMap<String, String> {
    all.iter().map(|(language, text)| ((*language).to_owned(), (*text).to_owned())).collect()
}

/// Makes the settings of letters. They end in the sink, or at the relay of the plan. The gate is
/// open, because no receiver checks the sender.
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
