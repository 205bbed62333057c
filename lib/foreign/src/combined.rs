//! Access logs of nginx and Apache in the combined or common log format.

use std::io::BufRead;

use cofferdam_core::{Access, CallerName, FieldSet, Timestamp};

use crate::mapping::Combined;
use crate::{Item, ReadError, Take, lines, pattern, time};

/// Reads a log in the combined or common format.
pub fn read<E>(
    mapping: &Combined,
    log: impl BufRead,
    take: Take<'_, E>,
) -> Result<(), ReadError<E>> {
    let via = CallerName::from_foreign(&mapping.server);
    lines(log, &mut |line, text| {
        let bad = |why: &str| Item::Bad { line, why: why.to_owned() };
        let text = match text {
            Ok("") => return Ok(()),
            Ok(text) => text,
            Err(why) => return take(bad(&why)),
        };
        let Some(request) = Request::parse(text) else {
            return take(bad("the line is not in the combined format"));
        };
        take(Item::Seen(request.at))?;
        match access(mapping, &via, line, &request) {
            Some(access) => take(Item::Access(access)),
            None => Ok(()),
        }
    })
}

/// The access that a request made; `None` if it touched no customer's data.
fn access(
    mapping: &Combined,
    via: &CallerName,
    line: u64,
    request: &Request<'_>,
) -> Option<Access> {
    // A refused request returned no data.
    if (400..500).contains(&request.status) {
        return None;
    }
    let fits = |rule: &crate::mapping::PathRule| {
        let same = |method: &String| method.eq_ignore_ascii_case(request.method);
        let method_fits = rule.methods.is_empty() || rule.methods.iter().any(same);
        let whose = pattern::fit(&rule.pattern, request.target).filter(|_| method_fits)?;
        let fields: FieldSet = rule.fields.iter().copied().collect();
        Some((rule.level.operation(), fields, whose))
    };
    let (operation, fields, whose) = mapping.rules.iter().find_map(fits)?;
    let caller = CallerName::from_foreign(request.client);
    Some(Access { line, at: request.at, caller, via: via.clone(), operation, fields, whose })
}

struct Request<'a> {
    client: &'a str,
    at: Timestamp,
    method: &'a str,
    target: &'a str,
    status: u16,
}

impl<'a> Request<'a> {
    /// Parses `CLIENT IDENT USER [TIME] "METHOD TARGET PROTOCOL" STATUS …`.
    fn parse(line: &'a str) -> Option<Self> {
        let (front, rest) = line.split_once(" [")?;
        let (at, rest) = rest.split_once("] \"")?;
        let (request, rest) = split_quoted(rest)?;
        let mut words = request.split(' ');
        // Scanners send malformed requests, which may have no target.
        let (method, target) = (words.next()?, words.next().unwrap_or_default());
        Some(Self {
            client: front.split(' ').next()?,
            at: time::parse_combined(at)?,
            method,
            target,
            status: rest.trim_start().split(' ').next()?.parse().ok()?,
        })
    }
}

/// Splits a text at its closing quote. Escaped quotes don't close it.
fn split_quoted(text: &str) -> Option<(&str, &str)> {
    let mut escaped = false;
    let end = text.find(|c| {
        let closes = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        closes
    })?;
    Some((&text[..end], &text[end + 1..]))
}

#[cfg(test)]
mod tests {
    use cofferdam_core::{Operation, Personal, Whose};

    use crate::{Item, LogMapping, read_log};

    const MAPPING: &str = r#"
        format = "combined"
        server = "web-ky-1"
        [[path]]
        pattern = "/customers/{customer}/profile"
        methods = ["GET"]
        fields = ["name", "email"]
        [[path]]
        pattern = "/customers/{customer}/profile"
        fields = ["phone"]
        level = "presented"
        [[path]]
        pattern = "/admin/export/**"
        fields = ["name"]
    "#;

    #[test]
    fn requests_name_their_customers() {
        let line = |request: &str, status: u16| {
            format!(
                "10.0.0.5 - ann [24/Nov/2026:00:35:01 +0000] \"{request}\" {status} 5 \"-\" \"a \\\" b\"\n"
            )
        };
        let log = line("GET /customers/47/profile HTTP/1.1", 200)
            + &line("POST /customers/47/profile HTTP/1.1", 302)
            + &line("GET /customers/48/profile HTTP/1.1", 404)
            + &line("GET /basket HTTP/1.1", 200)
            + &line("GET /admin/export/all?x=1 HTTP/1.1", 200)
            + "torn\n";
        let mapping: LogMapping = toml::from_str(MAPPING).unwrap();
        let (mut accesses, mut bad) = (Vec::new(), Vec::new());
        let read = read_log(&mapping, log.as_bytes(), &mut |item| {
            match item {
                Item::Access(access) => accesses.push(access),
                Item::Bad { line, .. } => bad.push(line),
                Item::Seen(_) => {}
            }
            Ok::<_, ()>(())
        });
        assert!(read.is_ok());
        let key = || Whose::Keys(vec![Personal::new("47")]);
        let whose: Vec<_> =
            accesses.iter().map(|access| (access.operation, &access.whose)).collect();
        assert_eq!(whose[..2], [(Operation::Release, &key()), (Operation::Seal, &key())]);
        assert!(matches!(whose[2..], [(Operation::Release, Whose::Everybody { .. })]));
        assert_eq!(
            (accesses[0].caller.as_str(), accesses[0].via.as_str()),
            ("10-0-0-5", "web-ky-1")
        );
        assert_eq!(bad, [6]);
    }
}
