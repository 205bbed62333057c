//! The words of returned mail, as many mail systems choose them. Each case was once read wrongly.

use cofferdam_mail::{Returned, read_returned};
use messages::{SYSTEM, TO, dsn, expect, notice};

mod messages;

/// Expects a bounce whose server gave a general code and these words.
fn expect_said(words: &[&str], status: &str) {
    for said in words {
        let fields = format!("Action: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; {said}");
        expect(said, &dsn(&fields, "See below."), "bounce", "hard", status);
    }
}

#[test]
fn a_full_mailbox_is_known_in_other_words() {
    let words = [
        "550 mailbox is over its limit",
        "554 The recipient has no more room for mail",
        "550 Mailbox of the user has reached its maximum size",
        "552 Account storage exhausted",
        "550 The user has too many messages stored",
        "550 recipient's mailbox has no free space",
        "550 Message rejected: the destination store is full",
        "550 Box full",
        "552 <kai@mail.example> exceeds allowed space",
        "550 mailbox overflow",
        "552 Quota",
        "552 kai is above his allotted space",
        "550 The inbox of kai cannot hold any more messages",
        "550 the mail folder of this customer is filled up",
        "552 mailbox at its limit",
        "552 no space left",
        "5.1.0 - Unknown address error 550-'the mailbox of mia is full' (delivery attempts: 0)",
    ];
    expect_said(&words, "5.2.2");
    let behind = "Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 552 5.2.2 Over quota";
    expect(behind, &dsn(behind, "See below."), "bounce", "hard", "5.2.2");
}

#[test]
fn a_missing_mailbox_is_known_in_other_words() {
    let words = [
        "550 We have nobody called kai",
        "550 recipient does not live here",
        "550 Unable to find the recipient",
        "550 Recipient not in our directory",
        "550 <kai@mail.example> not a registered user",
        "550 user not known",
        "550 address is not assigned",
        "550 Invalid e-mail address",
        "550 mailbox kai not found",
        "550 we don't know kai here",
        "550 this address is not in use any more",
        "550 <kai@mail.example> isn't one of our users",
        "550 The recipient has been deleted",
        "550 kai: not a local user",
        "550 addressee cannot be located",
        "550 misspelled recipient",
    ];
    expect_said(&words, "5.1.1");
    for (text, status) in [
        ("max@mail.example is not a user of this service.", "5.1.1"),
        ("The address max@mail.example is invalid.", "5.1.1"),
        ("max@mail.example: account closed", "5.2.1"),
        ("max@gone.example: No MX found for domain", "5.1.2"),
        ("max@gone.example ... the domain is unknown", "5.1.2"),
        ("mail server of gone.example cannot be found", "5.1.2"),
    ] {
        expect(text, &notice(SYSTEM, "Note", text), "bounce", "hard", status);
    }
}

#[test]
fn a_refused_sender_is_no_missing_mailbox() {
    expect_said(&["550 Sender address rejected: not known here"], "5.1.8");
    expect_said(
        &[
            "550 Administrative prohibition",
            "554 Email rejected due to security policies",
            "550 Client host rejected: cannot find your reverse hostname",
        ],
        "5.7.1",
    );
    expect_said(&["554 5.7.0 Reject, id=12-3 - INFECTED"], "5.7.0");
    expect_said(&["550 5.2.0 Mail rejected"], "5.2.0");
}

#[test]
fn a_server_that_tried_for_long_gave_up() {
    for text in [
        "Delivery to these people has been abandoned after 3 days:\n\n  * nils@mail.example",
        "Your message has been in the queue for 5 days and is now returned.\n nils@mail.example",
        "nils@mail.example: the time limit for delivery was reached",
        "nils@mail.example: maximum queue time exceeded",
        "nils@mail.example: retry period is over, message dropped",
        "nils@mail.example: delivery deadline passed",
        "all hosts for slow.example have been failing for a long time (and retry time not reached)",
        "Could not deliver for the last 432000 seconds. Giving up.",
    ] {
        expect(text, &notice(SYSTEM, "Report", text), "bounce", "soft", "4.4.7");
    }
    for (fields, class, status) in [
        ("Action: timed-out\nStatus:\nDiagnostic-Code: no answer for days", "soft", "4.4.7"),
        ("Action: cancelled\nStatus:\nDiagnostic-Code: queue time exceeded", "soft", "4.4.7"),
        ("Action: expired\nStatus: 5.0.0\nDiagnostic-Code: smtp; timed out", "hard", "5.4.7"),
    ] {
        expect(fields, &dsn(fields, "See below."), "bounce", class, status);
    }
    let google = "The recipient server did not accept our requests to connect.";
    expect(google, &notice(SYSTEM, "Failure", google), "bounce", "soft", "4.4.1");
}

const GATE: &str = "Return-Path: <>\nFrom: Gateway <postmaster@gate.example>\n";

#[test]
fn a_server_that_promises_another_attempt_has_not_given_up() {
    for (subject, text, status) in [
        ("Delivery failure", "It was not accepted yet. We go on trying until Friday.", "4.0.0"),
        ("Failure", "First attempt failed. The next attempt will be made at ten.", "4.0.0"),
        ("Delivery problem", "It is still queued and we will attempt delivery again.", "4.0.0"),
        ("Delivery failed", "Your message stays in our queue and will be sent later.", "4.0.0"),
        ("Could not deliver", "It will make more attempts for 4 days.", "4.0.0"),
        ("Failed attempt", "It waits in our queue: the mailbox is full.", "4.2.2"),
        (
            "Zustellung fehlgeschlagen",
            "Wir versuchen es weiter. Bitte nicht erneut senden.",
            "4.0.0",
        ),
        ("Échec de la remise", "Pas encore accepté. Nous réessayons pendant 5 jours.", "4.0.0"),
        ("Opóźnienie", "Serwer będzie ponawiał próby przez 5 dni.", "4.0.0"),
    ] {
        for head in [SYSTEM, GATE] {
            expect(text, &notice(head, subject, text), "delayed", "delay", status);
        }
    }
    for text in [
        "Your message was not delivered. Please check the address and try again later.",
        "Your message was returned. You will have to try again. Our server will not retry.",
        "Your message was not delivered. Call us, and we will try to help.",
        "Your message was not delivered. Correct the address before your next try.",
        "If you want us to keep trying, you need to resend it: the message has been deleted.",
        "Ihre Nachricht konnte noch nicht zugestellt werden und wird zurückgesandt.",
    ] {
        let what = read_returned(notice(SYSTEM, "Undeliverable", text).as_bytes()).what;
        assert_eq!(what.kind(), "bounce", "{text}");
    }
}

#[test]
fn an_address_has_dots_that_end_no_sentence() {
    let own = "Return-Path: <mailserver@corp.example>\nFrom: <mailserver@corp.example>\n";
    for (subject, text, status) in [
        ("Undeliverable mail", "Your message to kai@corp.example was not delivered.", "5.0.0"),
        ("Returned mail", "Your message to kai@corp.example was rejected: no such user", "5.1.1"),
        ("Undeliverable", "The message that you sent was undeliverable: kai (550 gone)", "5.0.0"),
        ("Non remis", "Votre message n'a pas pu être distribué à lea@corp.example", "5.0.0"),
        ("Mancata consegna", "Il suo messaggio non è stato consegnato a lea@corp.example", "5.0.0"),
    ] {
        expect(text, &notice(own, subject, text), "bounce", "hard", status);
    }
}

#[test]
fn a_postmaster_in_an_unknown_language_is_looked_at_by_a_person() {
    let head = "Return-Path: <>\nFrom: postmaster@mx.example\nAuto-Submitted: auto-generated\n";
    for (subject, text) in [
        ("Αποτυχία", "Το μήνυμα δεν έφτασε: nikos@mail.example"),
        ("Virhe", "Vastaanottajaa ei löydy: matti@mail.example"),
    ] {
        expect(subject, &notice(head, subject, text), "other", "-", "-");
    }
    let text = "We have noted it. Room 5.1.1 is where we sit.";
    expect(text, &notice(head, "Your enquiry", text), "auto-reply", "-", "-");
}

#[test]
fn a_letter_that_is_held_back_is_for_a_person() {
    let robot = "Return-Path: <>\nFrom: Kim <kim@mail.example>\nAuto-Submitted: auto-replied\n";
    for text in [
        "Ihre Nachricht wird zurückgehalten. Bitte bestätigen Sie, dass Sie ein Mensch sind.",
        "Votre message est en attente. Cliquez sur ce lien.",
        "Su mensaje está retenido hasta que confirme que es una persona.",
        "Your letter sits in a waiting room. Solve the puzzle and it goes through.",
        "Your mail to the list is held until the moderator can review it.",
    ] {
        expect(text, &notice(robot, "Re: your letter", text), "other", "-", "-");
    }
    let robot = "Return-Path: <noreply@list.example>\nFrom: noreply@list.example\n";
    for fields in [
        "Action: delayed\nStatus: 4.7.0\nDiagnostic-Code: X-Notice; not on the guest list",
        "Action: failed\nStatus: 5.7.1\nDiagnostic-Code: X-Notice; sender not approved yet",
    ] {
        let text = "The letter is on hold. Please verify your address to let it through.";
        expect(fields, &dsn(fields, text).replace(SYSTEM, robot), "other", "-", "-");
    }
}

/// A message with another one attached under any type.
fn scanned(text: &str, kind: &str, attached: &str) -> String {
    format!(
        "{SYSTEM}{TO}Subject: [scanned]\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: text/plain\n\n\
         {text}\n--o\nContent-Type: {kind}\n\n{attached}\n--o--\n"
    )
}

#[test]
fn gateways_attach_notifications_under_any_type() {
    let failed = dsn("Action: failed\nStatus: 5.1.1", "Sorry.");
    for kind in ["application/eml; name=m.eml", "text/plain; name=m.txt", "message/rfc822"] {
        expect(kind, &scanned("Scanned.", kind, &failed), "bounce", "hard", "5.1.1");
    }
    let arrived = dsn("Action: delivered\nStatus: 2.0.0", "Good.");
    expect("good", &scanned("Scanned.", "message/rfc822", &arrived), "delivered", "-", "-");
    let later = dsn("Action: delayed\nStatus: 4.4.1", "Later.");
    expect("later", &scanned("Scanned.", "message/rfc822", &later), "delayed", "delay", "4.4.1");
    // The gateway's own words about its letter count more.
    let failed = "Your message could not be delivered to the next server.";
    for attached in [arrived, later] {
        expect("bad", &scanned(failed, "message/rfc822", &attached), "bounce", "hard", "5.0.0");
    }
}

#[test]
fn a_notification_of_amazon_whose_lines_were_broken_is_read() {
    let json = r#"{"notificationType":"Bounce","bounce":{"bounceType":"Permanent","bounceSubType":"NoEmail","bouncedRecipients":[]},"mail":{"source":"b-7-41-0123456789abcdef0123@back.shop.example","headers":[{"name":"!
 Message-ID","value":"<7.aa@shop.example>"}]}}"#;
    let head = "Return-Path: <x@sns.example>\nFrom: AWS <no-reply@sns.example>\n";
    let mail = notice(head, "AWS Notification Message", json);
    expect("broken", &mail, "bounce", "hard", "5.1.1");
    let report = read_returned(mail.as_bytes());
    assert_eq!(report.original_message_id.as_deref(), Some("7.aa@shop.example"));
    assert!(matches!(report.what, Returned::Bounced { .. }));
}
