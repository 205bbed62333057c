//! Schemas that the derive can't make.

use std::collections::BTreeMap;

use schemars::generate::SchemaGenerator;
use schemars::{JsonSchema, Schema};

/// The schema of a map whose keys are variants of an enum.
pub fn map_by<K: JsonSchema, V: JsonSchema>(schemas: &mut SchemaGenerator) -> Schema {
    let mut map = schemas.subschema_for::<BTreeMap<String, V>>();
    map.insert("propertyNames".to_owned(), schemas.subschema_for::<K>().into());
    map
}
