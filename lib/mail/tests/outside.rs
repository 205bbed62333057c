//! The checks before the first letter, against a scripted DNS server: a correct setup passes, and
//! each fault is named.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::net::IpAddr;
use std::path::Path;

use cofferdam_core::Personal;
use cofferdam_mail::{
    Check, DkimAlgorithm, DkimKey, Head, Mailbox, Message, Outside, Relay, Setup,
    generate_dkim_key, signed,
};
use testkit::Dns;

const HOST: &str = "mx1.shop.example.";
const ADDRESS: [u8; 4] = [192, 0, 2, 10];
const DMARC: &str = "_dmarc.shop.example.";

fn key() -> DkimKey {
    let pem = generate_dkim_key(DkimAlgorithm::Rsa).unwrap();
    DkimKey::from_pem("shop.example", "k1", pem.as_bytes(), Path::new("test")).unwrap()
}

/// A DNS server with all records of a correct setup.
async fn correct_dns(key: &DkimKey) -> Dns {
    let dns = Dns::start().await;
    dns.txt("back.shop.example.", "v=spf1 ip4:192.0.2.10 -all");
    dns.txt("k1._domainkey.shop.example.", &key.record().unwrap());
    dns.txt(DMARC, "v=DMARC1; p=reject");
    dns.host(HOST, ADDRESS);
    dns
}

/// A letter from the shop to itself, signed with `keys`.
fn sample(keys: &[DkimKey]) -> Vec<u8> {
    let ourselves = Mailbox { name: None, address: Personal::new("notice@shop.example") };
    let date = "2012-01-15T18:30:05Z".parse().unwrap();
    let head = Head {
        from: &ourselves,
        to: &ourselves,
        date,
        message_id: "gate@shop.example",
        feedback_id: None,
    };
    let message = Message { head, subject: "gate", text: "gate\n", html: None }.build().unwrap();
    signed(&message, keys, date).unwrap()
}

/// Checks a setup that signs letters with `keys`.
async fn check(dns: &Dns, keys: &[DkimKey], relays: &[Relay]) -> Vec<Check> {
    let sample = sample(keys);
    let setup = Setup {
        from_domain: "shop.example",
        bounces_to: "postmaster@back.shop.example",
        helo: "mx1.shop.example",
        sends_from: &[IpAddr::from(ADDRESS)],
        keys,
        relay_key: None,
        relays,
        sample: &sample,
    };
    Outside::new(Some(dns.address())).unwrap().check(&setup).await
}

/// The subjects of the failed checks, in order.
fn failed(checks: &[Check]) -> Vec<&str> {
    checks.iter().filter(|check| !check.passed).map(|check| check.what.as_str()).collect()
}

#[tokio::test]
async fn a_correct_setup_passes() {
    let keys = [key()];
    let dns = correct_dns(&keys[0]).await;
    let checks = check(&dns, &keys, &[]).await;
    assert_eq!(failed(&checks), Vec::<&str>::new(), "{checks:?}");
    assert_eq!(checks.len(), 5, "{checks:?}");
}

#[tokio::test]
async fn each_missing_record_is_named() {
    let keys = [key()];
    for (missing, named) in [
        ("back.shop.example.", "SPF of 192.0.2.10"),
        ("10.2.0.192.in-addr.arpa.", "reverse DNS of 192.0.2.10"),
        (HOST, "reverse DNS of 192.0.2.10"),
        ("k1._domainkey.shop.example.", "DKIM keys"),
        (DMARC, "DMARC policy"),
    ] {
        let dns = correct_dns(&keys[0]).await;
        dns.remove(missing);
        assert_eq!(failed(&check(&dns, &keys, &[]).await), [named], "without {missing}");
    }
}

#[tokio::test]
async fn each_wrong_record_is_named() {
    let keys = [key()];
    let other_key = key();
    for (name, text, named) in [
        ("back.shop.example.", "v=spf1 ip4:192.0.2.11 -all".to_owned(), "SPF of 192.0.2.10"),
        ("back.shop.example.", "v=spf1 ?all".to_owned(), "SPF of 192.0.2.10"),
        ("k1._domainkey.shop.example.", other_key.record().unwrap(), "DKIM keys"),
        (DMARC, "v=DMARC1; p=none".to_owned(), "DMARC policy"),
    ] {
        let dns = correct_dns(&keys[0]).await;
        dns.txt(name, &text);
        assert_eq!(failed(&check(&dns, &keys, &[]).await), [named], "{text}");
    }
}

#[tokio::test]
async fn an_unsigned_letter_and_a_strangers_signature_fail() {
    let keys = [key()];
    let dns = correct_dns(&keys[0]).await;
    let unsigned = check(&dns, &[], &[]).await;
    assert_eq!(failed(&unsigned), ["DKIM alignment", "DKIM keys"]);
    let pem = generate_dkim_key(DkimAlgorithm::Rsa).unwrap();
    let stranger =
        DkimKey::from_pem("shop.example.evil.example", "k1", pem.as_bytes(), Path::new("test"));
    let stranger = [stranger.unwrap()];
    dns.txt("k1._domainkey.shop.example.evil.example.", &stranger[0].record().unwrap());
    assert_eq!(failed(&check(&dns, &stranger, &[]).await), ["DKIM alignment"]);
}

/// A revoked key has a record without key bytes (RFC 6376, section 3.6.1).
#[tokio::test]
async fn the_key_of_a_signing_relay_must_be_published() {
    let keys = [key()];
    let dns = correct_dns(&keys[0]).await;
    let outside = Outside::new(Some(dns.address())).unwrap();
    let setup = Setup {
        from_domain: "shop.example",
        bounces_to: "postmaster@back.shop.example",
        helo: "mx1.shop.example",
        sends_from: &[IpAddr::from(ADDRESS)],
        keys: &[],
        relay_key: Some(("shop.example", "k1")),
        relays: &[],
        sample: b"",
    };
    assert_eq!(failed(&outside.check(&setup).await), Vec::<&str>::new());
    for record in ["v=DKIM1; p=", "v=spf1 p=x -all"] {
        dns.txt("k1._domainkey.shop.example.", record);
        assert_eq!(failed(&outside.check(&setup).await), ["DKIM keys"], "{record}");
    }
    dns.remove("k1._domainkey.shop.example.");
    assert_eq!(failed(&outside.check(&setup).await), ["DKIM keys"]);
}

#[tokio::test]
async fn a_message_comes_from_a_sender_who_signed_all_of_it() {
    let keys = [key()];
    let dns = correct_dns(&keys[0]).await;
    let outside = Outside::new(Some(dns.address())).unwrap();
    let known = ["notice@shop.example".to_owned()];
    let message = String::from_utf8(sample(&keys)).unwrap();
    let believed = async |message: &str, senders: &[String]| {
        outside.comes_from(message.as_bytes(), senders).await
    };
    assert!(believed(&message, &known).await);
    assert!(believed(&format!("Return-Path: <>\r\n{message}"), &known).await);
    assert!(!believed(&message, &[]).await);
    assert!(!believed(&message, &["notice@shop.example.evil.example".to_owned()]).await);
    assert!(!believed(&message.replace("gate\r\n", "other\r\n"), &known).await);
    assert!(!believed(&format!("From: x@evil.example\r\n{message}"), &known).await);
    assert!(!believed(&String::from_utf8(sample(&[])).unwrap(), &known).await);
    assert!(!believed(&message.replace("d=shop.example", "d=evil.example"), &known).await);
    assert!(!believed("", &known).await);
    // A second field in front of the signed one would change how the message is parsed.
    let other = format!("Content-Type: multipart/mixed; boundary=x\r\n{message}");
    assert!(!believed(&other, &known).await);
    assert!(!believed(&message.replace("Content-Type:", "X-Type:"), &known).await);
    dns.remove("k1._domainkey.shop.example.");
    assert!(!believed(&message, &known).await);
}

#[tokio::test]
async fn a_relay_that_does_not_answer_fails() {
    let keys = [key()];
    let dns = correct_dns(&keys[0]).await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let relays = [Relay::plain(nobody.to_string())];
    let checks = check(&dns, &keys, &relays).await;
    assert_eq!(failed(&checks), [format!("TLS to the relay {nobody}")]);
}
