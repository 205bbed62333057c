//! nginx's `log_format` and Apache's `LogFormat`, as they stand in the configuration.
//!
//! Sources: nginx, module `ngx_http_log_module`; Apache 2.4, module `mod_log_config`.

mod apache;
mod nginx;

use std::net::IpAddr;

use cofferdam_core::Timestamp;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::target::unescape;
use crate::time::{self, Instants};
use crate::web::{clients, without_port};

/// The combined and the common format up to the size of the answer. The rest of a line is passed
/// over.
const COMBINED: &str =
    "$remote_addr $ident $user_word [$time_local] \"$request\" $status $body_bytes_sent$rest";

/// The format of the lines of an access log.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct LogFormat {
    tokens: Vec<Token>,
    /// The parts of a custom time.
    time_format: Vec<String>,
}

/// A part of a format.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Literal(String),
    Value(Value),
}

/// The meaning of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    /// An address of a client.
    Client,
    /// An address of a client, with a port.
    ClientWithPort,
    /// A list of addresses, each of which may be the client's.
    Clients,
    /// A time as `10/Oct/2000:13:55:36 -0700`.
    TimeLocal,
    /// A time in RFC 3339.
    TimeIso,
    /// Seconds, or a smaller unit, since 1970.
    TimeNumber,
    /// A part of a time with a format of its own.
    TimeCustom,
    /// The request line.
    Request,
    Method,
    /// Path and query as the client sent them.
    Target,
    /// The path after the server decoded it.
    Path,
    /// The query, with its question mark or without.
    Query,
    Status,
    BodyBytes,
    /// A word without spaces that is passed over.
    Word,
    /// A text that is passed over.
    Other,
    /// The rest of the line.
    Rest,
}

/// The parts of a line that are used.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The instant of the line.
    pub at: Option<Instants>,
    /// Every address that may be the client's.
    pub clients: Vec<cofferdam_core::CallerName>,
    /// The request line, if the format has it.
    pub request: Option<String>,
    /// The method, if it stands apart.
    pub method: String,
    /// The target, if it stands apart.
    pub target: String,
    /// The status of the answer.
    pub status: Option<u16>,
    /// The bytes of the answer's body.
    pub body: Option<u64>,
    custom_time: Vec<String>,
}

impl Default for LogFormat {
    fn default() -> Self {
        Self { tokens: nginx::tokens(COMBINED), time_format: Vec::new() }
    }
}

impl TryFrom<String> for LogFormat {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let text = bare(text.trim());
        let is_nginx = text.split('$').skip(1).any(|rest| rest.starts_with(char::is_alphabetic));
        let (tokens, time_format) =
            if is_nginx { (nginx::tokens(&text), Vec::new()) } else { apache::tokens(&text)? };
        let format = Self { tokens, time_format };
        format.check().map_err(|fault| format!("log_format: {fault}"))?;
        Ok(format)
    }
}

/// The format within a directive of a configuration, or the text itself.
fn bare(text: &str) -> String {
    if let Some(rest) = text.strip_prefix("LogFormat") {
        let (from, to) = (rest.find('"').map_or(0, |at| at + 1), rest.rfind('"'));
        return rest.get(from..to.unwrap_or(rest.len())).unwrap_or(rest).to_owned();
    }
    let parts = text.find('\'').filter(|at| text.starts_with("log_format") || *at == 0);
    let Some(from) = parts else { return text.to_owned() };
    // nginx joins strings that stand one after the other.
    let inner = text[from..].trim_end_matches(';').trim_matches('\'');
    let strings = inner.split('\'').enumerate().filter(|(place, _)| place % 2 == 0);
    strings.map(|(_, string)| string).collect()
}

impl LogFormat {
    fn check(&self) -> Result<(), String> {
        use Value as V;
        let has = |any: &[V]| {
            self.tokens.iter().any(|of| matches!(of, Token::Value(value) if any.contains(value)))
        };
        if !has(&[V::Client, V::ClientWithPort, V::Clients]) {
            return Err("it has no address of the client".to_owned());
        }
        if !has(&[V::TimeLocal, V::TimeIso, V::TimeNumber, V::TimeCustom]) {
            return Err("it has no time".to_owned());
        }
        if !has(&[V::Request]) && !has(&[V::Target, V::Path]) {
            return Err("it has no request".to_owned());
        }
        let apart = |pair: &[Token]| match pair {
            [Token::Value(V::Path), Token::Value(V::Query)] | [_, Token::Value(V::Rest)] => true,
            pair => pair.iter().any(|of| matches!(of, Token::Literal(_))),
        };
        if !self.tokens.windows(2).all(apart) {
            return Err("two variables without a character between them".to_owned());
        }
        Ok(())
    }

    /// Whether its times have no offset.
    #[must_use]
    pub fn needs_zone(&self) -> bool {
        !self.time_format.is_empty() && !self.time_format.iter().any(|part| part.contains("%z"))
    }

    /// Parses a line; `None` if it does not have this format.
    #[must_use]
    pub fn parse(&self, line: &str, zone: Option<&TimeZone>) -> Option<Parsed> {
        let (mut parsed, mut rest, mut quoted) = (Parsed::default(), line, false);
        // Whether the text so far ends in a space.
        let mut parted = false;
        for (place, token) in self.tokens.iter().enumerate() {
            match token {
                Token::Literal(text) => {
                    rest = rest.strip_prefix(text.as_str())?;
                    (quoted, parted) = (text.ends_with('"'), text.ends_with(' '));
                }
                Token::Value(Value::Rest) => {
                    return (parted || rest.is_empty() || rest.starts_with(' '))
                        .then_some(parsed)?
                        .finish(self, zone);
                }
                Token::Value(value) => {
                    let end = self.end_of(place, rest, quoted, &parsed)?;
                    parsed.set(*value, &rest[..end])?;
                    (rest, parted) = (&rest[end..], false);
                }
            }
        }
        rest.is_empty().then_some(parsed)?.finish(self, zone)
    }

    /// The end of the value at a place. A quoted value ends at the first quote that is not escaped.
    fn end_of(&self, place: usize, rest: &str, quoted: bool, parsed: &Parsed) -> Option<usize> {
        match self.tokens.get(place + 1) {
            Some(Token::Literal(next)) if quoted && next.starts_with('"') => closing_quote(rest),
            Some(Token::Literal(next)) => {
                // A custom time may hold the text that follows it.
                let custom = self.tokens.get(place) == Some(&Token::Value(Value::TimeCustom));
                let part = self.time_format.get(parsed.custom_time.len()).filter(|_| custom);
                let within = part.map_or(0, |part| part.matches(next.as_str()).count());
                rest.match_indices(next.as_str()).nth(within).map(|(end, _)| end)
            }
            // A path ends where its query begins, or with both.
            Some(Token::Value(Value::Query)) => {
                let end = self.end_of(place + 1, rest, quoted, parsed)?;
                Some(rest[..end].find('?').unwrap_or(end))
            }
            Some(Token::Value(Value::Rest)) => Some(rest.find(' ').unwrap_or(rest.len())),
            _ => Some(rest.len()),
        }
    }
}

impl Parsed {
    /// Keeps a value; `None` if it can't have this meaning.
    fn set(&mut self, value: Value, text: &str) -> Option<()> {
        match value {
            Value::Client | Value::Clients => self.clients.extend(clients(&unescape(text))),
            Value::ClientWithPort => self.clients.extend(clients(port_cut(text))),
            Value::TimeLocal => self.at = Some(time::parse_combined(text)?.into()),
            Value::TimeIso => self.at = Some(text.parse::<Timestamp>().ok()?.into()),
            Value::TimeNumber => {
                let number = serde_json::from_str(text).ok()?;
                self.at = Some(time::parse_json(&number)?.into());
            }
            Value::TimeCustom => self.custom_time.push(text.to_owned()),
            Value::Request => self.request = Some(unescape(text)),
            Value::Method => self.method = unescape(text),
            Value::Target => self.target = unescape(text),
            Value::Path => self.target = encode(&unescape(text)),
            Value::Query => {
                let query = unescape(text);
                let query = query.strip_prefix('?').unwrap_or(&query);
                if !query.is_empty() && query != "-" {
                    self.target = format!("{}?{query}", self.target);
                }
            }
            Value::Status => self.status = text.parse().ok(),
            Value::BodyBytes => self.body = if text == "-" { Some(0) } else { text.parse().ok() },
            // An address there shows a format with another value in front, such as the host's name.
            Value::Word if text.contains(' ') || text.parse::<IpAddr>().is_ok() => return None,
            Value::Word | Value::Other | Value::Rest => {}
        }
        Some(())
    }

    /// Completes the line; `None` if it has no instant.
    fn finish(mut self, format: &LogFormat, zone: Option<&TimeZone>) -> Option<Self> {
        if !format.time_format.is_empty() {
            let wanted = format.time_format.join(" ");
            let text = self.custom_time.join(" ");
            let parts = BrokenDownTime::parse(wanted, &text).ok()?;
            self.at = match parts.offset() {
                Some(_) => Some(parts.to_timestamp().ok()?.into()),
                None => time::local(parts.to_datetime().ok()?, zone?),
            };
        }
        self.clients.sort_unstable();
        self.clients.dedup();
        let known = self.at.is_some() && !self.clients.is_empty();
        known.then_some(self)
    }
}

/// Encodes a path that a server has decoded, so that decoding gives it again.
fn encode(path: &str) -> String {
    path.replace('%', "%25").replace('?', "%3F").replace('#', "%23")
}

/// An address without its last part, the port, as AWS writes it for IPv6 too.
fn port_cut(text: &str) -> &str {
    let (address, port) = text.rsplit_once(':').unwrap_or((text, ""));
    let address = if port.bytes().all(|b| b.is_ascii_digit()) { address } else { text };
    without_port(address)
}

/// The place of the closing quote. Escaped quotes don't close.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(format: &str, line: &str) -> Option<Parsed> {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        LogFormat::try_from(format.to_owned()).unwrap().parse(line, Some(&zone))
    }

    #[test]
    fn formats_of_both_servers_are_read() {
        let at: Timestamp = "2012-01-15T04:00:01Z".parse().unwrap();
        for (format, line) in [
            (
                r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent""#,
                r#"203.0.113.9 - - [15/Jan/2012:04:00:01 +0000] "GET /a?b=1 HTTP/1.1" 200 5 "-" "a \x22b""#,
            ),
            (
                r#"$host:$server_port $remote_addr $status [$time_iso8601] $request_method "$request_uri""#,
                r#"www.shop.example:443 203.0.113.9 200 [2012-01-15T05:00:01+01:00] GET "/a?b=1""#,
            ),
            (
                r#"%v:%p %h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\""#,
                r#"www.shop.example:443 203.0.113.9 - ann b [15/Jan/2012:04:00:01 +0000] "GET /a?b=1 HTTP/1.1" 200 5 "-" "\"x\"""#,
            ),
            (
                r"%a %{%Y-%m-%d %H:%M:%S}t %m %U%q %s",
                "203.0.113.9 2012-01-15 05:00:01 GET /a?b=1 200",
            ),
            (r"%{msec}t|%h|%r|%!404s", "1326600001000|203.0.113.9|GET /a?b=1 HTTP/1.0|200"),
            (
                r#"%h [%{%d/%b/%Y:%T}t.%{usec_frac}t %{%z}t] "%r" %s"#,
                r#"203.0.113.9 [15/Jan/2012:04:00:01.000123 +0000] "GET /a?b=1 HTTP/1.0" 200"#,
            ),
            (
                "log_format main escape=default '$remote_addr [$time_local] '\n   '\"$request\" $status';",
                r#"203.0.113.9 [15/Jan/2012:04:00:01 +0000] "GET /a?b=1 HTTP/1.1" 200"#,
            ),
            (
                r#"LogFormat "%h %t \"%r\" %>s" short"#,
                r#"203.0.113.9 [15/Jan/2012:04:00:01 +0000] "GET /a?b=1 HTTP/1.1" 200"#,
            ),
            (
                r"$msec $remote_addr $request_method $uri?$args $status",
                "1326600001.000 203.0.113.9 GET /a?b=1 200",
            ),
        ] {
            let parsed = parse(format, line).unwrap_or_else(|| panic!("{format}"));
            assert_eq!(parsed.at.unwrap().iter().collect::<Vec<_>>(), [at], "{format}");
            assert_eq!(parsed.clients, ["203-0-113-9".parse().unwrap()], "{format}");
            assert_eq!(parsed.status, Some(200), "{format}");
            let request = parsed.request.unwrap_or(format!("{} {}", parsed.method, parsed.target));
            assert!(request.starts_with("GET /a?b=1"), "{format}: {request}");
        }
    }

    #[test]
    fn a_line_of_another_format_is_refused() {
        let combined = LogFormat::default();
        for line in [
            r#"www.shop.example:443 203.0.113.9 - - [15/Jan/2012:04:00:01 +0000] "GET / HTTP/1.1" 200 5"#,
            r#"203.0.113.9 - a [15/Jan/2012:04:00:01 +0000 [15/Jan/2012:04:00:01 +0000] "GET / HTTP/1.1" 200 5"#,
            r#"203.0.113.9 - - [15/Jan/2012:04:00:01] "GET / HTTP/1.1" 200 5"#,
            r#"www.shop.example 203.0.113.9 - [15/Jan/2012:04:00:01 +0000] "GET / HTTP/1.1" 200 5"#,
            r#"203.0.113.9 - - [15/Jan/2012:04:00:01 +0000] "GET / HTTP/1.1 200 5"#,
            r#"- - - [15/Jan/2012:04:00:01 +0000] "GET / HTTP/1.1" 200 5"#,
        ] {
            assert!(combined.parse(line, None).is_none(), "{line}");
        }
        let common = r#"203.0.113.9 - - [15/Jan/2012:04:00:01 +0000] "GET / HTTP/1.1" 200 -"#;
        assert_eq!(combined.parse(common, None).unwrap().body, Some(0));
    }

    #[test]
    fn each_forwarded_address_may_be_the_client() {
        let format = r#"%h %t "%r" %>s "%{X-Forwarded-For}i""#;
        let line = r#"10.0.0.1 [15/Jan/2012:04:00:01 +0000] "GET / HTTP/1.1" 200 "203.0.113.9, 2001:db8::1, 10.0.0.1""#;
        let names: Vec<_> = parse(format, line).unwrap().clients;
        let names: Vec<_> = names.iter().map(cofferdam_core::CallerName::as_str).collect();
        assert_eq!(names, ["10-0-0-1", "2001-db8--1", "203-0-113-9"]);
    }

    #[test]
    fn a_clock_time_that_exists_twice_is_both() {
        let twice =
            parse("%h %{%F %T}t \"%r\"", "h 2012-10-28 02:30:00 \"GET / HTTP/1.1\"").unwrap();
        assert_eq!(twice.at.unwrap().iter().count(), 2);
    }
}
