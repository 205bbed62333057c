//! Makes returned mail, and reads it.

use cofferdam_mail::{Report, read_returned};

/// Kind, class and status, as `cases.tsv` has them.
pub fn summary(report: &Report) -> (String, String, String) {
    let or_dash = |text: Option<&str>| text.unwrap_or("-").to_owned();
    let what = &report.what;
    (what.kind().to_owned(), or_dash(what.class()), or_dash(what.status()))
}

pub fn expect(name: &str, message: &str, kind: &str, class: &str, status: &str) {
    let expected = (kind.to_owned(), class.to_owned(), status.to_owned());
    for text in [message.to_owned(), message.replace('\n', "\r\n")] {
        assert_eq!(summary(&read_returned(text.as_bytes())), expected, "{name}:\n{message}");
    }
}

pub const TO: &str = "To: <b-7-41-0123456789abcdef0123@back.shop.example>\n";
pub const SYSTEM: &str = "Return-Path: <>\nFrom: Mail Delivery System <MAILER-DAEMON@mx.example>\n";

pub fn notice(head: &str, subject: &str, text: &str) -> String {
    format!(
        "{head}{TO}Subject: {subject}\nMIME-Version: 1.0\nContent-Type: text/plain; \
         charset=utf-8\n\n{text}\n"
    )
}

pub fn dsn(fields: &str, text: &str) -> String {
    format!(
        "{SYSTEM}{TO}Subject: Report\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=x\n\n--x\n\
         Content-Type: text/plain\n\n{text}\n\n--x\nContent-Type: message/delivery-status\n\n\
         Reporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; kai@mail.example\n{fields}\n\n--x--\n"
    )
}
