//! The table or the rule of a mapping that is at fault. The parser reads the format first, and knows no
//! line of what is behind it.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::{Spanned, Value};

use super::{EventRule, MappingError, PathRule, Table};

/// The tables and rules of a mapping, as they stand in it.
#[derive(Deserialize)]
struct Parts {
    #[serde(default)]
    table: Vec<Spanned<Value>>,
    #[serde(default)]
    path: Vec<Spanned<Value>>,
    #[serde(default)]
    event: Vec<Spanned<Value>>,
}

/// The error of the first table or rule that is at fault, or else the error of the whole.
pub fn located(text: &str, whole: toml::de::Error) -> MappingError {
    let parts = toml::from_str::<Parts>(text).ok();
    let found = parts.and_then(|Parts { table, path, event }| {
        let table = || first_fault::<Table>(text, table, "table", "name");
        let path = || first_fault::<PathRule>(text, path, "path rule", "pattern");
        let event = || first_fault::<EventRule>(text, event, "event rule", "");
        table().or_else(path).or_else(event)
    });
    found.unwrap_or_else(|| MappingError::Toml(Box::new(whole)))
}

/// The first part that is no `T`, under the name that it gives itself, or under its number.
fn first_fault<T: DeserializeOwned>(
    text: &str,
    parts: Vec<Spanned<Value>>,
    what: &str,
    called: &str,
) -> Option<MappingError> {
    (1..).zip(parts).find_map(|(number, part)| {
        let line = text.get(..part.span().start)?.matches('\n').count() + 1;
        let value = part.into_inner();
        let own = value.get(called).and_then(Value::as_str).map(str::to_owned);
        let fault = value.try_into::<T>().err()?;
        let name = own.map_or_else(|| format!("{what} {number}"), |own| format!("{what} {own}"));
        Some(MappingError::Part { name, line, source: Box::new(fault) })
    })
}

#[cfg(test)]
mod tests {
    use crate::LogMapping;

    #[test]
    fn a_fault_names_its_table_or_rule_and_the_line() {
        let sql = |tables: &str| format!("format = \"pgaudit-csv\"\n{tables}");
        let good = "[[table]]\nname = \"public.a\"\nkey = \"id\"\nfields = { n = \"name\" }\n";
        let web = "format = \"web\"\nserver = \"w\"\n[[path]]\nfields = [\"name\"]\n";
        let events = "format = \"json-lines\"\ntime = \"/t\"\nfrom = \"/f\"\nas = \"/u\"\n";
        for (mapping, fault) in [
            (
                sql(&format!("{good}\n[[table]]\nname = \"public.b\"\nkey = \"id\"\n")),
                "table public.b (line 7): missing field `fields`",
            ),
            (sql("[[table]]\nkey = \"id\"\n"), "table 1 (line 2): missing field `name`"),
            (
                sql(&good.replace("\"name\"", "\"nmae\"")),
                "table public.a (line 2): unknown variant `nmae`",
            ),
            (sql(&format!("{good}hamrless = []\n")), "table public.a (line 2): unknown field"),
            (web.to_owned(), "path rule 1 (line 3): missing field `pattern`"),
            (
                format!("{events}[[event]]\nharmless = true\nwhen = {{ \"a\" = \"b\" }}\n"),
                "event rule 1 (line 5): a: a place begins with /",
            ),
            (
                "preset = \"aws-alb\"\nserver = \"w\"\n\n[[path]]\npattern = \"c\"\n".to_owned(),
                "path rule c (line 4): ",
            ),
            (sql("colour = 1"), "unknown field `colour`"),
        ] {
            let error = LogMapping::parse(&mapping).unwrap_err().to_string();
            assert!(error.starts_with(fault), "{mapping}: {error}");
        }
    }
}
