use axum::extract::State;
use cofferdam_core::{Call, ProblemType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::*;
use crate::{Answer, Body, Problem};

const GONE: ProblemType = ProblemType::new("boat-gone", 410, "The boat is gone");

/// Moors a boat. It stays until somebody takes it.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MoorBoat {
    /// The length of the boat, in metres.
    length: u32,
    name: Option<String>,
}

impl Call for MoorBoat {
    const PATH: &'static str = "/v1/boats/moor";
    const PROBLEMS: &'static [ProblemType] = &[GONE];
    /// The berth.
    type Answer = u32;
}

/// Lists the boats.
#[derive(Serialize, Deserialize, JsonSchema)]
struct ListBoats {}

impl Call for ListBoats {
    const PATH: &'static str = "/v1/fleet/all";
    type Answer = Vec<String>;
}

async fn moor(
    State(()): State<()>,
    Body(call, encoding): Body<MoorBoat>,
) -> Result<Answer<u32>, Problem> {
    Ok(Answer(call.length, encoding))
}

async fn list(Body(_, encoding): Body<ListBoats>) -> Answer<Vec<String>> {
    Answer(vec![], encoding)
}

const ABOUT: About =
    About { name: "harbour", description: "Boats.", nouns: &[("boats", "What floats")] };

#[test]
fn a_call_is_documented_from_its_types() {
    let routes = Routes::<()>::new().call::<MoorBoat, _, _>(moor);
    assert_eq!(routes.faults(&ABOUT), [""; 0]);
    let document = routes.openapi(&ABOUT);
    let call = &document["paths"][MoorBoat::PATH]["post"];
    assert_eq!(call["operationId"], "moor_boat");
    assert_eq!(call["summary"], "Moors a boat");
    assert_eq!(call["description"], "It stays until somebody takes it.");
    assert_eq!(call["x-problem-codes"], json!(["boat-gone"]));
    let example = &call["requestBody"]["content"][JSON]["example"];
    assert_eq!(example, &json!({"length": 1, "name": "text"}));
    let codes = document["components"]["schemas"]["Problem"]["properties"]["code"]["oneOf"].clone();
    assert!(codes.as_array().unwrap().iter().any(|code| code["const"] == "boat-gone"));
}

#[test]
fn a_path_that_is_not_the_name_of_its_call_is_a_fault() {
    let routes = Routes::<()>::new().call::<ListBoats, _, _>(list);
    let faults = routes.faults(&ABOUT).join("\n");
    assert!(faults.contains("ListBoats is served at /v1/fleet/all, not at /v1/boats/list"));
    assert!(faults.contains("the noun of /v1/fleet/all is not described"), "{faults}");
    assert_eq!(words::paths_of("ReadPolicy")[0], "/v1/policies/read");
    assert_eq!(words::paths_of("OpenPaperPost")[1], "/v1/paper-post/open");
}
