//! Events as JSON objects: one per line, or in the files of AWS `CloudTrail`.

use std::io::BufRead;

use cofferdam_core::{Access, CallerName, FieldSet, Personal, Whose};
use serde::Deserialize;
use serde_json::Value;

use crate::mapping::{CloudTrail, EventRule, Events};
use crate::{Item, ReadError, Take, lines, pattern, time};

/// The largest file of `CloudTrail` that is read, in bytes. Real files are far smaller, because
/// `CloudTrail` delivers one every five minutes.
const MAX_FILE: u64 = 512 << 20;

/// Reads a log with one JSON object per line.
pub fn read_lines<E>(
    mapping: &Events,
    log: impl BufRead,
    take: Take<'_, E>,
) -> Result<(), ReadError<E>> {
    lines(log, &mut |line, text| {
        let bad = |why: String| Item::Bad { line, why };
        let text = match text {
            Ok("") => return Ok(()),
            Ok(text) => text,
            Err(why) => return take(bad(why)),
        };
        match serde_json::from_str::<Value>(text) {
            Ok(event) => read_event(mapping, line, &event, take),
            Err(_) => take(bad("the line is not JSON".to_owned())),
        }
    })
}

/// Reads a file `{"Records": […]}`. The line of an access is the number of its record.
pub fn read_cloudtrail<E>(
    mapping: &CloudTrail,
    log: impl BufRead,
    take: Take<'_, E>,
) -> Result<(), ReadError<E>> {
    #[derive(Deserialize)]
    struct File {
        #[serde(rename = "Records")]
        records: Vec<Value>,
    }
    let events = Events {
        time: "/eventTime".to_owned(),
        from: "/sourceIPAddress".to_owned(),
        user: "/userIdentity/arn".to_owned(),
        rules: mapping.rules.clone(),
    };
    let file = match serde_json::from_reader::<_, File>(std::io::Read::take(log, MAX_FILE)) {
        Ok(file) => file,
        Err(e) if e.is_io() => {
            return Err(ReadError::Io { line: 1, source: e.into() });
        }
        Err(e) => {
            let line = e.line() as u64;
            let why = "the file is not one of CloudTrail".to_owned();
            return take(Item::Bad { line, why }).map_err(ReadError::Taker);
        }
    };
    for (number, event) in (1..).zip(&file.records) {
        // A refused call returned no data.
        if event.get("errorCode").is_none_or(Value::is_null) {
            read_event(&events, number, event, take).map_err(ReadError::Taker)?;
        }
    }
    Ok(())
}

fn read_event<E>(mapping: &Events, line: u64, event: &Value, take: Take<'_, E>) -> Result<(), E> {
    let Some(at) = event.pointer(&mapping.time).and_then(time::parse_json) else {
        return take(Item::Bad { line, why: format!("there is no time at {}", mapping.time) });
    };
    take(Item::Seen(at))?;
    let fits = |rule: &&EventRule| {
        rule.when.iter().all(|(place, wanted)| {
            event.pointer(place).and_then(text_of).is_some_and(|found| found.expose() == wanted)
        })
    };
    let Some(rule) = mapping.rules.iter().find(fits) else { return Ok(()) };
    let name = |place: &str| {
        let text = event.pointer(place).and_then(text_of);
        CallerName::from_foreign(text.as_ref().map_or("", Personal::expose))
    };
    take(Item::Access(Access {
        line,
        at,
        caller: name(&mapping.from),
        via: name(&mapping.user),
        operation: rule.level.operation(),
        fields: rule.fields.iter().copied().collect::<FieldSet>(),
        whose: whose(rule, event),
    }))
}

fn whose(rule: &EventRule, event: &Value) -> Whose {
    let everybody = |why: &str| Whose::Everybody { why: why.to_owned() };
    let Some(place) = rule.customer.as_ref().or(rule.email.as_ref()) else {
        return everybody("the event names no customer");
    };
    let values = match event.pointer(place) {
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
    let mut keys = Vec::new();
    for value in values {
        match pattern::fit(wanted, value.expose()) {
            Some(Whose::Keys(found)) => keys.extend(found),
            _ => return everybody("the value at the mapped place does not fit the pattern"),
        }
    }
    Whose::Keys(keys)
}

fn text_of(value: &Value) -> Option<Personal> {
    match value {
        Value::String(text) if !text.is_empty() => Some(Personal::new(text.as_str())),
        Value::Number(number) => Some(Personal::new(number.to_string())),
        Value::Bool(value) => Some(Personal::new(value.to_string())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LogMapping, read_log};

    fn read(mapping: &str, log: &str) -> Vec<Item> {
        let mapping: LogMapping = toml::from_str(mapping).unwrap();
        let mut items = Vec::new();
        let read = read_log(&mapping, log.as_bytes(), &mut |item| {
            if !matches!(item, Item::Seen(_)) {
                items.push(item);
            }
            Ok::<_, ()>(())
        });
        assert!(read.is_ok());
        items
    }

    fn whose(item: &Item) -> String {
        match item {
            Item::Access(access) => match &access.whose {
                Whose::Keys(keys) => {
                    keys.iter().map(Personal::expose).collect::<Vec<_>>().join(",")
                }
                Whose::Emails(emails) => {
                    emails.iter().map(Personal::expose).collect::<Vec<_>>().join(",")
                }
                Whose::Everybody { .. } => "everybody".to_owned(),
            },
            Item::Bad { line, .. } => format!("bad {line}"),
            Item::Seen(_) => String::new(),
        }
    }

    #[test]
    fn json_lines_are_read_by_their_mapping() {
        let mapping = r#"
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
        "#;
        let log = r#"{"ts":1795478400,"client":{"ip":"10.0.0.5"},"user":"ann","action":"view","ids":[7,"8"]}
{"ts":"2026-11-24T00:00:01Z","user":"ann","action":"find","q":"ada@post.example"}
{"ts":1795478402,"action":"view"}
{"ts":1795478403,"action":"export"}
{"ts":1795478404,"action":"log in"}
{"action":"view"}
{"torn
"#;
        let items = read(mapping, log);
        let found: Vec<_> = items.iter().map(whose).collect();
        let expected = ["7,8", "ada@post.example", "everybody", "everybody", "bad 6", "bad 7"];
        assert_eq!(found, expected);
        let Item::Access(first) = &items[0] else { panic!("an access") };
        assert_eq!((first.caller.as_str(), first.via.as_str()), ("10-0-0-5", "ann"));
    }

    #[test]
    fn cloudtrail_events_name_customers_by_their_objects() {
        let mapping = r#"
            format = "cloudtrail"
            [[event]]
            when = { "/eventSource" = "s3.amazonaws.com", "/eventName" = "GetObject" }
            customer = "/requestParameters/key"
            pattern = "profiles/{customer}.json"
            fields = ["name", "shipping_address"]
            [[event]]
            when = { "/eventName" = "ExportTableToPointInTime" }
            fields = ["name"]
        "#;
        let event = |name: &str, rest: &str| {
            format!(
                r#"{{"eventTime":"2026-11-24T00:00:00Z","eventSource":"s3.amazonaws.com",
                "eventName":"{name}","sourceIPAddress":"203.0.113.9",
                "userIdentity":{{"arn":"arn:aws:iam::1:user/web-ky-1"}},
                "requestParameters":{{"key":"profiles/4711.json"}}{rest}}}"#
            )
        };
        let log = format!(
            r#"{{"Records":[{},{},{},{}]}}"#,
            event("GetObject", ""),
            event("GetObject", r#","errorCode":"AccessDenied""#),
            event("ExportTableToPointInTime", ""),
            event("GetObject", "").replace("profiles/4711.json", "everyone.zip"),
        );
        let items = read(mapping, &log);
        let found: Vec<_> = items.iter().map(whose).collect();
        assert_eq!(found, ["4711", "everybody", "everybody"]);
        let Item::Access(first) = &items[0] else { panic!("an access") };
        assert_eq!(first.via.as_str(), "arn-aws-iam--1-user-web-ky-1");
        assert_eq!(
            read(mapping, r#"{"Records":[{"#).iter().map(whose).collect::<Vec<_>>(),
            ["bad 1"]
        );
    }
}
