//! AWS `CloudTrail`, in its wrappings: files of `Records`, one event a line, the answer of
//! `lookup-events`, and events of `EventBridge`.

use std::io::BufRead;

use cofferdam_core::CallerName;
use serde_json::{Deserializer, Value};

use crate::events::{rule_effect, unnamed};
use crate::mapping::CloudTrail;
use crate::time::Instants;
use crate::web::{Effect, Line, hand_on};
use crate::{Item, ReadError, Take, shape, time};

/// The largest JSON document that is read, in bytes. Real files are far smaller, because
/// `CloudTrail` delivers one every five minutes.
const MAX_DOCUMENT: u64 = 512 << 20;
/// The places that name a caller, best first.
const CALLERS: [&str; 4] = [
    "/userIdentity/arn",
    "/userIdentity/principalId",
    "/userIdentity/invokedBy",
    "/userIdentity/type",
];

/// Reads events in any wrapping. The line of an access is the number of its event.
pub fn read<E>(
    mapping: &CloudTrail,
    log: impl BufRead,
    take: Take<'_, E>,
) -> Result<(), ReadError<E>> {
    let mut number = 0;
    let documents = Deserializer::from_reader(log.take(MAX_DOCUMENT)).into_iter::<Value>();
    for document in documents {
        let document = match document {
            Ok(document) => document,
            Err(e) if e.is_io() => {
                return Err(ReadError::Io { line: e.line() as u64, source: e.into() });
            }
            Err(_) => {
                let why = "the rest of the file is not JSON of CloudTrail".to_owned();
                return take(Item::Bad { line: number + 1, why }).map_err(ReadError::Taker);
            }
        };
        unwrap(document, &mut |event| {
            number += 1;
            read_event(mapping, number, event, take)
        })
        .map_err(ReadError::Taker)?;
    }
    Ok(())
}

/// Visits the events of a document. Something that is no event is visited as it is.
fn unwrap<E>(mut document: Value, visit: &mut dyn FnMut(&Value) -> Result<(), E>) -> Result<(), E> {
    for list in ["Records", "Events"] {
        if let Some(Value::Array(events)) = document.get_mut(list).map(Value::take) {
            return events.into_iter().try_for_each(|event| unwrap_one(event, visit));
        }
    }
    if let Value::Array(events) = document {
        return events.into_iter().try_for_each(|event| unwrap_one(event, visit));
    }
    unwrap_one(document, visit)
}

fn unwrap_one<E>(
    mut event: Value,
    visit: &mut dyn FnMut(&Value) -> Result<(), E>,
) -> Result<(), E> {
    // `lookup-events` gives the event as a text, EventBridge as `detail`.
    if let Some(text) = event.get("CloudTrailEvent").and_then(Value::as_str) {
        return visit(&serde_json::from_str(text).unwrap_or(Value::Null));
    }
    match event.get_mut("detail") {
        Some(detail) if detail.is_object() => visit(&detail.take()),
        _ => visit(&event),
    }
}

fn read_event<E>(
    mapping: &CloudTrail,
    number: u64,
    event: &Value,
    take: Take<'_, E>,
) -> Result<(), E> {
    let bad = |why: &str| Item::Bad { line: number, why: why.to_owned() };
    let Some(at) = event.pointer("/eventTime").and_then(time::parse_json) else {
        return take(bad("there is no time at /eventTime"));
    };
    let text = |place: &str| event.pointer(place).and_then(Value::as_str).filter(|t| !t.is_empty());
    let effect = if text("/errorCode").is_some() {
        // A refused call returned no data.
        Effect::Harmless
    } else {
        rule_effect(&mapping.rules, event).unwrap_or_else(unnamed)
    };
    let (from, caller) = (text("/sourceIPAddress"), CALLERS.into_iter().find_map(text));
    let Some((from, caller)) =
        from.zip(caller).or_else(|| (effect == Effect::Harmless).then_some(("", "")))
    else {
        take(Item::Seen(at))?;
        return take(bad("the event names no address or no identity"));
    };
    let line = Line {
        number,
        at: Instants::from(at),
        clients: vec![CallerName::from_foreign(from)],
        via: CallerName::from_foreign(as_role(&mapping.roles, caller)),
    };
    let shape = || shape::of_event(event, &mapping.rules, &["/eventSource", "/eventName"]);
    hand_on(&line, effect, &shape, take)
}

/// The name of a role for each of its sessions, if the mapping names the role as a whole.
fn as_role<'a>(roles: &[String], arn: &'a str) -> &'a str {
    let session_of = |role: &String| {
        let role = role.strip_suffix('*')?;
        arn.starts_with(role).then(|| &arn[..role.len() - 1])
    };
    roles.iter().find_map(session_of).unwrap_or(arn)
}

#[cfg(test)]
mod tests {
    use crate::Item;
    use crate::testing::{outcomes, read};

    const MAPPING: &str = r#"
        format = "cloudtrail"
        roles = ["arn:aws:sts::1:assumed-role/web/*"]
        [[event]]
        when = { "/eventSource" = "s3.amazonaws.com", "/eventName" = "GetObject" }
        customer = "/requestParameters/key"
        pattern = "profiles/{customer}.json"
        fields = ["name", "shipping_address"]
        [[event]]
        when = { "/eventName" = "ExportTableToPointInTime" }
        fields = ["name"]
        [[event]]
        when = { "/eventName" = "ListBuckets" }
        harmless = true
    "#;

    fn event(name: &str, rest: &str) -> String {
        format!(
            r#"{{"eventTime":"2026-11-24T00:00:00Z","eventSource":"s3.amazonaws.com","eventName":"{name}","sourceIPAddress":"203.0.113.9","userIdentity":{{"arn":"arn:aws:sts::1:assumed-role/web/i-07"}},"requestParameters":{{"key":"profiles/4711.json"}}{rest}}}"#
        )
    }

    #[test]
    fn cloudtrail_events_name_customers_by_their_objects() {
        for (event, outcome) in [
            (event("GetObject", ""), "4711"),
            (event("GetObject", r#","errorCode":"""#), "4711"),
            (event("GetObject", r#","errorCode":null"#), "4711"),
            (event("GetObject", r#","errorCode":"AccessDenied""#), "harmless"),
            (event("ExportTableToPointInTime", ""), "everybody"),
            (event("GetObject", "").replace("profiles/4711.json", "everyone.zip"), "everybody"),
            (event("GetObject", "").replace("profiles/4711.json", "profiles/.json"), "everybody"),
            (event("ListBuckets", ""), "harmless"),
            (event("PutObject", ""), "everybody"),
            (event("GetObject", "").replace("eventTime", "time"), "bad 1"),
            (event("GetObject", "").replace("sourceIPAddress", "x"), "bad 1"),
        ] {
            let log = format!(r#"{{"Records":[{event}]}}"#);
            assert_eq!(outcomes(&read(MAPPING, &log)), [outcome], "{event}");
        }
        let items = read(MAPPING, &event("GetObject", ""));
        let Item::Access(first) = &items[0] else { panic!("an access") };
        assert_eq!(first.via.as_str(), "arn-aws-sts--1-assumed-role-web");
    }

    #[test]
    fn every_wrapping_of_cloudtrail_is_read() {
        let one = event("GetObject", "");
        let text = serde_json::to_string(&one).unwrap();
        for log in [
            format!("{one}\n{one}\n"),
            format!(r#"{{"Records":[{one},{one}]}}"#),
            format!("[{one},\n{one}]"),
            format!(
                r#"{{ "Events": [ {{ "EventId": "1", "CloudTrailEvent": {text} }}, {{ "CloudTrailEvent": {text} }} ] }}"#
            ),
            format!(
                r#"{{"version":"0","detail-type":"AWS API Call via CloudTrail","detail":{one}}}"#
            )
            .repeat(2),
        ] {
            assert_eq!(outcomes(&read(MAPPING, &log)), ["4711", "4711"], "{log}");
        }
        assert_eq!(
            outcomes(&read(MAPPING, &format!("{one}\n{{\"Records\":[{{"))),
            ["4711", "bad 2"]
        );
        assert_eq!(outcomes(&read(MAPPING, r#"{"Events":[{"CloudTrailEvent":"{"}]}"#)), ["bad 1"]);
    }
}
