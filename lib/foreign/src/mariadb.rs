//! `MariaDB`'s `server_audit`, written to a file. Its statements are not interpreted.
//!
//! Source: `MariaDB`, "`MariaDB` Audit Plugin - Log Format".

use std::io::BufRead;

use cofferdam_core::{CallerName, Operation};
use jiff::civil::DateTime;
use jiff::fmt::strtime::BrokenDownTime;

use crate::mapping::MariadbAudit;
use crate::pattern::everybody;
use crate::web::{Effect, Line, hand_on};
use crate::{Item, ReadError, Take, lines, time};

/// Operations that read and write nothing.
const HARMLESS: [&str; 4] = ["CONNECT", "DISCONNECT", "FAILED_CONNECT", "PROXY_CONNECT"];

/// Reads a log with lines such as `20120115 04:00:01,db-1,app,10.0.0.5,7,12,QUERY,shop,'SELECT 1',0`.
pub fn read<E>(
    mapping: &MariadbAudit,
    log: impl BufRead,
    take: Take<'_, E>,
) -> Result<(), ReadError<E>> {
    lines(log, &mut |number, text| {
        let bad = |why: &str| Item::Bad { line: number, why: why.to_owned() };
        let text = match text {
            Ok("") => return Ok(()),
            Ok(text) => text,
            Err(why) => return take(bad(&why)),
        };
        // A statement may hold commas; what stands before it does not.
        let cells: Vec<&str> = text.splitn(9, ',').collect();
        let &[at, _, user, host, _, _, operation, _, _] = &cells[..] else {
            return take(bad("the line is not one of server_audit"));
        };
        let civil = BrokenDownTime::parse("%Y%m%d %H:%M:%S", at).ok();
        let civil: Option<DateTime> = civil.and_then(|parts| parts.to_datetime().ok());
        let Some(at) = civil.and_then(|civil| time::local(civil, &mapping.time_zone.0)) else {
            return take(bad("the line has no time"));
        };
        let known = operation.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
        if !known || operation.is_empty() {
            return take(bad("the line is not one of server_audit"));
        }
        let effect = if HARMLESS.contains(&operation) {
            Effect::Harmless
        } else {
            Effect::Touched {
                operation: Operation::Release,
                fields: mapping.fields.iter().copied().collect(),
                whose: everybody("statements of MariaDB are not interpreted"),
                named: true,
            }
        };
        let (clients, via) = (vec![CallerName::from_foreign(host)], CallerName::from_foreign(user));
        hand_on(&Line { number, at, clients, via }, effect, &String::new, take)
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::{outcomes, read};

    #[test]
    fn each_statement_counts_as_everybodys() {
        let mapping =
            "format = \"mariadb-audit\"\ntime_zone = \"Europe/Berlin\"\nfields = [\"name\"]";
        let log = "20120115 04:00:01,db-1,app,10.0.0.5,7,0,CONNECT,shop,,0\n\
            20120115 04:00:02,db-1,app,10.0.0.5,7,12,QUERY,shop,'SELECT a,b FROM c',0\n\
            20120115 04:00:02,db-1,app,10.0.0.5,7,12,READ,shop,customer,\n\
            20121028 02:30:00,db-1,app,10.0.0.5,7,12,QUERY,shop,'SELECT 1',0\n\
            20120115 04:00:03,db-1,app,10.0.0.5,7,12,QUERY\n\
            torn\n";
        let expected =
            ["harmless", "everybody", "everybody", "everybody", "everybody", "bad 5", "bad 6"];
        assert_eq!(
            outcomes(&read(mapping, log)),
            expected,
            "an hour that exists twice counts twice"
        );
    }
}
