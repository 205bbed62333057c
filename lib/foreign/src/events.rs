//! Events as JSON objects: one a line, or in the files of AWS `CloudTrail`.

use std::io::BufRead;

use cofferdam_core::{Access, CallerName, FieldSet, Personal, Whose};
use serde::Deserialize;
use serde_json::Value;

use crate::mapping::{CloudTrail, EventRule, Events};
use crate::{Item, ReadError, Take, lines, pattern, time};

/// The largest file of `CloudTrail` that is read: they are delivered every five minutes.
const MAX_FILE: u64 = 512 << 20;

/// Reads one JSON object a line.
pub fn read_lines<E>(
    of: &Events,
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
            Ok(event) => one(of, line, &event, take),
            Err(_) => take(bad("it is no JSON".to_owned())),
        }
    })
}

/// Reads `{"Records": […]}`; a record's number stands for its line.
pub fn read_cloudtrail<E>(
    of: &CloudTrail,
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
        rules: of.rules.clone(),
    };
    let file = match serde_json::from_reader::<_, File>(std::io::Read::take(log, MAX_FILE)) {
        Ok(file) => file,
        Err(e) if e.is_io() => {
            return Err(ReadError::Io { line: 1, source: e.into() });
        }
        Err(e) => {
            let line = e.line() as u64;
            let why = "it is no file of CloudTrail".to_owned();
            return take(Item::Bad { line, why }).map_err(ReadError::Taker);
        }
    };
    for (number, event) in (1..).zip(&file.records) {
        // A refused call gave nothing.
        if event.get("errorCode").is_none_or(Value::is_null) {
            one(&events, number, event, take).map_err(ReadError::Taker)?;
        }
    }
    Ok(())
}

fn one<E>(of: &Events, line: u64, event: &Value, take: Take<'_, E>) -> Result<(), E> {
    let Some(at) = event.pointer(&of.time).and_then(time::of_json) else {
        return take(Item::Bad { line, why: format!("no instant stands at {}", of.time) });
    };
    take(Item::Seen(at))?;
    let fits = |rule: &&EventRule| {
        rule.when.iter().all(|(place, wanted)| {
            event.pointer(place).and_then(text_of).is_some_and(|got| got.expose() == wanted)
        })
    };
    let Some(rule) = of.rules.iter().find(fits) else { return Ok(()) };
    let name = |place: &str| {
        let text = event.pointer(place).and_then(text_of);
        CallerName::from_foreign(text.as_ref().map_or("", Personal::expose))
    };
    take(Item::Access(Access {
        line,
        at,
        caller: name(&of.from),
        via: name(&of.user),
        operation: rule.level.operation(),
        fields: rule.fields.iter().copied().collect::<FieldSet>(),
        whose: whose(rule, event),
    }))
}

fn whose(rule: &EventRule, event: &Value) -> Whose {
    let everybody = |why: &str| Whose::Everybody { why: why.to_owned() };
    let Some(place) = rule.customer.as_ref().or(rule.email.as_ref()) else {
        return everybody("it names no customer");
    };
    let values = match event.pointer(place) {
        Some(Value::Array(values)) => values.iter().map(text_of).collect(),
        Some(value) => text_of(value).map(|text| vec![text]),
        None => None,
    };
    let Some(values) = values.filter(|values| !values.is_empty()) else {
        return everybody("no customer stands where one should");
    };
    if rule.customer.is_none() {
        return Whose::Emails(values);
    }
    let Some(wanted) = &rule.pattern else { return Whose::Keys(values) };
    let mut keys = Vec::new();
    for value in values {
        match pattern::fit(wanted, value.expose()) {
            Some(Whose::Keys(found)) => keys.extend(found),
            _ => return everybody("what stands there does not fit the pattern"),
        }
    }
    Whose::Keys(keys)
}

fn text_of(value: &Value) -> Option<Personal> {
    match value {
        Value::String(text) if !text.is_empty() => Some(Personal::new(text.as_str())),
        Value::Number(number) => Some(Personal::new(number.to_string())),
        Value::Bool(of) => Some(Personal::new(of.to_string())),
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
                Whose::Emails(of) => of.iter().map(Personal::expose).collect::<Vec<_>>().join(","),
                Whose::Everybody { .. } => "everybody".to_owned(),
            },
            Item::Bad { line, .. } => format!("bad {line}"),
            Item::Seen(_) => String::new(),
        }
    }

    #[test]
    fn json_lines_are_understood_by_their_mapping() {
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
        let got: Vec<_> = items.iter().map(whose).collect();
        assert_eq!(got, ["7,8", "ada@post.example", "everybody", "everybody", "bad 6", "bad 7"]);
        let Item::Access(first) = &items[0] else { panic!("an access") };
        assert_eq!((first.caller.as_str(), first.via.as_str()), ("10-0-0-5", "ann"));
    }

    #[test]
    fn cloudtrail_names_objects_by_customer() {
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
        let got: Vec<_> = items.iter().map(whose).collect();
        assert_eq!(got, ["4711", "everybody", "everybody"]);
        let Item::Access(first) = &items[0] else { panic!("an access") };
        assert_eq!(first.via.as_str(), "arn-aws-iam--1-user-web-ky-1");
        assert_eq!(
            read(mapping, r#"{"Records":[{"#).iter().map(whose).collect::<Vec<_>>(),
            ["bad 1"]
        );
    }
}
