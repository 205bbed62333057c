//! AWS `CloudTrail`, in its wrappings: files of `Records`, one event a line, the answers of
//! `lookup-events` and `filter-log-events`, events of `EventBridge`, logs that `CloudWatch` sends on,
//! notifications of SNS, and the answers of `OpenSearch` and Splunk.

use std::io::BufRead;

use cofferdam_core::{CallerName, Operation};
use serde_json::{Deserializer, Value};

use crate::events::{rule_effect, unnamed};
use crate::json::{self, Unique};
use crate::mapping::CloudTrail;
use crate::time::Instants;
use crate::web::{Effect, Line, hand_on};
use crate::{Item, ReadError, Take, shape, time};

/// The largest JSON document that is read, in bytes. Real files are far smaller, because
/// `CloudTrail` delivers one every five minutes.
const MAX_DOCUMENT: u64 = 512 << 20;
/// The most wrappings around an event.
const MAX_DEPTH: usize = 8;
/// The places of lists of events: of `CloudTrail`, `lookup-events`, `filter-log-events`, `CloudWatch`,
/// and `OpenSearch`.
const LISTS: [&str; 5] = ["/Records", "/Events", "/events", "/logEvents", "/hits/hits"];
/// The members that hold an event as a text: of `lookup-events`, `CloudWatch`, SNS, and Splunk.
const TEXTS: [&str; 4] = ["CloudTrailEvent", "message", "Message", "_raw"];
/// The members that hold an event: of `EventBridge`, `OpenSearch`, and Splunk.
const OBJECTS: [&str; 3] = ["detail", "_source", "result"];
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
    let documents = Deserializer::from_reader(log.take(MAX_DOCUMENT)).into_iter::<Unique>();
    for document in documents {
        let document = match document {
            Ok(Unique(document)) => document,
            Err(e) if e.is_io() => {
                return Err(ReadError::Io { line: e.line() as u64, source: e.into() });
            }
            Err(_) => {
                let why = "the rest of the file is not JSON of CloudTrail".to_owned();
                return take(Item::Bad { line: number + 1, why }).map_err(ReadError::Taker);
            }
        };
        unwrap(document, 0, &mut |event| {
            number += 1;
            read_event(mapping, number, event, take)
        })
        .map_err(ReadError::Taker)?;
    }
    Ok(())
}

/// Visits the events of a document, out of their wrappings. Something that is no event is visited as
/// it is.
fn unwrap<E>(
    mut document: Value,
    depth: usize,
    visit: &mut dyn FnMut(&Value) -> Result<(), E>,
) -> Result<(), E> {
    if document.get("eventTime").is_some() || depth == MAX_DEPTH {
        return visit(&document);
    }
    // CloudWatch writes this to test where its logs go.
    if document.get("messageType").and_then(Value::as_str) == Some("CONTROL_MESSAGE") {
        return Ok(());
    }
    let list = match &mut document {
        Value::Array(events) => Some(std::mem::take(events)),
        document => LISTS.iter().find_map(|list| match document.pointer_mut(list) {
            Some(Value::Array(events)) => Some(std::mem::take(events)),
            _ => None,
        }),
    };
    if let Some(events) = list {
        return events.into_iter().try_for_each(|event| unwrap(event, depth + 1, visit));
    }
    let text = TEXTS.iter().find_map(|text| document.get(text)?.as_str());
    if let Some(text) = text {
        return unwrap(json::parse(text).unwrap_or(Value::Null), depth + 1, visit);
    }
    match OBJECTS.iter().find(|object| document.get(object).is_some_and(Value::is_object)) {
        Some(object) => unwrap(document[object].take(), depth + 1, visit),
        None => visit(&document),
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
    let of_rule = rule_effect(&mapping.rules, event);
    if shows_reads(event, of_rule.as_ref()) {
        take(Item::ShowsReads { via: None })?;
    }
    let effect = if text("/errorCode").is_some() {
        // A refused call returned no data.
        Effect::Harmless
    } else {
        of_rule.unwrap_or_else(unnamed)
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

/// Whether an event shows that reads are logged. A trail without data events holds only those of
/// management, and one of changes alone only those that are not `readOnly`.
fn shows_reads(event: &Value, of_rule: Option<&Effect>) -> bool {
    let told = |place: &str| event.pointer(place).and_then(Value::as_bool);
    let category = event.pointer("/eventCategory").and_then(Value::as_str);
    if told("/managementEvent") == Some(true) || category == Some("Management") {
        return false;
    }
    let reads = |of: &Effect| matches!(of, Effect::Touched { operation: Operation::Release, .. });
    match told("/readOnly") {
        Some(read_only) => read_only && (category == Some("Data") || of_rule.is_some_and(reads)),
        None => of_rule.is_some_and(reads),
    }
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
    use crate::testing::{outcomes, read, shows_reads};

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
            (event("GetObject", r#","errorCode":"","errorCode":"AccessDenied""#), "bad 1"),
        ] {
            let log = format!(r#"{{"Records":[{event}]}}"#);
            assert_eq!(outcomes(&read(MAPPING, &log)), [outcome], "{event}");
        }
        let items = read(MAPPING, &event("GetObject", ""));
        let Item::Access(first) = &items[0] else { panic!("an access") };
        assert_eq!(first.via.as_str(), "arn-aws-sts--1-assumed-role-web");
    }

    #[test]
    fn a_trail_without_data_events_shows_no_reads() {
        for (event, shows) in [
            (event("GetObject", ""), true),
            (event("GetObject", r#","errorCode":"AccessDenied""#), true),
            (event("GetObject", r#","eventCategory":"Data","readOnly":true"#), true),
            (event("HeadObject", r#","eventCategory":"Data","readOnly":true"#), true),
            (event("PutObject", r#","eventCategory":"Data","readOnly":false"#), false),
            (event("PutObject", r#","eventCategory":"Data""#), false),
            (event("ListBuckets", r#","eventCategory":"Management","readOnly":true"#), false),
            (event("ExportTableToPointInTime", r#","managementEvent":true"#), false),
            (event("ConsoleLogin", ""), false),
        ] {
            assert_eq!(shows_reads(MAPPING, &event), shows, "{event}");
        }
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
            format!(
                r#"{{"messageType":"DATA_MESSAGE","logEvents":[{{"id":"1","message":{text}}}]}}"#
            )
            .repeat(2),
            format!(
                r#"{{"messageType":"CONTROL_MESSAGE","logEvents":[{{"message":"CWL CONTROL MESSAGE"}}]}}
                {{"events":[{{"timestamp":1,"message":{text}}},{{"message":{text}}}]}}"#
            ),
            format!(r#"{{"Type":"Notification","Message":{text}}}"#).repeat(2),
            format!(r#"{{"hits":{{"hits":[{{"_source":{one}}},{{"_source":{one}}}]}}}}"#),
            format!(r#"{{"preview":false,"result":{{"_raw":{text}}}}}"#).repeat(2),
            format!("\u{feff}{one}\r\n{one}\r\n"),
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
