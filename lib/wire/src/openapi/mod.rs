//! Makes the OpenAPI 3.1 document of a compartment from its table of routes and the types of its
//! calls, so that the document can't disagree with the code.

mod example;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use cofferdam_core::ProblemType;
use schemars::Schema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};

use crate::Routes;
use crate::body::{JSON, POSTCARD};
use crate::routes::{CallRoute, GetRoute};
use example::Examples;
use words::{make_plain, operation_id, plain};

/// The part of a document that describes the compartment as a whole.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// The compartment's name.
    pub name: &'static str,
    /// A few paragraphs on the compartment and on the callers of each call.
    pub description: &'static str,
    /// Each noun in the compartment's paths, with a sentence on it.
    pub nouns: &'static [(&'static str, &'static str)],
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// The OpenAPI document as JSON.
    #[must_use]
    pub fn openapi(&self, about: &About) -> Value {
        let mut document = Document::new();
        let mut paths = Map::new();
        for call in self.calls() {
            paths.insert(call.path.to_owned(), json!({"post": document.call(call).operation}));
        }
        for page in self.gets() {
            paths.insert(page.path.to_owned(), json!({"get": get_operation(page)}));
        }
        let problems: BTreeMap<&str, ProblemType> = self
            .calls()
            .iter()
            .flat_map(|call| call.problems)
            .chain(&ProblemType::GENERAL)
            .map(|problem| (problem.code, *problem))
            .collect();
        let mut schemas = document.schemas.take_definitions(true);
        schemas.insert("Problem".to_owned(), problem_schema(problems.values()));
        let mut whole = json!({
            "openapi": "3.1.0",
            "info": {
                "title": format!("Cofferdam {}", about.name),
                "version": env!("CARGO_PKG_VERSION"),
                "description": format!("{}\n\n{}", about.description, common_description()),
                "license": {
                    "name": env!("CARGO_PKG_LICENSE"),
                    "identifier": env!("CARGO_PKG_LICENSE"),
                },
            },
            "security": [{"mutualTLS": []}],
            "tags": tags(about),
            "paths": paths,
            "components": {
                "schemas": schemas,
                "responses": {"Problem": {
                    "description": "The compartment refused the call, or failed",
                    "content": {"application/problem+json": {
                        "schema": {"$ref": "#/components/schemas/Problem"},
                    }},
                }},
                "securitySchemes": {"mutualTLS": {
                    "type": "mutualTLS",
                    "description": "The client's certificate, of the estate's own authority, names \
                                    the caller",
                }},
            },
        });
        make_plain(&mut whole);
        whole
    }

    /// The faults of the document: a path that is not the name of its call, a noun without a
    /// sentence, an example that the type of its call does not accept.
    #[must_use]
    pub fn faults(&self, about: &About) -> Vec<String> {
        let mut document = Document::new();
        let mut faults = Vec::new();
        let nouns: BTreeSet<_> = about.nouns.iter().map(|(noun, _)| *noun).collect();
        for call in self.calls() {
            let expected = words::paths_of(&call.name);
            if !expected.iter().any(|path| path == call.path) {
                faults.push(format!(
                    "{} is served at {}, not at {}",
                    call.name, call.path, expected[0]
                ));
            }
            if !nouns.contains(noun(call.path)) {
                faults.push(format!("the noun of {} is not described", call.path));
            }
            let CallDoc { request, answer, .. } = document.call(call);
            if let Err(e) = (call.parses)(&request, &answer) {
                faults.push(format!(
                    "the example of {} can't be parsed: {e}: {request} {answer}",
                    call.name
                ));
            }
        }
        faults
    }
}

/// The operation of a call in the document, and its examples.
struct CallDoc {
    operation: Value,
    request: Value,
    answer: Value,
}

/// A document that is being made. It collects the schemas that calls refer to.
struct Document {
    schemas: SchemaGenerator,
}

impl Document {
    /// Uses JSON Schema 2020-12, which OpenAPI 3.1 includes unchanged.
    fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.meta_schema = None;
            settings.definitions_path = "/components/schemas".into();
        });
        Self { schemas: settings.into_generator() }
    }

    fn call(&mut self, call: &CallRoute) -> CallDoc {
        let (request, answer) = (call.schemas)(&mut self.schemas);
        let text = self.doc_comment(&request).unwrap_or_default();
        let (summary, rest) = text.split_once(". ").unwrap_or((&text, ""));
        let default = if answer.get("items").is_some() { "The list" } else { "Done" };
        let answer_text = self.doc_comment(&answer).unwrap_or_else(|| default.to_owned());
        let examples = Examples::new(self.schemas.definitions());
        let request_example = examples.for_schema(&request);
        let answer_example = examples.for_schema(&answer);
        let mut operation = json!({
            "operationId": operation_id(&call.name),
            "tags": [noun(call.path)],
            "summary": summary.trim_end_matches('.'),
            "requestBody": {
                "required": true,
                "content": content(call, &request, &request_example),
            },
            "responses": {
                "200": {
                    "description": answer_text,
                    "content": content(call, &answer, &answer_example),
                },
                "default": {"$ref": "#/components/responses/Problem"},
            },
        });
        if !rest.is_empty() {
            operation["description"] = rest.into();
        }
        if !call.problems.is_empty() {
            let codes: Vec<_> = call.problems.iter().map(|problem| problem.code).collect();
            operation["x-problem-codes"] = json!(codes);
        }
        CallDoc { operation, request: request_example, answer: answer_example }
    }

    /// The doc comment of the type that `schema` refers to.
    fn doc_comment(&self, schema: &Schema) -> Option<String> {
        let name = schema.get("$ref")?.as_str()?.rsplit('/').next()?;
        let text = self.schemas.definitions().get(name)?.get("description")?.as_str()?;
        Some(plain(text))
    }
}

/// The noun in the path of a call: `incidents` in `/v1/incidents/declare`.
fn noun(path: &str) -> &str {
    path.split('/').nth(2).unwrap_or_default()
}

fn tags(about: &About) -> Vec<Value> {
    let tag =
        |(name, description): &(&str, &str)| json!({"name": name, "description": description});
    about.nouns.iter().map(tag).collect()
}

fn content(call: &CallRoute, schema: &Schema, example: &Value) -> Value {
    let mut content = json!({JSON: {"schema": schema, "example": example}});
    if call.compact {
        let binary = "Binary: the same type as postcard (postcard.jamesmunns.com)";
        content[POSTCARD] = json!({
            "schema": {"contentMediaType": POSTCARD, "description": binary},
        });
    }
    content
}

fn get_operation(page: &GetRoute) -> Value {
    let name = page.path.split('/').nth(1).unwrap_or_default();
    let mut operation = json!({
        "operationId": format!("get_{name}"),
        "tags": ["server"],
        "summary": page.summary,
        "responses": {
            "200": {"description": page.summary, "content": {page.media: {}}},
            "default": {"$ref": "#/components/responses/Problem"},
        },
    });
    if page.path.contains('{') {
        operation["parameters"] = json!([{
            "name": "path",
            "in": "path",
            "required": true,
            "description": "The rest of the path, with its slashes",
            "schema": {"type": "string"},
        }]);
    }
    operation
}

fn common_description() -> String {
    format!(
        "Every call is a `POST`, so that no parameter ends up in a URL and from there in a log. The \
         body is `{JSON}`. If a call shows a second media type, it also accepts `{POSTCARD}`: the \
         binary format postcard with the properties in the order shown, a set of fields as 16 bits \
         and keys as plain bytes. The answer has the encoding of the request. A refusal is an RFC \
         9457 problem document in JSON, and clients act on its `code`. `x-problem-codes` lists the \
         codes that a call may answer with beside the general ones."
    )
}

fn problem_schema<'a>(types: impl Iterator<Item = &'a ProblemType>) -> Value {
    let codes: Vec<_> = types
        .map(|problem| {
            let description = format!("{}. {}", problem.title, problem.status);
            json!({"const": problem.code, "description": description})
        })
        .collect();
    let property = |kind: &str, text: &str| json!({"type": kind, "description": text});
    json!({
        "description": "A problem document (RFC 9457)",
        "type": "object",
        "required": ["type", "title", "status", "code", "detail"],
        "properties": {
            "type": property("string", "`urn:cofferdam:problem:` followed by the code"),
            "title": property("string", "The type of problem in a few words"),
            "status": property("integer", "The HTTP status of the answer"),
            "code": {"description": "The type of problem, for clients to act on", "oneOf": codes},
            "detail": property("string", "A sentence on this case, without personal data"),
            "retry_after_s":
                property("integer", "The time until a retry may succeed, in seconds"),
        },
    })
}

#[cfg(test)]
mod tests;
