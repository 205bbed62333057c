use cofferdam_core::Personal;

use super::*;
use crate::Outside;
use crate::{CODE, Fill, Form, Head, Mailbox, NAME};

fn key(algorithm: DkimAlgorithm, selector: &str) -> DkimKey {
    let pem = generate(algorithm).unwrap();
    DkimKey::from_pem("shop.example", selector, pem.as_bytes(), Path::new("test")).unwrap()
}

fn letter(name: &str) -> Vec<u8> {
    let from = Mailbox {
        name: Some(Personal::new("The Shop")),
        address: Personal::new("notice@shop.example"),
    };
    let to =
        Mailbox { name: Some(Personal::new(name)), address: Personal::new("ada@mail.example") };
    let head = Head {
        from: &from,
        to: &to,
        date: "2012-01-15T18:30:05Z".parse().unwrap(),
        message_id: "7.42@letters.shop.example",
        feedback_id: Some("1:letter-1:cofferdam:shop"),
    };
    let text = format!("Dear {NAME},\n\n  - two  blanks\tand a tab \n\n\n{CODE}\n\n\n");
    let html = format!("<p>Dear {NAME},</p>\n<p>{CODE}</p>\n");
    let form =
        Form::new("Notice of Data Breach: Benachrichtigung über Daten", &text, &html, "customer");
    form.message(&head, &Fill { name: &Personal::new(name), code: "ABCDE-12345" }).unwrap()
}

/// Publishes the keys and verifies the message as a receiver would.
async fn verify(message: &[u8], keys: &[&DkimKey]) -> bool {
    let dns = testkit::Dns::start().await;
    for key in keys {
        let name = format!("{}._domainkey.{}.", key.selector(), key.domain());
        dns.txt(&name, &key.record().unwrap());
    }
    Outside::new(Some(dns.address())).unwrap().verify(message, keys.len()).await.is_ok()
}

#[tokio::test]
async fn mail_auth_verifies_our_signatures() {
    let rsa = key(DkimAlgorithm::Rsa, "s1");
    let short = key(DkimAlgorithm::Ed25519, "s2");
    let at = "2012-01-15T18:30:05Z".parse().unwrap();
    for name in ["Ada", "Jörg  Müller", "王小明", "a. . b", "."] {
        let letter = letter(name);
        let mut message = rsa.header(&letter, at).unwrap() + &short.header(&letter, at).unwrap();
        assert!(message.lines().all(|line| line.len() <= 78), "{message}");
        message.push_str(std::str::from_utf8(&letter).unwrap());
        assert!(verify(message.as_bytes(), &[&rsa, &short]).await, "{name}");
        // A changed text and an added header field break the signatures.
        let changed = message.replace("ABCDE", "ABCDF");
        assert!(!verify(changed.as_bytes(), &[&rsa, &short]).await);
        let added = message.replace("Date: ", "Subject: Win a prize\r\nDate: ");
        assert!(!verify(added.as_bytes(), &[&rsa, &short]).await);
    }
}

#[test]
fn signing_a_letter_twice_gives_the_same_bytes() {
    let keys = [key(DkimAlgorithm::Rsa, "s1"), key(DkimAlgorithm::Ed25519, "s2")];
    let at = "2012-01-15T18:30:05Z".parse().unwrap();
    assert_eq!(
        signed(&letter("Ada"), &keys, at).unwrap(),
        signed(&letter("Ada"), &keys, at).unwrap()
    );
}

#[test]
fn an_error_names_the_file_that_is_no_key() {
    let bad = DkimKey::from_pem("shop.example", "s1", b"-----BEGIN", Path::new("/etc/dkim.pem"));
    assert!(bad.unwrap_err().to_string().starts_with("/etc/dkim.pem: "));
    let pem = generate(DkimAlgorithm::Ed25519).unwrap();
    let bad = DkimKey::from_pem("shop example", "s1", pem.as_bytes(), Path::new("x"));
    assert!(matches!(bad, Err(DkimError::Name(_))));
}
