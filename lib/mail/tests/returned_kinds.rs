//! Kinds of returned mail: the cases of `returned/cases/cases.tsv`, and more of each kind.

use std::fs;
use std::path::Path;

use cofferdam_mail::{BounceReason, Returned, read_returned};
use messages::{SYSTEM, TO, dsn, expect, notice, summary};

mod messages;

#[test]
fn every_case_has_its_kind_class_and_status() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/returned/cases");
    let table = fs::read_to_string(dir.join("cases.tsv")).unwrap();
    let mut wrong = Vec::new();
    for line in table.lines().skip(1) {
        let cells: Vec<_> = line.split('\t').collect();
        let text = fs::read_to_string(dir.join(cells[0])).unwrap();
        for text in [text.clone(), text.replace('\n', "\r\n")] {
            let found = summary(&read_returned(text.as_bytes()));
            let expected = (cells[1].to_owned(), cells[2].to_owned(), cells[3].to_owned());
            if found != expected {
                wrong.push(format!("{}: {found:?}, expected {expected:?}", cells[0]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(table.lines().count(), 30);
}

#[test]
fn a_complaint_names_its_letter_by_return_path_or_message_id() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/returned/cases");
    let read = |name: &str| read_returned(&fs::read(dir.join(name)).unwrap());
    let redacted = read("arf-redacted-mail-from.eml");
    let path = "b-7-41-0123456789abcdef0123@back.shop.example";
    assert_eq!(redacted.original_return_path.as_deref(), Some(path));
    let by_id = read("arf-message-id-only.eml");
    let id = "7.00112233445566778899aabbccddeeff@shop.example";
    assert_eq!(
        (by_id.original_return_path, by_id.original_message_id.as_deref()),
        (None, Some(id))
    );
    assert_eq!(read("arf-not-spam.eml").what, Returned::NoComplaint);
}

#[test]
fn phrases_may_be_broken_over_lines() {
    for (text, class, status) in [
        ("Your message to kai@mail.example was\nrejected: the mailbox\nis full.", "hard", "5.2.2"),
        ("It could not\n  be delivered, because the user is\nunknown here.", "hard", "5.1.1"),
        ("Gave up. Reason: connection\nrefused", "soft", "4.4.1"),
        ("We tried for days; the message\nhas expired.", "soft", "4.4.7"),
    ] {
        expect(text, &notice(SYSTEM, "Note", text), "bounce", class, status);
    }
    let text = "The letter has not yet\nbeen delivered. Delivery attempts will\ncontinue.";
    expect(text, &notice(SYSTEM, "Note", text), "delayed", "delay", "4.0.0");
}

fn mdn(subject: &str, text: &str, disposition: &str) -> String {
    format!(
        "Return-Path: <>\nFrom: Pia <pia@mail.example>\n{TO}Subject: {subject}\n\
         Auto-Submitted: auto-replied\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=disposition-notification; boundary=m\n\n--m\n\
         Content-Type: text/plain\n\n{text}\n\n--m\n\
         Content-Type: message/disposition-notification\n\n\
         Final-Recipient: rfc822; pia@mail.example\nDisposition: {disposition}\n\n--m--\n"
    )
}

#[test]
fn a_rejection_in_the_form_of_a_receipt_is_a_bounce_and_a_receipt_is_none() {
    let automatic = "automatic-action/MDN-sent-automatically; deleted";
    for (subject, text, disposition, class, status) in [
        (
            "Automatically rejected mail",
            "Your message was automatically rejected:\n552 5.2.2 Full",
            automatic,
            "hard",
            "5.2.2",
        ),
        ("Rejected: hello", "Mailbox full", automatic, "hard", "5.2.2"),
        ("Rejected: hello", "No such user here", automatic, "hard", "5.1.1"),
        ("Rejected: hello", "I don't take mail from shops.", automatic, "hard", "5.0.0"),
        (
            "Hello",
            "Your message was rejected.",
            "automatic-action/MDN-sent-automatically; failed",
            "hard",
            "5.0.0",
        ),
    ] {
        expect(text, &mdn(subject, text, disposition), "bounce", class, status);
    }
    for (text, disposition) in [
        ("Your letter was read on Tuesday.", "manual-action/MDN-sent-manually; displayed"),
        ("It was deleted without being read.", "manual-action/MDN-sent-automatically; deleted"),
        ("It was deleted without being read.", automatic),
        ("It was displayed.", "automatic-action/MDN-sent-automatically; displayed"),
        ("It was printed.", "automatic-action/MDN-sent-automatically; processed"),
    ] {
        expect(text, &mdn("About your letter", text, disposition), "auto-reply", "-", "-");
    }
    for disposition in [
        "automatic-action/MDN-sent-automatically; failed",
        "automatic-action/MDN-sent-automatically; displayed/error",
        "automatic-action/MDN-sent-automatically; quarantined",
        "",
    ] {
        let text = "Ei onnistunut.";
        expect(disposition, &mdn("Kirje", text, disposition), "other", "-", "-");
    }
}

#[test]
fn a_recipients_block_may_have_a_diagnostic_alone_or_an_action_of_its_own_words() {
    for (fields, kind, class, status) in [
        ("Diagnostic-Code: smtp; 550 5.1.1 no such user", "bounce", "hard", "5.1.1"),
        ("Diagnostic-Code: smtp; 550 User unknown", "bounce", "hard", "5.1.1"),
        ("Diagnostic-Code: X-Postfix; unknown user: \"kai\"", "bounce", "hard", "5.1.1"),
        ("Diagnostic-Code: smtp; 451 4.7.1 greylisted", "delayed", "delay", "4.7.1"),
        ("Action: undeliverable\nStatus: 5.1.1", "bounce", "hard", "5.1.1"),
        ("Action: failure\nStatus:", "bounce", "hard", "5.0.0"),
        ("Action: Expired\nStatus: 4.4.1", "bounce", "soft", "4.4.1"),
        ("Action: timeout", "bounce", "soft", "4.4.7"),
        ("Action: bounced\nDiagnostic-Code: smtp; 552 over quota", "bounce", "hard", "5.2.2"),
        ("Action: rejected\nDiagnostic-Code: smtp; 554 5.7.1 spam", "bounce", "hard", "5.7.1"),
        ("Action: deferred\nStatus: 4.4.1", "delayed", "delay", "4.4.1"),
        ("Action: queued", "delayed", "delay", "4.0.0"),
        (
            "Action: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 5.1.0 unknown address 5.2.1 disabled",
            "bounce",
            "hard",
            "5.2.1",
        ),
        (
            "Action: failed\nStatus: 5.1.0\nDiagnostic-Code: smtp; 550 mailbox quota exceeded",
            "bounce",
            "hard",
            "5.2.2",
        ),
        (
            "Action: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 Requested action not taken: mailbox unavailable",
            "bounce",
            "hard",
            "5.1.1",
        ),
        (
            "Action: failed\nStatus: 4.0.0\nDiagnostic-Code: smtp; 451 the user is over his quota",
            "bounce",
            "soft",
            "4.2.2",
        ),
    ] {
        expect(fields, &dsn(fields, "See below."), kind, class, status);
    }
}

#[test]
fn a_notification_inside_an_attachment_is_found() {
    let inner = dsn("Action: failed\nStatus: 5.1.1", "Sorry.");
    let wrap = |head: &str, kind: &str, body: &str| {
        format!(
            "{head}{TO}Subject: [scanned]\nMIME-Version: 1.0\n\
             Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: text/plain\n\n\
             Scanned for viruses.\n--o\nContent-Type: {kind}\n\n{body}\n--o--\n"
        )
    };
    for kind in ["message/rfc822", "application/octet-stream; name=message.eml"] {
        expect(kind, &wrap(SYSTEM, kind, &inner), "bounce", "hard", "5.1.1");
    }
    let twice = wrap(
        SYSTEM,
        "message/rfc822",
        &wrap(SYSTEM, "message/rfc822", &inner).replace("=o", "=p").replace("--o", "--p"),
    );
    expect("twice", &twice, "bounce", "hard", "5.1.1");
    let encoded = base64(inner.as_bytes());
    let kind = "application/octet-stream\nContent-Transfer-Encoding: base64";
    expect("base64", &wrap(SYSTEM, kind, &encoded), "bounce", "hard", "5.1.1");
    let bare = "Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.2.2\n";
    expect("bare", &wrap(SYSTEM, "application/octet-stream", bare), "bounce", "hard", "5.2.2");
    // A person who passes a notification on proves nothing.
    let person = "Return-Path: <pia@mail.example>\nFrom: Pia <pia@mail.example>\n";
    expect("person", &wrap(person, "message/rfc822", &inner), "other", "-", "-");
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[test]
fn a_mail_system_is_understood_in_any_language_and_behind_any_address() {
    for (subject, text) in [
        ("Doručení se nezdařilo", "Zprávu nebylo možné doručit."),
        ("メール", "お客様のメッセージは届きませんでした。"),
        ("Viestiä ei voitu toimittaa", "Vastaanottajaa ei ole."),
        ("", "1234"),
    ] {
        expect(subject, &notice(SYSTEM, subject, text), "bounce", "hard", "5.0.0");
    }
    for from in ["<>", "MDaemon@mail.example", "Mail Delivery Service <postman@mail.example>"] {
        let head = format!("Return-Path: <x@mail.example>\nFrom: {from}\nPrecedence: bulk\n");
        let text = "Your message was not delivered: no such user.";
        expect(from, &notice(&head, "Permanent Delivery Failure", text), "bounce", "hard", "5.1.1");
    }
    let own = "Return-Path: <d.net-mail@corp.example>\nFrom: d.net-mail@corp.example\n";
    let text = "Votre message n'a pas pu etre delivre a kai@corp.example\n\n\
                Your message could not be delivered to kai@corp.example";
    expect("two languages", &notice(own, "RE: hello : non remis", text), "bounce", "hard", "5.0.0");
    let own = "Return-Path: <gateway@corp.example>\nFrom: Gateway <gateway@corp.example>\n";
    let text = "Your message to kai@corp.example was rejected: the mailbox is full.";
    expect("own", &notice(own, "Undeliverable: hello", text), "bounce", "hard", "5.2.2");
}

#[test]
fn a_delay_is_none_the_less_one_for_its_subject() {
    for text in [
        "Your mail is still in the queue. We will keep trying for 3 days.",
        "The server did not answer. The message will be retried for 2 days.",
        "THIS IS A WARNING MESSAGE ONLY. You do not need to resend your message.",
    ] {
        for subject in ["Undeliverable: hello", "Delivery failure", "Hello"] {
            let found = read_returned(notice(SYSTEM, subject, text).as_bytes()).what;
            assert_eq!(found.kind(), "delayed", "{subject}: {text}: {found:?}");
        }
    }
    let text = "We kept trying for 3 days, and have given up. We will keep trying no more.";
    expect(text, &notice(SYSTEM, "Delivery failure", text), "bounce", "soft", "4.4.7");
}

#[test]
fn robots_are_no_bounces_and_challenges_no_replies() {
    let shop = "Return-Path: <>\nFrom: Shop <info@shop.example>\nPrecedence: bulk\n";
    let desk =
        "Return-Path: <>\nFrom: Desk <postmaster@desk.example>\nAuto-Submitted: auto-replied\n";
    for (head, subject, text) in [
        (shop, "Thanks for your order", "If an e-mail could not be delivered to you, look here."),
        (shop, "We got your mail", "In case your message was rejected before, use our form."),
        (desk, "[#12] Request received", "Version 4.2.2 of our app is out. We answer soon."),
        (desk, "Away", "I am away until 5.1.2027."),
    ] {
        expect(text, &notice(head, subject, text), "auto-reply", "-", "-");
    }
    let robot = "Return-Path: <>\nFrom: Kim <kim@mail.example>\nAuto-Submitted: auto-replied\n";
    for (head, text) in [
        (robot, "Your message is being held. Please click the link to confirm that you sent it."),
        (shop, "I don't know you. Reply to this message to be put on my allow list; verify once."),
    ] {
        expect(text, &notice(head, "Please confirm your message", text), "other", "-", "-");
    }
}

#[test]
fn what_nothing_explains_is_for_a_person() {
    let robot = "Return-Path: <>\nFrom: Robot <robot@mail.example>\n";
    expect("null", &notice(robot, "Уведомление", "Что-то случилось."), "other", "-", "-");
    let person = "Return-Path: <pia@mail.example>\nFrom: Pia <pia@mail.example>\n";
    for text in ["Is my card safe?", "My letter could not be delivered, says my sister."] {
        expect(text, &notice(person, "Re: your letter", text), "other", "-", "-");
    }
    expect("empty", "", "other", "-", "-");
}

/// A notification of SES. The envelope of SNS has it as a string.
fn ses(kind: &str, rest: &str) -> String {
    format!(
        r#"{{"{kind}","mail":{{"timestamp":"2026-03-03T09:00:00.000Z","source":"b-7-41-0123456789abcdef0123@back.shop.example","messageId":"0101","destination":["kai@mail.example"],"headers":[{{"name":"Message-ID","value":"<7.aa@shop.example>"}}],"commonHeaders":{{"messageId":"<0101@eu-west-1.amazonses.com>"}}}},{rest}}}"#
    )
}

#[test]
fn notifications_of_amazon_are_read_bare_in_sns_and_in_a_mail() {
    let bounce = |kind: &str, sub: &str, recipient: &str| {
        ses(
            r#"notificationType":"Bounce"#,
            &format!(
                r#""bounce":{{"bounceType":"{kind}","bounceSubType":"{sub}","bouncedRecipients":[{{"emailAddress":"kai@mail.example"{recipient}}}]}}"#
            ),
        )
    };
    let exact = r#","action":"failed","status":"5.1.1","diagnosticCode":"smtp; 550 5.1.1 kai@mail.example... User unknown""#;
    let delay = ses(
        r#"eventType":"DeliveryDelay"#,
        r#""deliveryDelay":{"delayType":"MailboxFull","delayedRecipients":[{"emailAddress":"kai@mail.example"}]}"#,
    );
    let complaint = |kind: &str| {
        ses(
            r#"notificationType":"Complaint"#,
            &format!(r#""complaint":{{"complainedRecipients":[],"complaintFeedbackType":{kind}}}"#),
        )
    };
    for (json, kind, class, status) in [
        (bounce("Permanent", "General", exact), "bounce", "hard", "5.1.1"),
        (bounce("Permanent", "NoEmail", ""), "bounce", "hard", "5.1.1"),
        (bounce("Permanent", "Suppressed", ""), "bounce", "hard", "5.1.1"),
        (bounce("Transient", "MailboxFull", ""), "bounce", "soft", "4.2.2"),
        (bounce("Undetermined", "Undetermined", ""), "bounce", "hard", "5.0.0"),
        (delay, "delayed", "delay", "4.2.2"),
        (complaint(r#""abuse""#), "complaint", "-", "-"),
        (complaint("null"), "complaint", "-", "-"),
        (complaint(r#""not-spam""#), "other", "-", "-"),
        (ses(r#"notificationType":"Delivery"#, r#""delivery":{}"#), "delivered", "-", "-"),
    ] {
        let quoted = serde_json::to_string(&json).unwrap();
        let sns =
            format!(r#"{{"Type":"Notification","TopicArn":"arn:aws:sns:x","Message":{quoted}}}"#);
        let footer =
            "\n\n--\nIf you wish to stop receiving notifications, click https://sns.example";
        let head = "Return-Path: <bounce@sns.example>\nFrom: AWS <no-reply@sns.example>\n";
        let mail = notice(head, "AWS Notification Message", &format!("{json}{footer}"));
        for text in [&json, &sns, &mail] {
            expect(text, text, kind, class, status);
            let report = read_returned(text.as_bytes());
            let path = report.original_return_path.unwrap();
            assert_eq!(path, "b-7-41-0123456789abcdef0123@back.shop.example");
            assert_eq!(report.original_message_id.as_deref(), Some("7.aa@shop.example"));
        }
    }
    expect("other JSON", "{\"a\": 1}", "other", "-", "-");
}

#[test]
fn todays_bounces_of_google_and_microsoft_are_read() {
    let google = |action: &str, status: &str, said: &str| {
        format!(
            "Return-Path: <>\nFrom: Mail Delivery Subsystem <mailer-daemon@googlemail.com>\n{TO}\
             Auto-Submitted: auto-replied\nSubject: Delivery Status Notification ({})\n\
             MIME-Version: 1.0\n\
             Content-Type: multipart/report; boundary=\"g\"; report-type=delivery-status\n\n--g\n\
             Content-Type: text/plain; charset=\"UTF-8\"\n\n** Address not found **\n\n--g\n\
             Content-Type: message/delivery-status\n\nReporting-MTA: dns; googlemail.com\n\
             Arrival-Date: Tue, 03 Mar 2026 09:00:00 -0800 (PST)\n\n\
             Final-Recipient: rfc822; kai@mail.example\nAction: {action}\nStatus: {status}\n\
             Diagnostic-Code: smtp; {said}\n\n--g--\n",
            if action == "failed" { "Failure" } else { "Delay" }
        )
    };
    let said = "550-5.1.1 The email account that you tried to reach does not exist. - gsmtp";
    expect("google", &google("failed", "5.1.1", said), "bounce", "hard", "5.1.1");
    let said = "550-5.7.26 This mail has been blocked because the sender is unauthenticated.";
    expect("google", &google("failed", "5.7.26", said), "bounce", "hard", "5.7.26");
    let said = "The recipient server did not accept our requests to connect.";
    expect("google", &google("delayed", "4.4.1", said), "delayed", "delay", "4.4.1");
    let microsoft = |status: &str, said: &str| {
        format!(
            "Return-Path: <>\nFrom: <postmaster@outlook.com>\n{TO}Subject: Undeliverable: Your account\n\
             Auto-Submitted: auto-replied\nMIME-Version: 1.0\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=\"m\"\n\n--m\n\
             Content-Type: multipart/alternative; boundary=\"n\"\n\n--n\n\
             Content-Type: text/html; charset=\"us-ascii\"\n\n<p>Your message couldn't be delivered.</p>\n\
             --n--\n--m\nContent-Type: message/delivery-status\n\n\
             Reporting-MTA: dns;DB3PR0202.eurprd02.prod.outlook.com\n\n\
             Final-Recipient: rfc822;kai@outlook.com\nAction: failed\nStatus: {status}\n\
             Diagnostic-Code: smtp;{said}\n\n--m--\n"
        )
    };
    let said = "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).";
    expect("outlook", &microsoft("5.5.0", said), "bounce", "hard", "5.1.1");
    let said = "550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found by SMTP address lookup";
    expect("exchange", &microsoft("5.1.10", said), "bounce", "hard", "5.1.10");
    let said = "550 5.4.300 Message expired -> 451 4.7.500 Server busy";
    expect("exchange", &microsoft("5.4.300", said), "bounce", "hard", "5.4.300");
    let what = read_returned(microsoft("5.4.300", said).as_bytes()).what;
    assert!(matches!(what, Returned::Bounced { why: BounceReason::Expired, .. }), "{what:?}");
}
