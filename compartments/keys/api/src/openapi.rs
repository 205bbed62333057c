//! The OpenAPI document of the compartment, made from the types of its calls.
//! `cargo xtask openapi` holds `docs/openapi/keys.json` against it.

use std::collections::BTreeMap;

use cofferdam_core::{Call, Operation};
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use crate::{
    ApproveVoid, ChangeEpoch, ChangePolicy, ClaimDecoys, CloseWarrant, Cosign, EraseRecords,
    FreezeCaller, HardenPasswords, IndexAddresses, ListCallers, LowerBudget, MAX_BATCH,
    OpenWarrant, ProveInclusion, ReadAlarms, ReadCheckpoint, ReadEntries, ReadEpochs, ReadPolicy,
    ReleaseKeys, ReportMail,
};

const JSON: &str = "application/json";
const POSTCARD: &str = "application/vnd.cofferdam.postcard";

const TAGS: [(&str, &str); 10] = [
    ("release", "Field keys are given out, or never again"),
    ("passwords", "Passwords are hardened, addresses indexed"),
    ("decoys", "Where nobody lives"),
    ("callers", "What each caller may do and did lately, and how one is cut off"),
    ("policy", "Grants and budgets, changed as a whole by two people"),
    ("epochs", "Generations of a domain's master key"),
    ("warrants", "Leave to read a bounded number of records, given by two people"),
    ("alarms", "What somebody should look at"),
    ("log", "The release log, for those who copy, witness and check it"),
    ("server", "How the server is"),
];

/// The kinds of `cofferdam-wire`, which an api can't name; a test of the crate holds the two together.
const PROBLEMS: [(&str, &str); 14] = [
    ("bad-request", "The request is not understood. 400"),
    (
        "bad-credentials",
        "Signing in failed: the address or the password is wrong, and which is not said. 401",
    ),
    ("no-session", "The session is not (or no longer) open at this caller. 401"),
    ("credential-voided", "The password was voided: it takes a reset. 403"),
    ("not-granted", "The caller has no grant for this. 403"),
    ("frozen", "The caller is frozen. 403"),
    ("warrant-refused", "The warrant does not allow this. 403"),
    ("not-found", "There is no such thing. 404"),
    ("conflict", "It stands in the way of what is there. 409"),
    ("too-large", "The request is larger than allowed. 413"),
    ("budget-exhausted", "The caller's budget is spent. 429"),
    ("internal", "Something inside failed; the log of the compartment says what. 500"),
    ("upstream", "Another compartment does not answer. 502"),
    ("unavailable", "This compartment can't serve now. 503"),
];

/// The document: every route of the compartment, every type that travels.
#[must_use]
pub fn openapi() -> Value {
    let mut paths = Paths::new();
    every_call(&mut paths);
    every_get(&mut paths);
    let mut schemas = paths.schemas.take_definitions(true);
    schemas.insert("Problem".to_owned(), problem());
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Cofferdam keys",
            "version": env!("CARGO_PKG_VERSION"),
            "description": description(),
            "license": {
                "name": env!("CARGO_PKG_LICENSE"),
                "identifier": env!("CARGO_PKG_LICENSE"),
            },
        },
        "security": [{"mutualTLS": []}],
        "tags": TAGS.map(|(name, description)| json!({"name": name, "description": description})),
        "paths": paths.paths,
        "components": {
            "schemas": schemas,
            "responses": {"Problem": {
                "description": "It was refused, or failed",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }},
            "securitySchemes": {"mutualTLS": {
                "type": "mutualTLS",
                "description": "The client's certificate, of the estate's own authority, names \
                                the caller",
            }},
        },
    });
    make_plain(&mut document);
    document
}

/// One line a call; a call without one fails a test.
fn every_call(paths: &mut Paths) {
    paths.call::<ReleaseKeys>("release");
    paths.call::<EraseRecords>("release");
    paths.call::<HardenPasswords>("passwords");
    paths.call::<IndexAddresses>("passwords");
    paths.call::<ClaimDecoys>("decoys");
    paths.call::<ReportMail>("decoys");
    paths.call::<FreezeCaller>("callers");
    paths.call::<ListCallers>("callers");
    paths.call::<ApproveVoid>("contain");
    paths.call::<LowerBudget>("contain");
    paths.call::<ReadPolicy>("policy");
    paths.call::<ChangePolicy>("policy");
    paths.call::<ReadEpochs>("epochs");
    paths.call::<ChangeEpoch>("epochs");
    paths.call::<OpenWarrant>("warrants");
    paths.call::<CloseWarrant>("warrants");
    paths.call::<ReadAlarms>("alarms");
    paths.call::<ReadCheckpoint>("log");
    paths.call::<ReadEntries>("log");
    paths.call::<ProveInclusion>("log");
    paths.call::<Cosign>("log");
}

/// The routes for public tools, which are no calls.
fn every_get(paths: &mut Paths) {
    const TEXT: &str = "text/plain; charset=utf-8";
    paths.get("/checkpoint", "log", "The log's checkpoint (C2SP tlog-checkpoint)", TEXT);
    paths.get(
        "/tile/{path}",
        "log",
        "A tile of the log (C2SP tlog-tiles): hashes, or entries",
        "application/octet-stream",
    );
    paths.paths["/tile/{path}"]["parameters"] = json!([{
        "name": "path",
        "in": "path",
        "required": true,
        "description": "Level and index, slashes and all: `0/000`, `entries/x001/234.p/56`",
        "schema": {"type": "string"},
    }]);
    paths.get("/healthz", "server", "Whether the server is there: `ok`", TEXT);
    paths.get("/metrics", "server", "Figures for Prometheus", TEXT);
}

fn description() -> String {
    format!(
        "Releases field keys, within grants and budgets, and logs what it does before an answer \
         leaves. Whoever calls shows a client certificate, which names it. The compartment in \
         front of a domain (`accounts`, `payments`, `response`) has keys released, records erased, \
         passwords hardened, addresses indexed and decoys claimed, on behalf of the `caller` that \
         it serves, and reads the epochs of its domain. The controller (the `response` \
         compartment) freezes callers, lists them, reads alarms and the policy, brings \
         cosignatures, and brings what two people signed: policies, epoch orders, warrants. The \
         controller and auditors read the log and the metrics. Everybody with a certificate may \
         ask whether the server is there.\n\n\
         A call is a `POST`, so that what is asked for never stands in a URL. Its body is \
         `{JSON}`, or `{POSTCARD}`: postcard's binary form, offered here where thousands of keys \
         move; properties stand in the order shown, a set of fields is 16 bits, keys and warrants' \
         numbers are plain bytes. The answer travels as the request did; a refusal is an RFC 9457 \
         problem document in JSON. `MAX_BATCH` is {MAX_BATCH}."
    )
}

/// What was written so far, and the types that it took.
struct Paths {
    schemas: SchemaGenerator,
    paths: Value,
}

impl Paths {
    /// `OpenAPI` 3.1 takes JSON Schema 2020-12 as it is.
    fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.meta_schema = None;
            settings.definitions_path = "/components/schemas".into();
        });
        Self { schemas: settings.into_generator(), paths: Value::Object(Map::new()) }
    }

    fn call<C: Call + JsonSchema>(&mut self, tag: &str)
    where
        C::Answer: JsonSchema,
    {
        let asked = self.schemas.subschema_for::<C>();
        let answer = self.schemas.subschema_for::<C::Answer>();
        let words = self.words(&asked).unwrap_or_default();
        let (summary, rest) = words.split_once(". ").unwrap_or((&words, ""));
        let done = if answer.get("items").is_some() { "The list" } else { "Done" };
        let answered = self.words(&answer).unwrap_or_else(|| done.to_owned());
        let mut operation = json!({
            "operationId": snake_case(&C::schema_name()),
            "tags": [tag],
            "summary": summary.trim_end_matches('.'),
            "requestBody": {"required": true, "content": content::<C>(&asked)},
            "responses": {
                "200": {"description": answered, "content": content::<C>(&answer)},
                "default": {"$ref": "#/components/responses/Problem"},
            },
        });
        if !rest.is_empty() {
            operation["description"] = rest.into();
        }
        self.paths[C::PATH] = json!({"post": operation});
    }

    fn get(&mut self, path: &str, tag: &str, summary: &str, media: &str) {
        let operation = json!({
            "operationId": format!("get_{}", path.split('/').nth(1).unwrap_or_default()),
            "tags": [tag],
            "summary": summary,
            "responses": {
                "200": {"description": summary, "content": {media: {}}},
                "default": {"$ref": "#/components/responses/Problem"},
            },
        });
        self.paths[path] = json!({"get": operation});
    }

    /// The doc comment of the type that `schema` refers to.
    fn words(&self, schema: &Schema) -> Option<String> {
        let name = schema.get("$ref")?.as_str()?.rsplit('/').next()?;
        let words = self.schemas.definitions().get(name)?.get("description")?.as_str()?;
        Some(plain(words))
    }
}

/// A map whose keys are operations.
pub fn by_operation<T: JsonSchema>(schemas: &mut SchemaGenerator) -> Schema {
    let mut map = schemas.subschema_for::<BTreeMap<String, T>>();
    map.insert("propertyNames".to_owned(), schemas.subschema_for::<Operation>().into());
    map
}

fn content<C: Call>(schema: &Schema) -> Value {
    let mut content = json!({JSON: {"schema": schema}});
    if C::COMPACT {
        let binary = "Binary: the same type as postcard (postcard.jamesmunns.com)";
        content[POSTCARD] = json!({
            "schema": {"contentMediaType": POSTCARD, "description": binary},
        });
    }
    content
}

fn problem() -> Value {
    let kinds = PROBLEMS.map(|(kind, words)| json!({"const": kind, "description": words}));
    let property = |kind: &str, words: &str| json!({"type": kind, "description": words});
    json!({
        "description": "A problem document (RFC 9457)",
        "type": "object",
        "required": ["type", "title", "status", "kind", "detail"],
        "properties": {
            "type": property("string", "`urn:cofferdam:problem:` and the kind"),
            "title": property("string", "The kind, in words"),
            "status": property("integer", "The HTTP status"),
            "kind": {"description": "What kind, for a caller's code to act on", "oneOf": kinds},
            "detail": property("string", "A sentence on this case, without personal data"),
            "retry_after_s":
                property("integer", "When it is worth trying again, in seconds from now"),
        },
    })
}

/// `ReleaseKeys` as `release_keys`.
fn snake_case(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

/// Makes Markdown for anybody of every doc comment in `value`.
fn make_plain(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (key, inner) in object {
                match inner {
                    Value::String(text) if key == "description" => *text = plain(text),
                    inner => make_plain(inner),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(make_plain),
        _ => {}
    }
}

/// A doc comment without links into the Rust documentation and without `None`, a paragraph a line.
fn plain(text: &str) -> String {
    let paragraphs: Vec<_> = text.split("\n\n").map(|lines| lines.replace('\n', " ")).collect();
    let text = paragraphs.join("\n\n").replace("`None`", "`null`");
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some((before, (name, after))) =
        rest.split_once("[`").and_then(|(before, link)| Some((before, link.split_once("`]")?)))
    {
        out.extend([before, "`", name, "`"]);
        let target = after.strip_prefix('(').and_then(|target| target.split_once(')'));
        rest = target.map_or(after, |(_, after)| after);
    }
    out + rest
}
