//! The document holds every call and every kind of problem that the sources hold.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::fs;
use std::path::Path;

use serde_json::Value;

fn source(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The texts between `before` and `after`, wherever they stand.
fn all_between<'a>(text: &'a str, before: &str, after: &str) -> Vec<&'a str> {
    text.split(before).skip(1).filter_map(|rest| Some(rest.split_once(after)?.0)).collect()
}

#[test]
fn every_call_of_the_crate_stands_in_the_document() {
    let document = keys_api::openapi();
    let mut calls = 0;
    for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        for call in all_between(&text, "\nimpl Call for ", "\n}") {
            let name = call.split(' ').next().unwrap();
            let path = all_between(call, "PATH: &'static str = \"", "\"")[0];
            let body = &document["paths"][path]["post"]["requestBody"]["content"];
            let schema = format!("#/components/schemas/{name}");
            let shown = &body["application/json"]["schema"]["$ref"];
            assert_eq!(*shown, schema, "{name} needs a line in src/openapi.rs");
            calls += 1;
        }
    }
    let paths = document["paths"].as_object().unwrap().values();
    assert_eq!(paths.filter(|path| path.get("post").is_some()).count(), calls);
}

#[test]
fn every_kind_of_problem_stands_in_the_document() {
    let text = source("../../../lib/wire/src/problem.rs");
    let kinds = all_between(&text, "pub enum ProblemKind {", "}")[0];
    let kinds: Vec<_> = all_between(kinds, "/// ", ",\n")
        .into_iter()
        .filter_map(|lines| lines.split_once('\n'))
        .map(|(words, name)| (name.trim().to_lowercase(), words.to_owned()))
        .collect();
    let document = keys_api::openapi();
    let shown = &document["components"]["schemas"]["Problem"]["properties"]["kind"]["oneOf"];
    let text_of = |value: &Value| value.as_str().unwrap().to_owned();
    let shown = shown.as_array().unwrap().iter();
    let shown: Vec<_> = shown
        .map(|kind| (text_of(&kind["const"]).replace('-', ""), text_of(&kind["description"])))
        .collect();
    assert_eq!(shown, kinds);
}

#[test]
fn everything_in_the_document_is_described() {
    let document = keys_api::openapi();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        assert!(schema["description"].is_string(), "{name} has no description");
        for (property, schema) in schema["properties"].as_object().into_iter().flatten() {
            assert!(schema["description"].is_string(), "{name}.{property} has no description");
        }
    }
    assert!(!document.to_string().contains("[`"), "a link into the Rust documentation is left");
}
