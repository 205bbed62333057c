//! Events as JSON objects.

use std::io::BufRead;

use cofferdam_core::{CallerName, Operation, Personal, Whose};
use serde_json::Value;

use crate::mapping::{EventRule, Events, Place};
use crate::pattern::everybody;
use crate::time::Instants;
use crate::web::{Effect, Line, PathRules, Request, all_fields, clients, hand_on};
use crate::{Item, ReadError, Take, json, shape, time};

/// The largest number in a JSON float that is a whole number for certain: 2^53.
const MAX_WHOLE: f64 = 9_007_199_254_740_992.0;

/// Reads a log of JSON objects, whose line is the one on which each begins.
pub fn read<E>(mapping: &Events, log: impl BufRead, take: Take<'_, E>) -> Result<(), ReadError<E>> {
    json::objects(log, &mut |line, event| match event {
        Ok(event) => read_event(mapping, line, &event, take),
        Err(why) => take(Item::Bad { line, why }),
    })
}

fn read_event<E>(mapping: &Events, number: u64, event: &Value, take: Take<'_, E>) -> Result<(), E> {
    let bad = |why: String| Item::Bad { line: number, why };
    let Some(at) = mapping.time.of(event).and_then(time::parse_json) else {
        return take(bad(format!("there is no time at {}", mapping.time.as_str())));
    };
    let text = |place: &Option<Place>| text_at(place.as_ref()?, event);
    let clients = clients(text_at(&mapping.from, event).as_ref().map_or("", Personal::expose));
    let via = match &mapping.user {
        Some(place) => text_at(place, event),
        None => mapping.server.as_deref().map(Personal::new),
    };
    let (method, target) = (text(&mapping.method), text(&mapping.target));
    let status = text(&mapping.status).and_then(|status| status.expose().parse().ok());
    let expose =
        |text: &Option<Personal>| text.as_ref().map_or(String::new(), |t| t.expose().into());
    let (method, path) = (expose(&method), expose(&target));
    let request = Request { method: &method, target: &path, status, body: None };
    let effect = rule_effect(&mapping.rules, event).unwrap_or_else(|| {
        if mapping.target.is_none() {
            return unnamed();
        }
        PathRules { rules: &mapping.paths, harmless: &mapping.harmless }.effect(&request)
    });
    // A request is logged whatever it does; events may be chosen.
    let reads =
        matches!(effect, Effect::Touched { operation: Operation::Release, named: true, .. });
    if reads || mapping.target.is_some() {
        take(Item::ShowsReads { via: None })?;
    }
    if effect != Effect::Harmless && (clients.is_empty() || via.is_none()) {
        take(Item::Seen(at))?;
        return take(bad("the event names no client or no user at the mapped places".to_owned()));
    }
    let via = CallerName::from_foreign(via.as_ref().map_or("", Personal::expose));
    let line = Line { number, at: Instants::from(at), clients, via };
    let shape = || match &mapping.target {
        Some(_) => shape::of_request(&request),
        None => shape::of_event(event, &mapping.rules, &[]),
    };
    hand_on(&line, effect, &shape, take)
}

/// The effect of an event that no rule names.
pub fn unnamed() -> Effect {
    Effect::Touched {
        operation: Operation::Release,
        fields: all_fields(),
        whose: everybody("no rule names the event"),
        named: false,
    }
}

/// The effect of an event by the first rule that fits; `None` if no rule fits.
pub fn rule_effect(rules: &[EventRule], event: &Value) -> Option<Effect> {
    let fits = |rule: &&EventRule| {
        rule.when.iter().all(|(place, wanted)| {
            text_at(place, event).is_some_and(|found| found.expose() == wanted)
        })
    };
    let rule = rules.iter().find(fits)?;
    if rule.harmless {
        return Some(Effect::Harmless);
    }
    Some(Effect::Touched {
        operation: rule.level.operation(),
        fields: rule.fields.iter().copied().collect(),
        whose: whose(rule, event),
        named: true,
    })
}

fn whose(rule: &EventRule, event: &Value) -> Whose {
    let Some(place) = rule.customer.as_ref().or(rule.email.as_ref()) else {
        return everybody("the event names no customer");
    };
    let values = match place.of(event) {
        Some(Value::Array(values)) => values.iter().map(text_of).collect(),
        Some(value) => text_of(value).map(|text| vec![text]),
        None => None,
    };
    let Some(values) = values.filter(|values| !values.is_empty()) else {
        return everybody("the event has no customer at the mapped place");
    };
    if rule.customer.is_none() {
        return Whose::Emails(values);
    }
    let Some(wanted) = &rule.pattern else { return Whose::Keys(values) };
    let keys: Option<Vec<_>> = values.iter().map(|value| wanted.name_in(value.expose())).collect();
    keys.map_or_else(
        || everybody("the value at the mapped place does not fit the pattern"),
        Whose::Keys,
    )
}

/// The text at a place; `None` if it is missing, empty, or no single value.
pub fn text_at(place: &Place, event: &Value) -> Option<Personal> {
    place.of(event).and_then(text_of)
}

fn text_of(value: &Value) -> Option<Personal> {
    match value {
        Value::String(text) if !text.is_empty() => Some(Personal::new(text.as_str())),
        Value::Number(number) => {
            let whole = number.as_f64().filter(|f| f.fract() == 0.0 && f.abs() < MAX_WHOLE);
            Some(Personal::new(match whole {
                Some(whole) if !number.is_i64() && !number.is_u64() => format!("{whole:.0}"),
                _ => number.to_string(),
            }))
        }
        Value::Bool(value) => Some(Personal::new(value.to_string())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::Item;
    use crate::testing::{outcomes, read};

    const MAPPING: &str = r#"
        format = "json-lines"
        time = "/ts"
        from = "/client/ip"
        as = "/user"
        [[event]]
        when = { "/action" = "view" }
        customer = "/ids"
        fields = ["name"]
        [[event]]
        when = { "/action" = "find" }
        email = "/q"
        fields = ["email"]
        [[event]]
        when = { "/action" = "export" }
        fields = ["name", "email"]
        [[event]]
        when = { "/action" = "log in" }
        harmless = true
    "#;

    #[test]
    fn json_lines_are_read_by_their_mapping() {
        let event = |rest: &str| {
            format!(r#"{{"ts":1795478400,"client":{{"ip":"10.0.0.5"}},"user":"ann",{rest}}}"#)
        };
        for (rest, outcome) in [
            (r#""action":"view","ids":[7,"8"]"#, "7,8"),
            (r#""action":"view","ids":7.0"#, "7"),
            (r#""action":"view","ids":7.5"#, "7.5"),
            (r#""action":"view","ids":18446744073709551617"#, "1.8446744073709552e+19"),
            (r#""action":"view","ids":[]"#, "everybody"),
            (r#""action":"view","ids":{"a":7}"#, "everybody"),
            (r#""action":"view","ids":[[7]]"#, "everybody"),
            (r#""action":"view","ids":"""#, "everybody"),
            (r#""action":"view""#, "everybody"),
            (r#""action":"find","q":"ada@post.example""#, "ada@post.example"),
            (r#""action":"export""#, "everybody"),
            (r#""action":"log in""#, "harmless"),
            (r#""action":"View","ids":7"#, "everybody"),
            (r#""other":1"#, "everybody"),
            (r#""action":"view","ids":7,"ids":8"#, "bad 1"),
            (r#""action":"view","ids":8,"x":{"a":1,"a":2}"#, "bad 1"),
        ] {
            assert_eq!(outcomes(&read(MAPPING, &event(rest))), [outcome], "{rest}");
        }
        for line in [
            r#"{"action":"view"}"#,
            r#"{"ts":1795478400,"user":"ann","action":"view"}"#,
            r#"{"ts":1795478400,"client":{"ip":"10.0.0.5"},"action":"view"}"#,
            "{\"torn",
            "7]",
        ] {
            assert_eq!(outcomes(&read(MAPPING, line)), ["bad 1"], "{line}");
        }
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(outcomes(&read(MAPPING, &format!("{{\"a\":{deep}}}"))) == ["bad 1"]);
        let Item::Access(first) = &read(MAPPING, &event(r#""action":"export""#))[0] else {
            panic!("an access")
        };
        assert_eq!((first.caller.as_str(), first.via.as_str()), ("10-0-0-5", "ann"));
    }

    #[test]
    fn events_may_stand_in_arrays_and_over_several_lines() {
        let event =
            r#"{"ts":1795478400,"client":{"ip":"10.0.0.5"},"user":"ann","action":"view","ids":7}"#;
        let value: serde_json::Value = serde_json::from_str(event).unwrap();
        for log in [
            format!("[{event},{event}]"),
            format!("{event}\r{event}\r"),
            format!("\u{feff}{event}\r\n\u{feff}{event}\r\n"),
            serde_json::to_string_pretty(&[&value, &value]).unwrap(),
        ] {
            assert_eq!(outcomes(&read(MAPPING, &log)), ["7", "7"], "{log}");
        }
        let torn = format!("{}\n{event}\n", &event[..event.len() - 1]);
        assert_eq!(outcomes(&read(MAPPING, &torn)), ["bad 1", "7"]);
    }

    #[test]
    fn events_with_a_target_are_read_by_rules_for_paths() {
        let mapping = "preset = \"cloudflare\"\nserver = \"edge\"\nharmless = [\"/\"]\n\
            [[path]]\npattern = \"/customers/{customer}\"\nfields = [\"name\"]\n";
        let event = |uri: &str, status: u16| {
            format!(
                r#"{{"ClientIP":"203.0.113.9","ClientRequestMethod":"GET","ClientRequestURI":"{uri}","EdgeResponseStatus":{status},"EdgeStartTimestamp":1326600001000000000}}"#
            )
        };
        for (uri, status, outcome) in [
            ("//customers/7", 200, "7"),
            ("/customers/7", 404, "harmless"),
            ("/customers/7", 500, "7"),
            ("/", 200, "harmless"),
            ("/other", 200, "everybody"),
        ] {
            assert_eq!(outcomes(&read(mapping, &event(uri, status))), [outcome], "{uri}");
        }
    }

    #[test]
    fn audit_logs_of_mysql_count_each_statement_as_everybodys() {
        let log = r#"[
{ "timestamp": "2019-10-03 13:50:01", "id": 0, "class": "audit", "event": "startup" },
{ "timestamp": "2019-10-03 13:50:02", "id": 1, "class": "connection", "event": "connect", "account": { "user": "app", "host": "10.0.0.5" } },
{ "timestamp": "2019-10-03 13:50:03", "id": 2, "class": "general", "event": "status", "account": { "user": "app", "host": "10.0.0.5" }, "general_data": { "command": "Query", "query": "SELECT 1" } }
]"#;
        let items = read("preset = \"mysql-audit\"\nserver = \"db-1\"", log);
        assert_eq!(outcomes(&items), ["harmless", "harmless", "everybody"]);
        let percona = r#"{"audit_record":{"name":"Query","timestamp":"2014-08-21T11:31:42Z","command_class":"select","status":0,"sqltext":"SELECT 1","user":"app[app] @ [10.0.0.5]","host":"10.0.0.5","db":"shop"}}"#;
        assert_eq!(outcomes(&read("preset = \"percona-audit\"", percona)), ["everybody"]);
    }
}
