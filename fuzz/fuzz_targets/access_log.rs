//! Access logs of other systems: no input causes a panic.
#![no_main]

use cofferdam_foreign::{Catalogue, LogMapping, read_definitions, read_log};
use libfuzzer_sys::fuzz_target;

const TABLES: &str = r#"
[[table]]
name = "public.customer"
key = "id"
email = "email"
fields = { email = "email", phone = "phone" }
"#;

const EVENTS: &str = r#"
format = "json-lines"
time = "/t"
from = "/f"
as = "/u"
target = "/p"
[[event]]
when = { "/a" = "b" }
customer = "/k"
pattern = "a/{customer}.json"
fields = ["name"]
[[path]]
pattern = "/c/{customer}?q=1"
fields = ["name"]
"#;

const CLOUDTRAIL: &str = r#"
format = "cloudtrail"
roles = ["arn:aws:sts::1:assumed-role/web/*"]
[[event]]
when = { "/eventName" = "GetObject" }
customer = "/requestParameters/key"
fields = ["name"]
"#;

const MARIADB: &str =
    "format = \"mariadb-audit\"\ntime_zone = \"Europe/Berlin\"\nfields = [\"name\"]";

const PATHS: &str = r#"
server = "web"
harmless = ["/static/**"]
[[path]]
pattern = "/c/{customer}?q=1"
fields = ["name"]
"#;

/// The mapping of one of the formats.
fn mapping(kind: u8) -> String {
    match kind % 9 {
        0 => format!("format = \"pgaudit-csv\"\n{TABLES}"),
        1 => format!("format = \"pgaudit-json\"\n{TABLES}"),
        2 => EVENTS.to_owned(),
        3 => CLOUDTRAIL.to_owned(),
        4 => MARIADB.to_owned(),
        5 => format!("format = \"w3c\"\n{PATHS}"),
        7 => format!("format = \"pgaudit-stderr\"\nlog_line_prefix = \"%m [%p] %q%u@%d %a %h \"\n{TABLES}"),
        6 => format!("preset = \"vhost-combined\"\n{PATHS}"),
        _ => format!("format = \"web\"\n{PATHS}"),
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((kind, bytes)) = data.split_first() else { return };
    let mut mapping = LogMapping::parse(&mapping(*kind)).expect("the mapping above");
    let _ = read_definitions(&mut mapping, bytes);
    let _ = read_log(&mapping, bytes, &mut |_| Ok::<_, ()>(()));
    if let Some(catalogue) = std::str::from_utf8(bytes).ok().and_then(|of| Catalogue::parse(of).ok()) {
        let _ = mapping.set_catalogue(catalogue);
    }
});
