//! Checks a mapping as a whole, before the first line of a log is read.

mod catalogue;

use super::{EventRule, Events, LogMapping, PathRule, Pgaudit, Table, Zone};

pub use catalogue::check_catalogue;

/// Checks that each rule can be meant as it stands. Returns what can't, in words.
pub fn check(mapping: &LogMapping) -> Result<(), String> {
    match mapping {
        LogMapping::PgauditStderr(of) if of.log_line_prefix.is_none() => {
            Err("log_line_prefix: give PostgreSQL's, as in its configuration".to_owned())
        }
        LogMapping::PgauditCsv(of)
        | LogMapping::PgauditJson(of)
        | LogMapping::PgauditStderr(of) => check_pgaudit(of),
        LogMapping::JsonLines(of) => check_json_lines(of),
        LogMapping::Cloudtrail(of) => {
            let role = of.roles.iter().find(|role| !role.ends_with("/*"));
            match role {
                Some(role) => Err(format!("roles: {role} does not end with /*")),
                None => check_events(&of.rules),
            }
        }
        LogMapping::Web(of) => {
            if of.log_format.needs_zone() && of.time_zone.is_none() {
                return Err("log_format has times without an offset: set time_zone".to_owned());
            }
            check_paths(&of.paths)
        }
        LogMapping::W3c(of) => check_paths(&of.paths),
        LogMapping::MariadbAudit(of) if of.fields.is_empty() => {
            Err("fields: name the fields that the database holds".to_owned())
        }
        LogMapping::MariadbAudit(_) => Ok(()),
    }
}

fn check_pgaudit(of: &Pgaudit) -> Result<(), String> {
    of.time_zone.clone().map(Zone::try_from).transpose()?;
    let unproved = |table: &&Table| !table.through.is_empty() && of.catalogue.is_none();
    if let Some(table) = of.tables.iter().find(unproved) {
        return Err(format!("table {}: through needs the catalogue of the database", table.name));
    }
    let empty = of.tables.iter().find(|table| table.fields.is_empty());
    empty.map_or(Ok(()), |table| Err(format!("table {}: it has no fields", table.name)))
}

/// Checks that the mapping says which database it is about, if the logs have several.
pub fn check_databases(of: &Pgaudit) -> Result<(), String> {
    if of.database().is_some() || of.seen_databases.len() < 2 {
        return Ok(());
    }
    let names: Vec<_> = of.seen_databases.iter().map(String::as_str).collect();
    let names = names.join(", ");
    Err(format!(
        "database: the logs have statements of several, name the one that is meant ({names})"
    ))
}

fn check_json_lines(of: &Events) -> Result<(), String> {
    if of.user.is_none() && of.server.is_none() {
        return Err("as: name its place, or the server that writes the log".to_owned());
    }
    if of.target.is_none() && !(of.paths.is_empty() && of.harmless.is_empty()) {
        return Err("target: rules for paths need the place of the target".to_owned());
    }
    check_events(&of.rules)?;
    check_paths(&of.paths)
}

fn check_events(rules: &[EventRule]) -> Result<(), String> {
    for (number, rule) in (1..).zip(rules) {
        let fault = if rule.harmless {
            let more = rule.customer.is_some() || rule.email.is_some() || !rule.fields.is_empty();
            more.then_some("a harmless event touches no customer and no fields")
        } else if rule.fields.is_empty() {
            Some("it has no fields; say `harmless = true` if the event touches none")
        } else if rule.customer.is_some() && rule.email.is_some() {
            Some("it has both a customer and an email")
        } else if rule.pattern.is_some() && rule.customer.is_none() {
            Some("a pattern is the form of the value at `customer`")
        } else {
            None
        };
        if let Some(fault) = fault {
            return Err(format!("event rule {number}: {fault}"));
        }
        let never = rules[..number - 1]
            .iter()
            .position(|before| before.when.iter().all(|(k, v)| rule.when.get(k) == Some(v)));
        if let Some(before) = never {
            let before = before + 1;
            return Err(format!("event rule {number} never applies: rule {before} fits first"));
        }
    }
    Ok(())
}

fn check_paths(rules: &[PathRule]) -> Result<(), String> {
    for (number, rule) in rules.iter().enumerate() {
        let name = rule.pattern.text();
        if rule.fields.is_empty() {
            return Err(format!("{name}: it has no fields; list it under `harmless`"));
        }
        let methods_within = |before: &PathRule| {
            let has =
                |method: &String| before.methods.iter().any(|m| m.eq_ignore_ascii_case(method));
            before.methods.is_empty() || (!rule.methods.is_empty() && rule.methods.iter().all(has))
        };
        let first = rules[..number]
            .iter()
            .find(|before| methods_within(before) && before.pattern.holds(&rule.pattern));
        if let Some(first) = first {
            return Err(format!("{name} never applies: {} fits first", first.pattern.text()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::LogMapping;

    #[test]
    fn a_mapping_that_cant_be_meant_is_refused_with_its_fault() {
        let web = |rules: &str| format!("format = \"web\"\nserver = \"w\"\n{rules}");
        let path = |pattern: &str, more: &str| {
            format!("[[path]]\npattern = \"{pattern}\"\nfields = [\"name\"]\n{more}\n")
        };
        let events = |rules: &str| {
            format!("format = \"json-lines\"\ntime = \"/t\"\nfrom = \"/f\"\nas = \"/u\"\n{rules}")
        };
        for (mapping, fault) in [
            (web(&path("/c/{id}", "")), "{id} is no placeholder"),
            (web(&path("c", "")), "begins with /"),
            (web(&(path("/c/**", "") + &path("/c/{customer}", ""))), "never applies"),
            (web("[[path]]\npattern = \"/c\"\nfields = []"), "no fields"),
            (web("harmless = [\"/**/x\"]"), "** is the last one"),
            (web("log_format = '%h %t'"), "no request"),
            (web("log_format = '%h %{%Y-%m-%d %T}t \"%r\"'"), "set time_zone"),
            (web("time_zone = \"Mars/Olympus\""), "is no time zone"),
            (web("[[path]]\npatern = \"/c\"\nfields = [\"name\"]"), "patern"),
            (events("[[event]]\nwhen = { \"a\" = \"b\" }\nfields = [\"name\"]"), "begins with /"),
            (events("[[event]]\nfields = [\"name\"]\n[[event]]\nharmless = true"), "never applies"),
            (events("[[event]]\nwhen = {}"), "no fields"),
            (events("[[event]]\nharmless = true\nfields = [\"name\"]"), "harmless"),
            (events(&path("/c", "")), "need the place of the target"),
            ("format = \"cloudtrail\"\nroles = [\"arn:x\"]".to_owned(), "does not end"),
            ("preset = \"none\"".to_owned(), "there are aws-alb"),
        ] {
            let error = LogMapping::parse(&mapping).unwrap_err().to_string();
            assert!(error.contains(fault), "{mapping}: {error}");
        }
        let methods = path("/c/*", "methods = [\"GET\"]") + &path("/c/*", "methods = [\"POST\"]");
        LogMapping::parse(&web(&methods)).unwrap();
    }
}
