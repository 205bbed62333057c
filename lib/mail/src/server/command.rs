//! Translates a client's command lines for mailin.
//!
//! mailin does not support LHLO, the empty return path of bounces, or any parameter of MAIL except
//! BODY.

use std::borrow::Cow;

/// The replacement for an empty return path.
const NOBODY: &str = "nobody";

/// A command line.
#[derive(Debug, PartialEq, Eq)]
pub struct Command<'a> {
    /// The line for mailin.
    pub line: Cow<'a, [u8]>,
    pub kind: Kind,
}

/// The commands that the session handles in addition to mailin.
#[derive(Debug, PartialEq, Eq)]
pub enum Kind {
    /// The client greets in SMTP and asks for the extensions.
    Ehlo,
    /// The client greets in SMTP without extensions.
    Helo,
    /// The client greets in LMTP.
    Lhlo,
    /// The client begins a message with this return path.
    Mail { sender: String },
    /// A command that mailin handles alone.
    Other,
}

/// Parses a command line. `Err` is the reply to a command that is refused in any state.
pub fn read(line: &[u8], largest: usize) -> Result<Command<'_>, String> {
    let starts = |word: &[u8]| line.get(..word.len()).is_some_and(|w| w.eq_ignore_ascii_case(word));
    let unchanged = |kind| Ok(Command { line: Cow::Borrowed(line), kind });
    if starts(b"EHLO") {
        return unchanged(Kind::Ehlo);
    }
    if starts(b"HELO") {
        return unchanged(Kind::Helo);
    }
    if starts(b"LHLO") {
        let line = [b"EHLO", &line[4..]].concat();
        return Ok(Command { line: Cow::Owned(line), kind: Kind::Lhlo });
    }
    match starts(b"MAIL FROM:").then(|| parse_mail(line)).flatten() {
        Some((sender, parameters)) => {
            check_parameters(parameters, largest)?;
            let path = if sender.is_empty() { NOBODY } else { sender };
            let line = format!("MAIL FROM:<{path}>\r\n").into_bytes();
            Ok(Command { line: Cow::Owned(line), kind: Kind::Mail { sender: sender.to_owned() } })
        }
        None => unchanged(Kind::Other),
    }
}

/// The return path and the parameters of a MAIL command; `None` if it is malformed.
fn parse_mail(line: &[u8]) -> Option<(&str, &str)> {
    let text = std::str::from_utf8(line).ok()?.strip_suffix("\r\n")?;
    let path = text.split_once(':')?.1.trim_start_matches(' ').strip_prefix('<')?;
    let (sender, parameters) = path.split_once('>')?;
    (parameters.is_empty() || parameters.starts_with(' ')).then_some((sender, parameters))
}

/// Checks the parameters of the offered extensions SIZE, 8BITMIME and SMTPUTF8.
fn check_parameters(parameters: &str, largest: usize) -> Result<(), String> {
    for parameter in parameters.split_ascii_whitespace() {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match (&*name.to_ascii_uppercase(), &*value.to_ascii_uppercase()) {
            ("SIZE", size) => {
                let size: u64 =
                    size.parse().map_err(|_| "501 5.5.4 SIZE must be a number".to_owned())?;
                if size > largest as u64 {
                    return Err(too_large(largest));
                }
            }
            ("BODY", "7BIT" | "8BITMIME") | ("SMTPUTF8", "") => {}
            _ => return Err("555 5.5.4 Unknown parameter".to_owned()),
        }
    }
    Ok(())
}

/// The reply to a message that is too large.
pub fn too_large(largest: usize) -> String {
    format!("552 5.3.4 A message may have at most {largest} bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_translated_for_mailin() {
        let mail = |sender: &str| Kind::Mail { sender: sender.to_owned() };
        for (sent, translated, kind) in [
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
            let line = Cow::Borrowed(translated.as_bytes());
            assert_eq!(read(sent.as_bytes(), 10), Ok(Command { line, kind }), "{sent:?}");
        }
        for (sent, reply) in [
            ("MAIL FROM:<> SIZE=11\r\n", "552"),
            ("MAIL FROM:<> SIZE=99999999999999999999\r\n", "501"),
            ("MAIL FROM:<> RET=FULL\r\n", "555"),
        ] {
            assert!(read(sent.as_bytes(), 10).unwrap_err().starts_with(reply), "{sent:?}");
        }
    }
}
