//! `MariaDB`'s `server_audit`, written to a file. Its statements are not interpreted.
//!
//! Source: `MariaDB`, "`MariaDB` Audit Plugin - Log Format".

use std::io::BufRead;

use cofferdam_core::{CallerName, Operation, Timestamp};
use jiff::civil::DateTime;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;

use crate::mapping::MariadbAudit;
use crate::pattern::everybody;
use crate::sql::is_plain_read;
use crate::time::Instants;
use crate::web::{Effect, Line, hand_on};
use crate::{DAMAGED, Item, ReadError, Take, is_damaged, lines, time};

/// Operations that read and write nothing.
const HARMLESS: [&str; 4] = ["CONNECT", "DISCONNECT", "FAILED_CONNECT", "PROXY_CONNECT"];

/// The digits of microseconds since 1970, from 2001 to 2286.
const MICROSECONDS: usize = 16;

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
            Ok(text) if is_damaged(text) => return take(bad(DAMAGED)),
            Ok(text) => text,
            Err(why) => return take(bad(&why)),
        };
        // A statement may hold commas; what stands before it does not.
        let cells: Vec<&str> = text.splitn(9, ',').collect();
        let &[at, _, user, host, _, _, operation, _, rest] = &cells[..] else {
            return take(bad("the line is not one of server_audit"));
        };
        let Some(at) = instants(at, &mapping.time_zone.0) else {
            return take(bad("the line has no time"));
        };
        let known = operation.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
        if !known || operation.is_empty() {
            return take(bad("the line is not one of server_audit"));
        }
        if !is_whole(rest) {
            return take(bad("the line does not end with a number, or a name in it holds commas"));
        }
        if is_read(operation, rest) {
            take(Item::ShowsReads { via: None })?;
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

/// Whether a line shows that reads are logged: `server_audit_events` may leave out everything but
/// changes or connections.
fn is_read(operation: &str, rest: &str) -> bool {
    let statement = || {
        let quoted = rest.strip_prefix('\'')?;
        Some(&quoted[..closing_quote(quoted)?])
    };
    operation == "READ" || (operation == "QUERY" && statement().is_some_and(is_plain_read))
}

/// The instants of a time: the server's clock, or on Amazon Aurora the microseconds since 1970.
fn instants(text: &str, zone: &TimeZone) -> Option<Instants> {
    if text.len() == MICROSECONDS && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Timestamp::from_microsecond(text.parse().ok()?).ok()?.into());
    }
    let civil: DateTime =
        BrokenDownTime::parse("%Y%m%d %H:%M:%S", text).ok()?.to_datetime().ok()?;
    time::local(civil, zone)
}

/// Whether a line ends behind its object with a number alone. Otherwise somebody chose a name with
/// commas, so that the cells are others than they seem.
fn is_whole(rest: &str) -> bool {
    let end = match rest.strip_prefix('\'') {
        Some(quoted) => closing_quote(quoted).map(|end| end + 2),
        None => rest.find(','),
    };
    let Some(cells) = end.and_then(|end| rest[end..].strip_prefix(',')) else { return false };
    let mut cells = cells.split(',');
    let code = cells.next().unwrap_or_default();
    // Newer versions add the version of TLS.
    let is_tls = |cell: &str| cell.is_empty() || cell.starts_with("TLS");
    code.bytes().all(|byte| byte.is_ascii_digit()) && cells.all(is_tls)
}

/// The place of the quote that closes a statement. Quotes within it are escaped.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let closes = byte == b'\'' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}

#[cfg(test)]
mod tests {
    use crate::Item;
    use crate::testing::{outcomes, read, shows_reads};

    const MAPPING: &str =
        "format = \"mariadb-audit\"\ntime_zone = \"Europe/Berlin\"\nfields = [\"name\"]";

    #[test]
    fn a_name_with_commas_hides_no_statement() {
        let line = |user: &str| {
            let log = format!("20120115 04:00:02,db-1,{user},10.0.0.5,7,12,QUERY,s,'SELECT 1',0");
            outcomes(&read(MAPPING, &log)).concat()
        };
        for user in [
            "x,h,1,1,CONNECT,d,,0",
            "x,h,1,1,CONNECT",
            "x,h,1,1,CONNECT,d,",
            "x,10.0.0.9,1,1,QUERY",
            "x,10.0.0.9,1,1,QUERY,d,'a',0",
            "x,10.0.0.9,1,1,QUERY,d,'",
            "x,y",
        ] {
            assert_eq!(line(user), "bad 1", "{user}");
        }
        for statement in [r"'SELECT \'a\', 1'", r"'\\'", "''"] {
            let log = format!("20120115 04:00:02,db-1,a,10.0.0.5,7,12,QUERY,s,{statement},1064");
            assert_eq!(outcomes(&read(MAPPING, &log)), ["everybody"], "{statement}");
        }
        let tls = "20120115 04:00:02,db-1,a,10.0.0.5,7,12,CONNECT,s,,0,TLSv1.3";
        assert_eq!(outcomes(&read(MAPPING, tls)), ["harmless"]);
    }

    #[test]
    fn a_read_shows_that_reads_are_logged() {
        for (operation, object, shows) in [
            ("QUERY", "'SELECT 1'", true),
            ("QUERY", "'select a from b'", true),
            ("READ", "customer", true),
            ("QUERY", "'SELECT a INTO OUTFILE \\'x\\' FROM b'", false),
            ("QUERY", "'UPDATE a SET b = 1'", false),
            ("QUERY", "'/* SELECT */ UPDATE a SET b = 1'", false),
            ("QUERY", "'SELECT 1; UPDATE a SET b = 1'", false),
            ("WRITE", "customer", false),
            ("CONNECT", "", false),
        ] {
            let line = format!("20120115 04:00:02,db-1,a,10.0.0.5,7,12,{operation},s,{object},0");
            assert_eq!(shows_reads(MAPPING, &line), shows, "{line}");
        }
    }

    #[test]
    fn times_of_aurora_are_microseconds() {
        let log = "1326600001000000,db-1,app,10.0.0.5,7,12,QUERY,shop,'SELECT 1',0";
        let items = read(MAPPING, log);
        let Item::Access(access) = &items[0] else { panic!("an access") };
        assert_eq!(access.at, "2012-01-15T04:00:01Z".parse().unwrap());
    }

    #[test]
    fn each_statement_counts_as_everybodys() {
        let log = "20120115 04:00:01,db-1,app,10.0.0.5,7,0,CONNECT,shop,,0\n\
            20120115 04:00:02,db-1,app,10.0.0.5,7,12,QUERY,shop,'SELECT a,b FROM c',0\n\
            20120115 04:00:02,db-1,app,10.0.0.5,7,12,READ,shop,customer,\n\
            20121028 02:30:00,db-1,app,10.0.0.5,7,12,QUERY,shop,'SELECT 1',0\n\
            20120115 04:00:03,db-1,app,10.0.0.5,7,12,QUERY\n\
            torn\n";
        let expected =
            ["harmless", "everybody", "everybody", "everybody", "everybody", "bad 5", "bad 6"];
        assert_eq!(
            outcomes(&read(MAPPING, log)),
            expected,
            "an hour that exists twice counts twice"
        );
    }
}
