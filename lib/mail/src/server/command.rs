//! What a client says, put so that mailin understands it.
//!
//! mailin knows no LHLO, and takes neither the empty return path of bounces nor any parameter of
//! MAIL but BODY.

use std::borrow::Cow;

/// What stands for the empty return path.
const NOBODY: &str = "nobody";

/// A command line.
#[derive(Debug, PartialEq, Eq)]
pub struct Command<'a> {
    /// The line for mailin.
    pub line: Cow<'a, [u8]>,
    pub kind: Kind,
}

/// What is of interest beside mailin's answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Kind {
    /// The client speaks SMTP, and asks what is offered.
    Ehlo,
    /// The client speaks SMTP as of old.
    Helo,
    /// The client speaks LMTP.
    Lhlo,
    /// A message from this return path.
    Mail { sender: String },
    /// Anything else.
    Other,
}

/// Reads a command line; `Err` is the reply to one that is refused whatever came before it.
pub fn read(line: &[u8], largest: usize) -> Result<Command<'_>, String> {
    let starts = |word: &[u8]| line.get(..word.len()).is_some_and(|w| w.eq_ignore_ascii_case(word));
    let as_said = |kind| Ok(Command { line: Cow::Borrowed(line), kind });
    if starts(b"EHLO") {
        return as_said(Kind::Ehlo);
    }
    if starts(b"HELO") {
        return as_said(Kind::Helo);
    }
    if starts(b"LHLO") {
        let line = [b"EHLO", &line[4..]].concat();
        return Ok(Command { line: Cow::Owned(line), kind: Kind::Lhlo });
    }
    match starts(b"MAIL FROM:").then(|| mail(line)).flatten() {
        Some((sender, parameters)) => {
            check(parameters, largest)?;
            let path = if sender.is_empty() { NOBODY } else { sender };
            let line = format!("MAIL FROM:<{path}>\r\n").into_bytes();
            Ok(Command { line: Cow::Owned(line), kind: Kind::Mail { sender: sender.to_owned() } })
        }
        None => as_said(Kind::Other),
    }
}

/// Return path and parameters of a MAIL command; `None` when it is none.
fn mail(line: &[u8]) -> Option<(&str, &str)> {
    let said = std::str::from_utf8(line).ok()?.strip_suffix("\r\n")?;
    let said = said.split_once(':')?.1.trim_start_matches(' ').strip_prefix('<')?;
    let (sender, parameters) = said.split_once('>')?;
    (parameters.is_empty() || parameters.starts_with(' ')).then_some((sender, parameters))
}

/// The parameters of what is offered: SIZE, 8BITMIME and SMTPUTF8.
fn check(parameters: &str, largest: usize) -> Result<(), String> {
    for parameter in parameters.split_ascii_whitespace() {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match (&*name.to_ascii_uppercase(), &*value.to_ascii_uppercase()) {
            ("SIZE", size) => {
                let size: u64 = size.parse().map_err(|_| "501 5.5.4 That is no size".to_owned())?;
                if size > largest as u64 {
                    return Err(too_large(largest));
                }
            }
            ("BODY", "7BIT" | "8BITMIME") | ("SMTPUTF8", "") => {}
            _ => return Err("555 5.5.4 A parameter is not known".to_owned()),
        }
    }
    Ok(())
}

/// The reply to a message past the limit.
pub fn too_large(largest: usize) -> String {
    format!("552 5.3.4 A message has at most {largest} bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mailin_hears_what_it_knows() {
        let mail = |sender: &str| Kind::Mail { sender: sender.to_owned() };
        for (said, told, kind) in [
            ("lhlo x\r\n", "EHLO x\r\n", Kind::Lhlo),
            ("Ehlo x\r\n", "Ehlo x\r\n", Kind::Ehlo),
            ("HELO x\r\n", "HELO x\r\n", Kind::Helo),
            ("MAIL FROM:<>\r\n", "MAIL FROM:<nobody>\r\n", mail("")),
            (
                "mail from: <a@x> SIZE=10 body=8bitmime SMTPUTF8\r\n",
                "MAIL FROM:<a@x>\r\n",
                mail("a@x"),
            ),
            ("MAIL FROM:<a b>\r\n", "MAIL FROM:<a b>\r\n", mail("a b")),
            ("MAIL FROM:a@x\r\n", "MAIL FROM:a@x\r\n", Kind::Other),
            ("MAIL FROM:<a@x>SIZE=1\r\n", "MAIL FROM:<a@x>SIZE=1\r\n", Kind::Other),
            ("MAIL FROM:<a@x>\n", "MAIL FROM:<a@x>\n", Kind::Other),
            ("\n", "\n", Kind::Other),
        ] {
            let line = Cow::Borrowed(told.as_bytes());
            assert_eq!(read(said.as_bytes(), 10), Ok(Command { line, kind }), "{said:?}");
        }
        for (said, reply) in [
            ("MAIL FROM:<> SIZE=11\r\n", "552"),
            ("MAIL FROM:<> SIZE=99999999999999999999\r\n", "501"),
            ("MAIL FROM:<> RET=FULL\r\n", "555"),
        ] {
            assert!(read(said.as_bytes(), 10).unwrap_err().starts_with(reply), "{said:?}");
        }
    }
}
