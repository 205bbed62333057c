use mail_parser::{MessageParser, PartType};
use proptest::prelude::*;

use super::*;

fn mailbox(name: &str, address: &str) -> Mailbox {
    Mailbox { name: Some(Personal::new(name)), address: Personal::new(address) }
}

fn shop() -> Mailbox {
    mailbox("The Shop", "care@shop.example")
}

fn build(to: &Mailbox, subject: &str, text: &str, html: Option<&str>) -> Vec<u8> {
    let date = "2012-01-15T18:30:05Z".parse().unwrap();
    let from = shop();
    let message_id = "7.42@letters.shop.example";
    let head = Head { from: &from, to, date, message_id, feedback_id: None };
    Message { head, subject, text, html }.build().unwrap()
}

#[test]
fn a_plain_message_has_these_bytes() {
    let built = build(&mailbox("Ada", "ada@mail.example"), "Your code", "1234 = it\n", None);
    let expected = "Date: Sun, 15 Jan 2012 18:30:05 +0000\r\n\
        From: \"The Shop\" <care@shop.example>\r\n\
        To: \"Ada\" <ada@mail.example>\r\n\
        Subject: Your code\r\n\
        Message-ID: <7.42@letters.shop.example>\r\n\
        Auto-Submitted: auto-generated\r\n\
        MIME-Version: 1.0\r\n\
        Content-Type: text/plain; charset=utf-8\r\n\
        Content-Transfer-Encoding: quoted-printable\r\n\
        \r\n\
        1234 =3D it\r\n";
    assert_eq!(String::from_utf8(built).unwrap(), expected);
}

#[test]
fn a_message_has_its_text_first_and_its_html_last() {
    let built = build(&shop(), "Notice", "Plain", Some("<p>Grüße, 渋谷区</p>"));
    let parsed = MessageParser::new().parse(&built).unwrap();
    assert_eq!(parsed.body_text(0).unwrap().trim_end(), "Plain");
    assert_eq!(parsed.body_html(0).unwrap().trim_end(), "<p>Grüße, 渋谷区</p>");
    assert!(matches!(parsed.parts[1].body, PartType::Text(_)));
    assert!(matches!(parsed.parts[2].body, PartType::Html(_)));
}

#[test]
fn a_line_break_in_a_name_or_subject_starts_no_header() {
    let to = mailbox("Ada\r\nBcc: all@mail.example", "ada@mail.example");
    let built = build(&to, "Hi\r\nX-Evil: 1", "text", None);
    let parsed = MessageParser::new().parse(&built).unwrap();
    assert!(parsed.bcc().is_none() && parsed.header("X-Evil").is_none());
}

#[test]
fn a_malformed_address_or_message_id_is_refused() {
    let date = "2012-01-15T18:30:05Z".parse().unwrap();
    let from = shop();
    let build = |address: &str, message_id: &str| {
        let to = Mailbox { name: None, address: Personal::new(address) };
        let head = Head { from: &from, to: &to, date, message_id, feedback_id: None };
        Message { head, subject: "", text: "", html: None }.build()
    };
    assert!(build("ada@mail.example", "1@x").is_ok());
    for bad in ["", "ada", "@x", "a@", "a b@x", "a@x>", "a@x\r\nBcc: b@x", "jörg@x", "a@x,b@x"] {
        let error = build(bad, "1@x").unwrap_err();
        assert_eq!(error, MessageError::Address("recipient's"));
        assert_eq!(build("ada@mail.example", bad).unwrap_err(), MessageError::MessageId);
    }
}

fn lines(text: &str) -> Vec<&str> {
    text.trim_end_matches(['\r', '\n']).split(['\n']).map(|l| l.trim_end_matches('\r')).collect()
}

/// No approver reads the names that customers choose, so a letter must not carry a message in one.
#[test]
fn a_name_that_is_a_message_is_left_out() {
    let html = format!("<p>Dear {NAME},</p>");
    let form = Form::new("Notice", &format!("Dear {NAME},"), &html, "customer");
    for (name, greeting) in [("Ada Lovelace", "Dear Ada Lovelace,"), (LURE, "Dear customer,")] {
        let to = mailbox(name, "ada@mail.example");
        let head = Head {
            from: &mailbox("Shop", "notice@shop.example"),
            to: &to,
            date: Timestamp::UNIX_EPOCH,
            message_id: "7.42@letters.shop.example",
            feedback_id: None,
        };
        let fill = Fill { name: to.name.as_ref().unwrap(), code: "ABCDE-FGHIJ" };
        let message = String::from_utf8(form.message(&head, &fill).unwrap()).unwrap();
        assert_eq!(message.matches(greeting).count(), 2, "{message}");
        assert!(!message.contains("evil"), "{message}");
    }
}

const LURE: &str = "customer, your letter is at evil.example";

proptest! {
    #[test]
    fn a_parser_reads_back_what_was_built(
        name in "\\PC{1,60}|[\\p{L}][\\p{L} '\"-]{0,58}",
        subject in "\\PC{1,120}",
        text in "[\\PC\t\n]{0,600}",
        html in proptest::option::of("[ -~\n]{0,300}|[\\PC\n]{0,300}"),
    ) {
        let to = mailbox(&name, "ada@mail.example");
        let built = build(&to, &subject, &text, html.as_deref());
        prop_assert_eq!(&built, &build(&to, &subject, &text, html.as_deref()));
        for line in built.split(|b| *b == b'\n') {
            prop_assert!(line.is_ascii() && line.len() <= 79, "{:?}", line);
        }

        let parsed = MessageParser::new().parse(&built).unwrap();
        let read_to = parsed.to().unwrap().first().unwrap();
        prop_assert_eq!(read_to.address(), Some("ada@mail.example"));
        let shown = Some(name.as_str()).filter(|name| name::is_presentable(name));
        prop_assert_eq!(read_to.name(), shown);
        prop_assert_eq!(parsed.subject(), Some(subject.as_str()));
        prop_assert_eq!(parsed.message_id(), Some("7.42@letters.shop.example"));
        let read = parsed.text_bodies().next().unwrap();
        prop_assert_eq!(lines(read.text_contents().unwrap()), lines(&text));
        if let Some(html) = &html {
            let read = parsed.html_bodies().next().unwrap();
            prop_assert_eq!(lines(read.text_contents().unwrap()), lines(html));
        }
    }
}
