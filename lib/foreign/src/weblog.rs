//! Access logs of nginx, Apache and services that log like them.

use std::io::BufRead;

use cofferdam_core::CallerName;

use crate::mapping::Web;
use crate::web::{Line, PathRules, Request};
use crate::{Item, ReadError, Take, lines};

/// Reads a log whose lines have the mapping's format.
pub fn read<E>(mapping: &Web, log: impl BufRead, take: Take<'_, E>) -> Result<(), ReadError<E>> {
    let via = CallerName::from_foreign(&mapping.server);
    let zone = mapping.time_zone.as_ref().map(|zone| &zone.0);
    let rules = PathRules { rules: &mapping.paths, harmless: &mapping.harmless };
    lines(log, &mut |number, text| {
        let bad = |why: &str| Item::Bad { line: number, why: why.to_owned() };
        let text = match text {
            Ok("") => return Ok(()),
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
