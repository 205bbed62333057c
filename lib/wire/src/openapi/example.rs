//! Makes an example of every type from its schema. If a schema has an example, that is used. Any
//! other value is the smallest that its schema allows.

use schemars::Schema;
use serde_json::{Map, Value, json};

/// A value nested deeper than this becomes `null`, so that a type that contains itself has an end.
/// No other type is nested as deep.
const MAX_DEPTH: usize = 24;

/// Makes examples from schemas and the definitions that these refer to.
pub struct Examples<'a> {
    definitions: &'a Map<String, Value>,
}

impl<'a> Examples<'a> {
    pub const fn new(definitions: &'a Map<String, Value>) -> Self {
        Self { definitions }
    }

    /// An example of the type that a schema describes.
    pub fn for_schema(&self, schema: &Schema) -> Value {
        self.example(schema.as_value(), 0)
    }

    fn example(&self, schema: &Value, depth: usize) -> Value {
        if depth > MAX_DEPTH {
            return Value::Null;
        }
        if let Some(example) = schema.get("examples").and_then(|all| all.get(0)) {
            return example.clone();
        }
        if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
            let name = name.rsplit('/').next().unwrap_or_default();
            return self
                .definitions
                .get(name)
                .map_or(Value::Null, |definition| self.example(definition, depth + 1));
        }
        if let Some(only) = schema.get("const") {
            return only.clone();
        }
        if let Some(first) = schema.get("enum").and_then(|all| all.get(0)) {
            return first.clone();
        }
        for choice in ["oneOf", "anyOf", "allOf"] {
            if let Some(first) = schema.get(choice).and_then(|all| all.get(0)) {
                return self.example(first, depth + 1);
            }
        }
        self.by_type(schema, depth)
    }

    fn by_type(&self, schema: &Value, depth: usize) -> Value {
        let kind = match schema.get("type") {
            Some(Value::Array(kinds)) => kinds.first().and_then(Value::as_str),
            Some(kind) => kind.as_str(),
            None => None,
        };
        match kind {
            Some("object") => self.object(schema, depth),
            Some("array") => self.array(schema, depth),
            Some("string") if schema.get("format") == Some(&json!("date-time")) => {
                json!("2012-01-15T04:00:00Z")
            }
            Some("string") => json!("text"),
            Some("integer") => {
                let least = schema.get("minimum").filter(|least| **least != json!(0));
                least.map_or(json!(1), Value::clone)
            }
            Some("number") => json!(0.5),
            Some("boolean") => json!(true),
            _ => Value::Null,
        }
    }

    fn object(&self, schema: &Value, depth: usize) -> Value {
        let mut object = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            object.insert(name.clone(), self.example(property, depth + 1));
        }
        let others = schema.get("additionalProperties").filter(|others| others.is_object());
        if let Some(others) = others {
            let name = schema.get("propertyNames").map(|names| self.example(names, depth + 1));
            let name = name.as_ref().and_then(Value::as_str).unwrap_or("name");
            object.insert(name.to_owned(), self.example(others, depth + 1));
        }
        Value::Object(object)
    }

    fn array(&self, schema: &Value, depth: usize) -> Value {
        if let Some(items) = schema.get("prefixItems").and_then(Value::as_array) {
            return items.iter().map(|item| self.example(item, depth + 1)).collect();
        }
        let item = schema.get("items").map_or(Value::Null, |item| self.example(item, depth + 1));
        let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(1).max(1);
        (0..least.min(64)).map(|_| item.clone()).collect()
    }
}
