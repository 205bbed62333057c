//! Access logs and customer tables of other systems: no input causes a panic.
#![no_main]

use cofferdam_foreign::table::{TableMapping, read_csv};
use cofferdam_foreign::{LogMapping, read_log};
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
[[event]]
customer = "/k"
pattern = "a/{customer}.json"
fields = ["name"]
"#;

const COMBINED: &str = r#"
format = "combined"
server = "web"
[[path]]
pattern = "/c/{customer}?q={email}"
fields = ["name"]
"#;

fuzz_target!(|data: &[u8]| {
    let Some((kind, bytes)) = data.split_first() else { return };
    let text = match kind % 4 {
        0 => format!("format = \"pgaudit-csv\"\n{TABLES}"),
        1 => format!("format = \"pgaudit-json\"\n{TABLES}"),
        2 => EVENTS.to_owned(),
        _ => COMBINED.to_owned(),
    };
    let mapping: LogMapping = toml::from_str(&text).expect("the mapping above");
    let _ = read_log(&mapping, bytes, &mut |_| Ok::<_, ()>(()));
    let table: TableMapping =
        toml::from_str("key = \"id\"\nemail = \"e\"\ndefault_language = \"en\"")
            .expect("a mapping");
    let _ = read_csv(&table, bytes, &mut |_, _| Ok::<_, ()>(()));
});
