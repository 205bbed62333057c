//! Each kind of sink against a real receiver.

mod mail;
mod receiver;
mod syslog;
mod webhook;

use cofferdam_core::Timestamp;
use cofferdam_wire::load_config;
use keys_api::{Alarm, AlarmKind};
use proptest::prelude::*;

use super::text::{Origin, one_line};
use super::{DeliveryError, Sink, SinkConfig};

const ORIGIN: &str = "keys-1.shop.example/log";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn alarm(detail: &str) -> Alarm {
    Alarm {
        seq: 42,
        first: at("2026-11-23T02:00:00.125Z"),
        last: at("2026-11-23T02:00:59Z"),
        kind: AlarmKind::Budget,
        caller: Some("web-ky-1".parse().unwrap()),
        count: 12,
        detail: detail.to_owned(),
    }
}

/// Details that an attacker would choose, and any other text.
fn details() -> impl Strategy<Value = String> {
    let nasty = prop::sample::select(vec![
        "\r\n",
        "\n",
        "\r",
        "\n.\n",
        "\0",
        "\u{85}",
        "\u{2028}",
        "\u{202e}",
        "\u{feff}",
        "\"",
        "]",
        "\\",
        "=?utf-8?B?",
        "Bcc: eve@mail.example",
        "<0>1 - - - - - -",
        "€",
        "🦀",
        " ",
    ]);
    prop_oneof![
        any::<String>(),
        prop::collection::vec(prop_oneof![nasty.prop_map(str::to_owned), any::<String>()], 0..40)
            .prop_map(|parts| parts.concat()),
    ]
}

#[derive(Debug, serde::Deserialize)]
struct Config {
    alarms: Vec<SinkConfig>,
}

fn load(toml: &str) -> Result<Vec<SinkConfig>, String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), toml).unwrap();
    load_config(file.path()).map(|config: Config| config.alarms).map_err(|e| e.to_string())
}

/// The fault of a configuration of the place `pager`.
fn fault(config: &SinkConfig) -> String {
    match Sink::open(config, ORIGIN) {
        Err(DeliveryError::Config { sink, cause }) if sink == "pager" => cause,
        other => panic!("{config:?} is not a bad configuration: {other:?}"),
    }
}

#[test]
fn a_configuration_lists_its_places() {
    let places = load(
        r#"
        [[alarms]]
        to = "webhook"
        name = "pager"
        url = "https://pager.example/in"
        secret_file = "secrets/pager"

        [[alarms]]
        to = "mail"
        name = "people"
        relay = "relay.shop.example:2525"
        from = "keys@shop.example"
        recipients = ["ann@shop.example", "bob@shop.example"]

        [[alarms]]
        to = "syslog"
        name = "collector"
        address = "udp://logs.shop.example:514"
        "#,
    )
    .unwrap();
    let seen: Vec<_> = places.iter().map(|place| (place.name(), place.port())).collect();
    assert_eq!(seen, [("pager", Some(443)), ("people", Some(2525)), ("collector", None)]);
}

#[test]
fn an_unknown_key_or_way_is_named() {
    let syslog = "[[alarms]]\nto = 'syslog'\nname = 'x'\naddress = '/dev/log'\n";
    assert!(load(syslog).is_ok());
    for (toml, word) in [
        (format!("{syslog}adress = '/dev/log'"), "adress"),
        (syslog.replace("'syslog'", "'pigeon'"), "pigeon"),
        (syslog.replace("address", "path"), "path"),
    ] {
        let error = load(&toml).unwrap_err();
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn an_empty_name_and_a_bad_origin_are_refused() {
    let config =
        |name: &str| SinkConfig::Syslog { name: name.to_owned(), address: "/dev/log".to_owned() };
    assert!(Sink::open(&config(""), ORIGIN).unwrap_err().to_string().contains("name"));
    for origin in ["", "///", "keys\nlog", &"k".repeat(101)] {
        let error = Sink::open(&config("x"), origin).unwrap_err().to_string();
        assert!(error.contains("origin"), "{error}");
    }
}

#[test]
fn an_identity_has_no_dot_and_a_host_no_path() {
    let origin = Origin::new("keys-1.shop.example/log").unwrap();
    assert_eq!(origin.event_id(7), "alarm_keys-1-shop-example-log_7");
    assert_eq!(origin.host(), "keys-1.shop.example");
    assert_eq!(Origin::new("/log").unwrap().host(), "-");
    assert_eq!(Origin::new("Schlüssel eins").unwrap().host(), "Schl-ssel-eins");
}

proptest! {
    #[test]
    fn any_detail_becomes_one_bounded_line(detail in details()) {
        let line = one_line(&detail);
        prop_assert!(!line.contains(super::text::is_troublesome));
        prop_assert!(line.len() <= 1024 + '…'.len_utf8());
        prop_assert_eq!(one_line("plain text, as it is"), "plain text, as it is");
    }
}

#[test]
fn a_long_detail_is_cut_between_characters() {
    let line = one_line(&"€".repeat(400));
    assert_eq!(line, format!("{}…", "€".repeat(341)));
    assert_eq!(one_line(&"a".repeat(1024)), "a".repeat(1024));
}
