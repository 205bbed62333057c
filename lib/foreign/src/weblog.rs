//! Access logs of nginx, Apache and services that log like them.

use std::io::BufRead;

use cofferdam_core::CallerName;

use crate::mapping::Web;
use crate::web::{Line, PathRules, Request};
use crate::{DAMAGED, Item, ReadError, Take, is_damaged, lines};

/// Reads a log whose lines have the mapping's format.
pub fn read<E>(mapping: &Web, log: impl BufRead, take: Take<'_, E>) -> Result<(), ReadError<E>> {
    let via = CallerName::from_foreign(&mapping.server);
    let zone = mapping.time_zone.as_ref().map(|zone| &zone.0);
    let rules = PathRules { rules: &mapping.paths, harmless: &mapping.harmless };
    lines(log, &mut |number, text| {
        let bad = |why: &str| Item::Bad { line: number, why: why.to_owned() };
        let text = match text {
            Ok("") => return Ok(()),
            Ok(text) if is_damaged(text) => return take(bad(DAMAGED)),
            Ok(text) => text,
            Err(why) => return take(bad(&why)),
        };
        let Some(parsed) = mapping.log_format.parse(text, zone) else {
            return take(bad("the line does not have the format; see log_format"));
        };
        let Some(at) = parsed.at else { return take(bad("the line has no time")) };
        let request = match &parsed.request {
            Some(line) => Request::parse(line, parsed.status, parsed.body),
            None => Request {
                method: &parsed.method,
                target: &parsed.target,
                status: parsed.status,
                body: parsed.body,
            },
        };
        let line = Line { number, at, clients: parsed.clients, via: via.clone() };
        rules.take(&line, &request, take)
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::{outcomes, read};

    #[test]
    fn lines_that_were_joined_or_lost_are_never_one_access() {
        let mapping = "format = \"web\"\nserver = \"w\"\n[[path]]\npattern = \"/c/{customer}\"\n\
            fields = [\"name\"]\n";
        let line = |n| {
            format!("203.0.113.9 - - [15/Jan/2012:04:00:01 +0000] \"GET /c/{n} HTTP/1.1\" 200 5")
        };
        let (seven, eight) = (line(7), line(8));
        for (log, outcome) in [
            (format!("{seven}\r\n{eight}\r\n"), vec!["7", "8"]),
            (format!("{seven}\r{eight}\r"), vec!["bad 1"]),
            (format!("\0\0\0{seven}\n{eight}\n"), vec!["bad 1", "8"]),
            (format!("{seven}\n\0\0\0"), vec!["7", "bad 2"]),
            (format!("\u{feff}{seven}\n\u{feff}{eight}"), vec!["7", "8"]),
        ] {
            assert_eq!(outcomes(&read(mapping, &log)), outcome, "{log:?}");
        }
    }
}
