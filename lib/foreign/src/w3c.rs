//! The extended log format of the W3C, which IIS and AWS `CloudFront` write.
//!
//! Source: W3C, "Extended Log File Format", WD-logfile-960323.

use std::collections::{HashMap, HashSet};
use std::io::BufRead;

use cofferdam_core::CallerName;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::mapping::W3c;
use crate::web::{Line, PathRules, Request, clients};
use crate::{DAMAGED, Item, ReadError, Take, is_damaged, lines, time};

/// Columns with an address that may be the client's.
const CLIENTS: [&str; 4] =
    ["c-ip", "x-forwarded-for", "cs(x-forwarded-for)", "cs(cf-connecting-ip)"];

/// Reads a log whose `#Fields` line names its columns.
pub fn read<E>(mapping: &W3c, log: impl BufRead, take: Take<'_, E>) -> Result<(), ReadError<E>> {
    let via = CallerName::from_foreign(&mapping.server);
    let zone = mapping.time_zone.as_ref().map_or(TimeZone::UTC, |zone| zone.0.clone());
    let rules = PathRules { rules: &mapping.paths, harmless: &mapping.harmless };
    let mut columns: Vec<String> = Vec::new();
    lines(log, &mut |number, text| {
        let bad = |why: &str| Item::Bad { line: number, why: why.to_owned() };
        let text = match text {
            Ok(text) if is_damaged(text) => return take(bad(DAMAGED)),
            Ok(text) => text,
            Err(why) => return take(bad(&why)),
        };
        if let Some(fields) = text.strip_prefix("#Fields:") {
            columns = fields.split_whitespace().map(str::to_lowercase).collect();
            // Of two columns with one name, nobody knows which is meant.
            let names: HashSet<&String> = columns.iter().collect();
            if names.len() < columns.len() {
                columns.clear();
            }
            return Ok(());
        }
        if text.is_empty() || text.starts_with('#') {
            return Ok(());
        }
        // CloudFront parts columns by tabs, IIS by spaces.
        let cells: Vec<&str> = text.split(if text.contains('\t') { '\t' } else { ' ' }).collect();
        if cells.len() != columns.len() {
            return take(bad(
                "the line does not have the columns of the last #Fields line, each once",
            ));
        }
        let row: HashMap<&str, &str> = columns.iter().map(String::as_str).zip(cells).collect();
        let Some(parsed) = Row::parse(&row, &zone) else {
            return take(bad("the line has no date, time, address, method or cs-uri-stem"));
        };
        let Row { line, method, target, status, body } = parsed;
        let request = Request { method, target: &target, status, body };
        rules.take(&Line { number, via: via.clone(), ..line }, &request, take)
    })
}

struct Row<'a> {
    line: Line,
    method: &'a str,
    target: String,
    status: Option<u16>,
    body: Option<u64>,
}

impl<'a> Row<'a> {
    fn parse(row: &HashMap<&str, &'a str>, zone: &TimeZone) -> Option<Self> {
        let cell = |name: &str| row.get(name).copied().filter(|text| *text != "-");
        let at = format!("{}T{}", cell("date")?, cell("time")?).parse::<DateTime>().ok()?;
        let clients: Vec<_> = CLIENTS
            .into_iter()
            .filter_map(cell)
            // IIS writes + for a space.
            .flat_map(|list| clients(&list.replace('+', "").replace("%20", "")))
            .collect();
        let query = cell("cs-uri-query").map(|query| format!("?{query}")).unwrap_or_default();
        if clients.is_empty() {
            return None;
        }
        Some(Self {
            line: Line {
                number: 0,
                at: time::local(at, zone)?,
                clients,
                via: CallerName::from_foreign(""),
            },
            method: cell("cs-method")?,
            target: format!("{}{query}", cell("cs-uri-stem")?),
            status: cell("sc-status").and_then(|status| status.parse().ok()),
            body: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{outcomes, read};

    const RULE: &str = "[[path]]\npattern = \"/account?id={customer}\"\nfields = [\"name\"]\n";

    #[test]
    fn logs_of_iis_and_cloudfront_are_read() {
        let iis = "#Software: Microsoft Internet Information Services 10.0\n\
            #Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status\n\
            2012-01-15 04:00:01 10.0.0.1 GET /account id=7 443 - 203.0.113.9 a+b 200\n\
            2012-01-15 04:00:02 10.0.0.1 GET /Account id=7 443 - 203.0.113.9 a+b 200\n\
            2012-01-15 04:00:03 10.0.0.1 GET /account - 443 - 203.0.113.9 a+b 404\n\
            2012-01-15 04:00:04 10.0.0.1 GET /account id=7\n";
        let items = read(&format!("preset = \"iis\"\nserver = \"iis-1\"\n{RULE}"), iis);
        assert_eq!(outcomes(&items), ["7", "everybody", "harmless", "bad 6"]);
        let twice = iis.replace("s-port", "c-ip");
        let items = read(&format!("preset = \"iis\"\nserver = \"iis-1\"\n{RULE}"), &twice);
        assert!(outcomes(&items).iter().all(|outcome| outcome.starts_with("bad")));
        let cloudfront = "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query x-forwarded-for\n\
            2012-01-15\t04:00:01\tFRA2\t900\t203.0.113.9\tGET\td.cloudfront.net\t/account\t200\t-\ta%20b\tid=7\t-\n\
            2012-01-15\t04:00:01\tFRA2\t900\t203.0.113.9\tGET\td.cloudfront.net\t/other\t200\t-\ta%20b\t-\t198.51.100.1\n";
        let items =
            read(&format!("preset = \"aws-cloudfront\"\nserver = \"cf\"\n{RULE}"), cloudfront);
        assert_eq!(outcomes(&items), ["7", "everybody", "everybody"]);
    }
}
