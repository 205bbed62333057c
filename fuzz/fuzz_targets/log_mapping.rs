//! Mappings of access logs, with formats and patterns as somebody wrote them: no text causes a panic,
//! and a mapping that is accepted reads any line.
#![no_main]

use cofferdam_foreign::{LogMapping, read_log};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &str| {
    let mut parts = data.splitn(3, '\n');
    let mut part = || parts.next().unwrap_or_default().replace(['\'', '\r'], "");
    let (format, pattern, line) = (part(), part(), part());
    let text = format!(
        "format = \"web\"\nserver = \"web\"\ntime_zone = \"UTC\"\nlog_format = '{format}'\n\
         [[path]]\npattern = '{pattern}'\nfields = [\"name\"]"
    );
    for text in [data, &text] {
        if let Ok(mapping) = LogMapping::parse(text) {
            let _ = read_log(&mapping, line.as_bytes(), &mut |_| Ok::<_, ()>(()));
        }
    }
});
