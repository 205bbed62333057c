//! Every line of every format is exactly one of counted, rejected and harmless: none is dropped, and
//! none that is rejected or counted looks harmless.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed step is a failed test")]

use cofferdam_foreign::{Item, LogMapping, read_log};
use proptest::prelude::*;

const PATHS: &str =
    "harmless = [\"/\"]\n[[path]]\npattern = \"/c/{customer}\"\nfields = [\"name\"]\n";
const TABLE: &str =
    "[[table]]\nname = \"public.customer\"\nkey = \"id\"\nfields = { phone = \"phone\" }\n";
const EVENTS: &str =
    "[[event]]\nwhen = { \"/eventName\" = \"Get\" }\ncustomer = \"/key\"\nfields = [\"name\"]\n";

/// A format: its mapping, what stands before its lines, and a line of each kind.
struct Format {
    mapping: String,
    before: &'static str,
    lines: &'static [&'static str],
}

#[expect(clippy::too_many_lines, reason = "a table: one entry for each format")]
fn formats() -> Vec<Format> {
    let format = |mapping: String, before, lines| Format { mapping, before, lines };
    let web = |preset: &str| format!("{preset}\nserver = \"w\"\n{PATHS}");
    vec![
        format(
            format!("format = \"pgaudit-csv\"\n{TABLE}"),
            "",
            &[
                r#"2026-11-24 00:35:01.123 UTC,"app","shop",99,"10.0.0.5:4711",6746.63,1,"SELECT",2026-11-24 00:00:00 UTC,3/2,0,LOG,00000,"AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.customer,""SELECT phone FROM customer WHERE id = 7"",<none>",,,,,,,,,"web","client backend",,0"#,
                r#"2026-11-24 00:35:01.123 UTC,"app","shop",99,"10.0.0.5:4711",6746.63,1,"SELECT",2026-11-24 00:00:00 UTC,3/2,0,LOG,00000,"checkpoint starting",,,,,,,,,"web","client backend",,0"#,
            ],
        ),
        format(
            format!("format = \"pgaudit-json\"\n{TABLE}"),
            "",
            &[
                r#"{"timestamp":"2026-11-24 00:35:01.123 UTC","user":"app","remote_host":"10.0.0.5","session_id":"a.b","message":"AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.customer,SELECT phone FROM customer WHERE id IN (1 ,2),<none>"}"#,
                r#"{"timestamp":"2026-11-24 00:35:02 UTC","message":"checkpoint"}"#,
            ],
        ),
        format(
            "preset = \"mysql-audit\"\nserver = \"db-1\"".to_owned(),
            "",
            &[
                r#"{ "timestamp": "2019-10-03 13:50:01", "id": 0, "class": "audit", "event": "startup" },"#,
                r#"{ "timestamp": "2019-10-03 13:50:03", "class": "general", "account": { "user": "app", "host": "10.0.0.5" }, "general_data": { "command": "Query", "query": "SELECT 1" } }"#,
            ],
        ),
        format(
            "format = \"mariadb-audit\"\ntime_zone = \"Europe/Berlin\"\nfields = [\"name\"]"
                .to_owned(),
            "",
            &[
                "20120115 04:00:01,db-1,app,10.0.0.5,7,0,CONNECT,shop,,0",
                "20121028 02:30:00,db-1,app,10.0.0.5,7,12,QUERY,shop,'SELECT a,b FROM c',0",
            ],
        ),
        format(
            web("preset = \"iis\""),
            "#Fields: date time cs-method cs-uri-stem cs-uri-query c-ip sc-status\n",
            &[
                "2012-01-15 04:00:01 GET /c/7 - 203.0.113.9 200",
                "2012-01-15 04:00:01 GET / - 203.0.113.9 200",
            ],
        ),
        format(
            format!("format = \"cloudtrail\"\n{EVENTS}"),
            "",
            &[
                r#"{"eventTime":"2026-11-24T00:00:00Z","eventName":"Get","key":"7","sourceIPAddress":"203.0.113.9","userIdentity":{"arn":"arn:aws:iam::1:user/i"}}"#,
                r#"{"eventTime":"2026-11-24T00:00:00Z","eventName":"Get","errorCode":"AccessDenied"}"#,
            ],
        ),
        format(
            web("preset = \"cloudflare\""),
            "",
            &[
                r#"{"ClientIP":"203.0.113.9","ClientRequestMethod":"GET","ClientRequestURI":"/c/7","EdgeResponseStatus":200,"EdgeStartTimestamp":1326600001000000000}"#,
            ],
        ),
        format(
            web("format = \"web\""),
            "",
            &[
                r#"203.0.113.9 - - [15/Jan/2012:04:00:01 +0000] "GET /c/7 HTTP/1.1" 200 5 "-" "curl""#,
                r#"203.0.113.9 - - [15/Jan/2012:04:00:01 +0000] "GET / HTTP/1.1" 200 5"#,
            ],
        ),
        format(
            web("preset = \"vhost-combined\""),
            "",
            &[
                r#"w:443 203.0.113.9 - - [15/Jan/2012:04:00:01 +0000] "GET /c/7 HTTP/1.1" 200 5 "-" "curl""#,
            ],
        ),
        format(
            web("preset = \"aws-alb\""),
            "",
            &[
                r#"h2 2018-07-02T22:23:00.186641Z app/lb/50dc6c49 203.0.113.9:2817 10.0.0.1:80 0.1 0.0 0.3 200 200 34 366 "GET https://shop.example:443/c/7 HTTP/2.0" "curl/7.46.0" ECDHE x"#,
            ],
        ),
        format(
            web("preset = \"aws-s3\""),
            "",
            &[
                r#"79a5 bucket [06/Feb/2019:00:00:38 +0000] 203.0.113.9 79a5 3E57 REST.GET.OBJECT c/7 "GET /c/7 HTTP/1.1" 200 - 113 113 7 - "-" "S3Console/0.4" -"#,
            ],
        ),
    ]
}

/// A fault in a line: cut off, torn out of, or written over at a place.
#[derive(Debug, Clone)]
enum Fault {
    None,
    CutAt(usize),
    Without(usize, usize),
    Over(usize, char),
    Doubled,
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        Just(Fault::None),
        any::<usize>().prop_map(Fault::CutAt),
        (any::<usize>(), 1..30_usize).prop_map(|(from, many)| Fault::Without(from, many)),
        (any::<usize>(), "[ -~äß\u{a0}]")
            .prop_map(|(at, c)| Fault::Over(at, c.chars().next().unwrap())),
        Just(Fault::Doubled),
    ]
}

fn broken(line: &str, fault: &Fault) -> String {
    let chars: Vec<char> = line.chars().collect();
    let text = |part: &[char]| part.iter().collect::<String>();
    match *fault {
        Fault::None => line.to_owned(),
        Fault::CutAt(at) => text(&chars[..at % chars.len()]),
        Fault::Without(from, many) => {
            let from = from % chars.len();
            text(&chars[..from]) + &text(&chars[(from + many).min(chars.len())..])
        }
        Fault::Over(at, c) => {
            let at = at % chars.len();
            format!("{}{c}{}", text(&chars[..at]), text(&chars[at + 1..]))
        }
        Fault::Doubled => format!("{line}{line}"),
    }
}

/// The outcomes of a log of one line, each once: `counted`, `rejected` and `harmless`.
fn outcomes(mapping: &LogMapping, log: &str) -> Vec<&'static str> {
    let (mut counted, mut rejected, mut harmless) = (false, false, false);
    read_log(mapping, log.as_bytes(), &mut |item| {
        match item {
            Item::Access(_) => counted = true,
            Item::Bad { .. } => rejected = true,
            Item::Harmless { .. } => harmless = true,
            Item::Seen(_)
            | Item::ShowsReads { .. }
            | Item::Unnamed { .. }
            | Item::Continues
            | Item::Gap { .. } => {}
        }
        Ok::<_, ()>(())
    })
    .unwrap();
    let all = [(counted, "counted"), (rejected, "rejected"), (harmless, "harmless")];
    all.into_iter().filter(|(found, _)| *found).map(|(_, name)| name).collect()
}

#[test]
fn each_kind_of_line_has_the_outcome_that_it_should() {
    for format in formats() {
        let mapping = LogMapping::parse(&format.mapping).unwrap();
        let mut all: Vec<_> = format
            .lines
            .iter()
            .flat_map(|line| outcomes(&mapping, &format!("{}{line}\n", format.before)))
            .collect();
        all.sort_unstable();
        assert!(
            all.contains(&"counted") && !all.contains(&"rejected"),
            "{all:?} {}",
            format.mapping
        );
        assert_eq!(all.len(), format.lines.len(), "{}", format.mapping);
    }
}

/// Whether a text is a line with content: not blank, no comment, and not only the brackets of a list.
fn is_a_line(text: &str) -> bool {
    !text.starts_with('#') && text.contains(|c: char| c.is_alphanumeric())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_line_of_any_format_has_one_outcome(fault in fault(), noise in "[ -~]{1,60}") {
        for format in formats() {
            let mapping = LogMapping::parse(&format.mapping).unwrap();
            let lines = format.lines.iter().map(|line| broken(line, &fault)).chain([noise.clone()]);
            for line in lines.filter(|line| is_a_line(line)) {
                let found = outcomes(&mapping, &format!("{}{line}\n", format.before));
                // A line may hold several documents.
                let several = ["cloudtrail", "json-lines"].contains(&mapping.format());
                prop_assert!(found.len() == 1 || several && !found.is_empty(), "{line}: {found:?}");
            }
        }
    }
}
