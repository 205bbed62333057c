//! Syslog against real sockets. Another project's parser reads the lines.

use std::net::{Ipv4Addr, Ipv6Addr};

use keys_api::{Alarm, AlarmKind};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use syslog_rfc5424::{SyslogFacility, SyslogMessage, SyslogSeverity, parse_message};
use tokio::net::{UdpSocket, UnixDatagram};

use super::{ORIGIN, alarm, at, details, fault};
use crate::delivery::syslog::escaped;
use crate::delivery::{DeliveryError, Sink, SinkConfig};

const LINE: &str = "<36>1 2026-11-23T02:00:59.000000Z keys-1.shop.example cofferdam-keys - budget \
    [alarm@32473 kind=\"budget\" caller=\"web-ky-1\" seq=\"42\" count=\"12\"] \
    budget web-ky-1, 12x: too many";

fn config(address: &str) -> SinkConfig {
    SinkConfig::Syslog { name: "pager".to_owned(), address: address.to_owned() }
}

async fn deliver(address: &str, alarm: &Alarm) -> Result<(), DeliveryError> {
    let now = at("2026-11-23T02:05:00Z");
    Sink::open(&config(address), ORIGIN).unwrap().deliver(alarm, now).await
}

async fn receive(socket: &UdpSocket) -> String {
    let mut line = Vec::with_capacity(65_536);
    socket.recv_buf(&mut line).await.unwrap();
    String::from_utf8(line).unwrap()
}

fn values(message: &SyslogMessage) -> Vec<&str> {
    let value = |key| message.sd.find_tuple("alarm@32473", key).unwrap().as_str();
    ["kind", "caller", "seq", "count"].map(value).to_vec()
}

#[tokio::test]
async fn a_line_arrives_over_udp_and_another_parser_reads_it() {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = format!("udp://{}", socket.local_addr().unwrap());
    deliver(&address, &alarm("too\nmany")).await.unwrap();

    let line = receive(&socket).await;
    assert_eq!(line, LINE);
    let message = parse_message(&line).unwrap();
    assert_eq!(message.facility, SyslogFacility::LOG_AUTH);
    assert_eq!(message.severity, SyslogSeverity::SEV_WARNING);
    assert_eq!(message.hostname.as_deref(), Some("keys-1.shop.example"));
    assert_eq!(message.msgid.as_deref(), Some("budget"));
    assert_eq!(message.timestamp, Some(at("2026-11-23T02:00:59Z").as_second()));
    assert_eq!(values(&message), ["budget", "web-ky-1", "42", "12"]);
    assert_eq!(message.msg, "budget web-ky-1, 12x: too many");
}

#[tokio::test]
async fn a_line_arrives_over_udp_on_ipv6() {
    let socket = UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).await.unwrap();
    let address = format!("udp://[::1]:{}", socket.local_addr().unwrap().port());
    deliver(&address, &alarm("too many")).await.unwrap();
    assert_eq!(receive(&socket).await, LINE);
}

#[tokio::test]
async fn a_line_arrives_at_a_local_socket_also_after_the_daemon_was_restarted() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let sink = Sink::open(&config(path.to_str().unwrap()), ORIGIN).unwrap();
    let now = at("2026-11-23T02:05:00Z");
    for _ in 0..2 {
        let error = sink.deliver(&alarm("too many"), now).await.unwrap_err();
        assert!(matches!(error, DeliveryError::Unreachable { .. }), "{error}");
        let daemon = UnixDatagram::bind(&path).unwrap();
        sink.deliver(&alarm("too many"), now).await.unwrap();
        let mut line = [0; 4096];
        let length = daemon.recv(&mut line).await.unwrap();
        assert_eq!(&line[..length], LINE.as_bytes());
        drop(daemon);
        std::fs::remove_file(&path).unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_reads_nothing_times_out() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let daemon = UnixDatagram::bind(&path).unwrap();
    let mut sent = 0;
    let error = loop {
        match deliver(path.to_str().unwrap(), &alarm("x")).await {
            Ok(()) => sent += 1,
            Err(e) => break e.to_string(),
        }
    };
    assert!(error.contains("not sent within 15 s"), "{error}");
    // The lines that were sent are whole.
    for _ in 0..sent {
        let mut line = [0; 4096];
        let length = daemon.try_recv(&mut line).unwrap();
        parse_message(str::from_utf8(&line[..length]).unwrap()).unwrap();
    }
}

#[tokio::test]
async fn alarms_about_thieves_and_forgers_are_alerts() {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = format!("udp://{}", socket.local_addr().unwrap());
    let alerts = [
        AlarmKind::Decoy,
        AlarmKind::DecoyMail,
        AlarmKind::BreakGlass,
        AlarmKind::LogDamage,
        AlarmKind::WitnessDisagreement,
        AlarmKind::State,
        AlarmKind::Damage,
        AlarmKind::Disk,
        AlarmKind::Journal,
    ];
    for kind in AlarmKind::ALL {
        deliver(&address, &Alarm { kind, caller: None, ..alarm("x") }).await.unwrap();
        let message = parse_message(receive(&socket).await).unwrap();
        let alert = message.severity == SyslogSeverity::SEV_ALERT;
        assert_eq!(alert, alerts.contains(&kind), "{kind:?}");
        assert_eq!(values(&message), [kind.as_str(), "", "42", "12"]);
    }
}

#[test]
fn an_address_is_a_path_or_a_host_and_a_port() {
    for bad in
        ["", "dev/log", "tcp://logs:514", "udp://logs", "udp://:514", "udp://a b:5", "udp://a:0"]
    {
        assert!(fault(&config(bad)).contains("udp://HOST:PORT"), "{bad}");
    }
}

#[test]
fn any_detail_arrives_as_one_line() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let socket = runtime.block_on(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let address = format!("udp://{}", socket.local_addr().unwrap());
    TestRunner::default()
        .run(&details(), |detail| {
            runtime.block_on(deliver(&address, &alarm(&detail))).unwrap();
            let line = runtime.block_on(receive(&socket));
            prop_assert!(line.len() <= 2048, "{} bytes", line.len());
            prop_assert_eq!(line.lines().count(), 1);
            prop_assert!(!line.contains(char::is_control));
            let message = parse_message(&line).unwrap();
            prop_assert_eq!(values(&message), ["budget", "web-ky-1", "42", "12"]);
            prop_assert!(message.msg.starts_with("budget web-ky-1, 12x: "));
            prop_assert!(socket.try_recv(&mut [0; 16]).is_err());
            Ok(())
        })
        .unwrap();
}

proptest! {
    #[test]
    fn another_parser_reads_any_quoted_value_back(value in "[^\\x00]*") {
        let line = format!("<36>1 - - - - - [alarm@32473 value=\"{}\"] m", escaped(&value));
        let message = parse_message(line).unwrap();
        prop_assert_eq!(message.sd.find_tuple("alarm@32473", "value"), Some(&value));
    }
}
