//! Returned mail as the world's mail systems write it: `returned/*.eml`.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cofferdam_mail::{BounceReason, Report, Returned, read_returned};
use proptest::prelude::*;

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/returned")
}

fn sample(name: &str) -> String {
    std::fs::read_to_string(samples().join(name).with_extension("eml")).unwrap()
}

fn names() -> BTreeSet<String> {
    let files = std::fs::read_dir(samples()).unwrap().map(|file| file.unwrap().path());
    let files = files.filter(|path| path.extension().is_some());
    files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

fn bounced(status: &str, reason: &str) -> Returned {
    let why = BounceReason::of(status, reason);
    Returned::Bounced { status: status.to_owned(), why, reason: reason.to_owned() }
}

fn delayed(status: &str, reason: &str) -> Returned {
    Returned::Delayed { status: status.to_owned(), reason: reason.to_owned() }
}

fn complained(kind: &str) -> Returned {
    Returned::Complained { kind: kind.to_owned() }
}

/// A sample, its meaning, and the number of the letter in the return path and in the Message-ID.
type Sample = (&'static str, Returned, Option<&'static str>, Option<&'static str>);

/// The samples that are bounces or notices of a delay.
fn failures() -> Vec<Sample> {
    let unknown = "550 5.1.1 … Recipient address rejected: User unknown in virtual mailbox table";
    let slow = "connect to mx.slow.example[203.0.113.9]:25: Connection timed out";
    let not_found = "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient … not found by SMTP \
                     address lookup";
    let no_mailbox = "Sorry, no mailbox here by that name. (#5.1.1)";
    let over_quota = "host store.uni.example [192.0.2.40]: 552 mailbox of … is over quota";
    let full = "452-4.2.2 The email account that you tried to reach is over quota. 452-4.2.2 \
                Please direct the recipient to 452 4.2.2 \
                https://support.webmail.example/mail/?p=OverQuota h12si9 - gsmtp";
    let denied = "<<< 550 5.7.1 … Access denied";
    let no_code = "a notice without a code";
    let both = |name, what, letter| (name, what, Some(letter), Some(letter));
    vec![
        both("postfix-unknown", bounced("5.1.1", unknown), "17.k3v9"),
        both("postfix-delayed", delayed("4.4.1", slow), "18.w2x1"),
        both("exchange-online", bounced("5.1.10", not_found), "20.h4h4"),
        ("exchange-old", bounced("5.1.1", "<mail.branch.example #5.1.1>"), None, None),
        both("qmail", bounced("5.1.1", no_mailbox), "22.t5t5"),
        both("exim", bounced("5.2.2", over_quota), "23.y6y6"),
        ("exim-delayed", delayed("4.0.0", no_code), None, None),
        both("webmail-full", bounced("4.2.2", full), "25.m0m0"),
        both("sendmail", bounced("5.7.1", denied), "26.n2n2"),
        ("no-code", bounced("5.0.0", no_code), None, None),
        ("truncated", bounced("5.2.1", "550 5.2.1 Mailbox of … disab"), Some("35.d1d1"), None),
        ("nested", bounced("5.0.0", no_code), None, None),
    ]
}

/// All other samples.
fn others() -> Vec<Sample> {
    let both = |name, what, letter| (name, what, Some(letter), Some(letter));
    vec![
        both("postfix-delivered", Returned::Delivered, "19.q7q7"),
        both("arf-abuse", complained("abuse"), "28.s3s3"),
        both("arf-not-spam", Returned::NoComplaint, "29.u4u4"),
        both("complaint-forwarded", complained("abuse"), "30.v5v5"),
        ("vacation", Returned::AutoReply, None, Some("31.x6x6")),
        ("out-of-office", Returned::AutoReply, None, Some("32.a7a7")),
        ("read-receipt", Returned::AutoReply, None, Some("33.b8b8")),
        ("question", Returned::Other, None, None),
        ("forwarded-bounce", Returned::Other, None, None),
    ]
}

#[test]
fn every_sample_is_parsed() {
    let table = [failures(), others()].concat();
    let listed: BTreeSet<_> = table.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(listed, names());
    for (name, what, path, id) in table {
        let expected = Report {
            what,
            original_return_path: path.map(|n| format!("b+{n}@bounces.shop.example")),
            original_message_id: id.map(|n| format!("{n}@shop.example")),
        };
        let text = sample(name);
        for text in [text.clone(), text.replace('\n', "\r\n")] {
            let report = read_returned(text.as_bytes());
            assert_eq!(report.what, expected.what, "{name}");
            assert!(report == expected, "{name}: {:?}", report.original_return_path);
        }
    }
}

/// Parses a notification with the given fields about its recipients.
fn notification(fields: &str) -> Returned {
    let head = "Content-Type: multipart/report; report-type=delivery-status; boundary=x";
    let part = "Content-Type: message/delivery-status";
    let text = format!("{head}\n\n--x\n{part}\n\nReporting-MTA: dns; a\n\n{fields}\n\n--x--\n");
    read_returned(text.as_bytes()).what
}

#[test]
fn the_action_wins_over_the_code_and_an_exact_code_over_a_general_one() {
    let none = "no reason given";
    for (fields, what) in [
        ("Action: failed\nStatus: 4.4.7 (expired)", bounced("4.4.7", none)),
        ("Action: Failed (sorry)", bounced("5.0.0", none)),
        ("Action: failed\nStatus: 2.0.0", bounced("5.0.0", none)),
        ("Action: delayed\nStatus: 5.0.0", delayed("5.0.0", none)),
        ("Action: relayed\nStatus: 2.0.0", Returned::Delivered),
        ("Action: expanded", Returned::Delivered),
        ("Status: 5.7.1", bounced("5.7.1", none)),
        ("Status: 4.7.1", delayed("4.7.1", none)),
        ("Status: 2.1.5", Returned::Delivered),
        ("Action: dancing\nStatus: 9.1.1", Returned::Other),
        (
            "Action: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp;550 5.1.1 no",
            bounced("5.1.1", "550 5.1.1 no"),
        ),
        ("Action: failed\nDiagnostic-Code: smtp; 452 later", bounced("4.0.0", "452 later")),
        (
            "Action: failed\nStatus: 5.0.0\nDiagnostic-Code: Mailbox full; sorry",
            bounced("5.2.2", "Mailbox full; sorry"),
        ),
        // The worst of several recipients counts.
        ("Action: delivered\n\nAction: delayed\nStatus: 4.4.1", delayed("4.4.1", none)),
        ("Action: failed\nStatus: 5.1.1\n\nAction: delivered", bounced("5.1.1", none)),
    ] {
        assert_eq!(notification(fields), what, "{fields}");
    }
}

#[test]
fn a_complaint_has_the_providers_word_for_its_kind() {
    let head = "Content-Type: multipart/report; report-type=feedback-report; boundary=x";
    for (kind, what) in [
        ("Feedback-Type: Fraud", complained("fraud")),
        ("Feedback-Type: virus", complained("virus")),
        ("Feedback-Type: opt-out <ada@mail.example>", complained("opt-out")),
        ("Version: 1", complained("other")),
        ("Feedback-Type: auth-failure", Returned::NoComplaint),
    ] {
        let text = format!("{head}\n\n--x\nContent-Type: message/feedback-report\n\n{kind}\n");
        assert_eq!(read_returned(text.as_bytes()).what, what, "{kind}");
    }
}

#[test]
fn truncated_huge_and_deeply_nested_messages_are_parsed() {
    for name in names() {
        let text = sample(&name);
        for end in 0..text.len() {
            check(&text.as_bytes()[..end]);
        }
    }
    let nested = "Content-Type: message/rfc822\n\n".repeat(20_000);
    assert_eq!(read_returned(nested.as_bytes()).what, Returned::Other);
    let lost = "--x\nContent-Type: multipart/mixed; boundary=none\n\n".repeat(20_000);
    let head = "Return-Path: <>\nContent-Type: multipart/mixed; boundary=x\n\n";
    check(format!("{head}{lost}").as_bytes());
    check(format!("{head}{}", "--x\n".repeat(300_000)).as_bytes());
    check(format!("Return-Path: <>\n\n{}", "a@ ".repeat(300_000)).as_bytes());
    check(format!("Return-Path: <>\n{}", "A:\n".repeat(300_000)).as_bytes());
    check(format!("Content-Type: {}", "a=b;".repeat(300_000)).as_bytes());
    check(format!("Subject: {}", "=?utf-8?q?=".repeat(300_000)).as_bytes());
    // A notification beyond the limit is not read.
    let late =
        sample("postfix-unknown").replacen("\n\n", &format!("\n\n{}", "x".repeat(300_000)), 1);
    assert_eq!(read_returned(late.as_bytes()).what, bounced("5.0.0", "a notice without a code"));
}

/// Parses `message` and asserts the promises of [`Report`].
fn check(message: &[u8]) {
    let report = read_returned(message);
    if let Returned::Bounced { status, reason, .. } | Returned::Delayed { status, reason } =
        report.what
    {
        assert!(reason.chars().count() <= 200 && !reason.contains('@'), "{reason}");
        assert!(reason.chars().all(|c| c == '…' || c == ' ' || c.is_ascii_graphic()), "{reason}");
        let parts: Vec<_> = status.split('.').collect();
        assert!(parts.len() == 3 && matches!(parts[0], "4" | "5"), "{status}");
        assert!(parts.iter().all(|part| part.parse::<u16>().is_ok_and(|n| n < 1000)), "{status}");
    }
    for known in [report.original_return_path, report.original_message_id].into_iter().flatten() {
        assert!(!known.is_empty() && known.len() <= 500, "{known}");
        assert!(!known.contains(|c: char| c.is_whitespace() || c.is_control()), "{known}");
    }
}

/// Pieces of reports, to be put together in any order.
const PIECES: &[&str] = &[
    "Content-Type: multipart/report; report-type=delivery-status; boundary=\"x\"\n",
    "Content-Type: multipart/mixed; boundary*0=x; boundary*1*=utf-8'en'%79\n",
    "Content-Type: message/delivery-status\n",
    "Content-Type: message/feedback-report\n",
    "Content-Type: message/rfc822\n",
    "Content-Type: text/html; charset=utf-7\n",
    "Content-Type: text/plain; charset=\"iso-2022-jp\"\n",
    "Content-Transfer-Encoding: base64\n",
    "Content-Transfer-Encoding: quoted-printable\n",
    "Return-Path: <>\n",
    "From: MAILER-DAEMON@a.example\n",
    "Subject: =?utf-8?q?Undelivered_=E9?= =?x?b?=?= failure notice\n",
    "X-Failed-Recipients: a@b\n",
    "Action: failed\n",
    "Status: 4.2.2\n",
    "Diagnostic-Code: smtp; 550 5.1.1 <a@b> no\n",
    "Original-Mail-From: <c@d>\n",
    "--x\n",
    "--x--\n",
    "\n",
    "\r\n",
    " ",
    "\t",
    "<p>&#x40;<br/></p><!--",
    "--><style></style>&amp;",
    "=41=\n=C3",
    "QUJD",
    "+AEA-\u{1b}$B$\u{ff20}",
    "550 5.1.1 ",
    "@",
    "\"",
    "<",
    ";",
];

proptest! {
    #[test]
    fn any_bytes_are_parsed(message in prop::collection::vec(any::<u8>(), 0..2000)) {
        check(&message);
    }

    #[test]
    fn any_pieces_are_parsed(
        pieces in prop::collection::vec((prop::sample::select(PIECES), any::<u8>()), 0..60)
    ) {
        let mut message = Vec::new();
        for (piece, noise) in pieces {
            message.extend(piece.as_bytes());
            if noise < 40 {
                message.push(noise.wrapping_mul(13));
            }
        }
        check(&message);
    }

    #[test]
    fn damaged_samples_are_parsed(
        name in prop::sample::select(names().into_iter().collect::<Vec<_>>()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..4), 0..12),
    ) {
        let mut message = sample(&name).into_bytes();
        for (place, byte, how) in changes {
            if message.is_empty() {
                break;
            }
            let at = place.index(message.len());
            match how {
                0 => message[at] = byte,
                1 => message.insert(at, byte),
                2 => drop(message.remove(at)),
                _ => drop(message.drain(at..(at + usize::from(byte)).min(message.len()))),
            }
        }
        check(&message);
    }
}
