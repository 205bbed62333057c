//! Names of relations, columns and functions, as PostgreSQL folds and quotes them.

use std::fmt;

use sqlparser::ast::{Ident, ObjectName, ObjectNamePart};

use crate::catalogue::Qualified;

/// The name that an identifier means: a quoted one stays as it is, any other is folded.
pub fn folded(ident: &Ident) -> String {
    match ident.quote_style {
        Some(_) => ident.value.clone(),
        None => ident.value.to_ascii_lowercase(),
    }
}

/// The name of a relation or a function in a statement or in a line of the log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// The schema, if it is given.
    pub schema: Option<String>,
    /// The name without its schema.
    pub bare: String,
}

/// The most characters of a part that are shown.
const MAX_SHOWN: usize = 63;

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |text: &str| text.chars().take(MAX_SHOWN).collect::<String>();
        match &self.schema {
            Some(schema) => write!(f, "{}.{}", part(schema), part(&self.bare)),
            None => f.write_str(&part(&self.bare)),
        }
    }
}

impl Name {
    /// The name in a statement; `None` if a part of it is computed.
    pub fn of(name: &ObjectName) -> Option<Self> {
        let mut parts = Vec::new();
        for part in &name.0 {
            let ObjectNamePart::Identifier(ident) = part else { return None };
            parts.push(folded(ident));
        }
        Some(Self { bare: parts.pop()?, schema: parts.pop() })
    }

    /// The name of a relation in a catalogue.
    pub fn from(name: &Qualified) -> Self {
        Self { schema: Some(name.schema.clone()), bare: name.name.clone() }
    }

    /// Whether two names may be one. A name without a schema may be of any schema.
    pub fn may_be(&self, other: &Self) -> bool {
        let schema = match (&self.schema, &other.schema) {
            (Some(own), Some(given)) => own == given,
            _ => true,
        };
        schema && self.bare == other.bare
    }

    /// The name of an object that the log names, such as `public."user"`.
    pub fn logged(text: &str) -> Self {
        let mut parts = split(text);
        let bare = parts.pop().map(|part| part.text).unwrap_or_default();
        Self { bare, schema: parts.pop().map(|part| part.text) }
    }
}

/// A part of a name in a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    text: String,
    quoted: bool,
}

impl Part {
    /// A column's name in a mapping: `"fullName"` in quotes is exact.
    pub fn column(text: &str) -> Self {
        let parts = split(text);
        match <[Self; 1]>::try_from(parts) {
            Ok([part]) => part,
            Err(_) => Self { text: text.to_owned(), quoted: true },
        }
    }

    /// Whether this part means a name. Without quotes, it means the name as written and the name
    /// in small letters, so that people may leave quotes out.
    pub fn fits(&self, name: &str) -> bool {
        self.text == name || (!self.quoted && self.text.to_ascii_lowercase() == name)
    }
}

/// The name of a relation or a function in a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    schema: Option<Part>,
    bare: Part,
}

impl Pattern {
    /// Parses a name such as `public.customer` or `public."user"`.
    pub fn parse(text: &str) -> Self {
        let mut parts = split(text);
        let nothing = || Part { text: String::new(), quoted: true };
        Self { bare: parts.pop().unwrap_or_else(nothing), schema: parts.pop() }
    }

    /// The name without its schema.
    pub fn bare(&self) -> &str {
        &self.bare.text
    }

    /// Whether a name may mean this one. A name without a schema may be of any schema.
    pub fn fits(&self, name: &Name) -> bool {
        let schema = match (&self.schema, &name.schema) {
            (Some(own), Some(given)) => own.fits(given),
            _ => true,
        };
        schema && self.bare.fits(&name.bare)
    }
}

/// Splits a name at the dots that stand outside of quotes.
fn split(text: &str) -> Vec<Part> {
    let (mut parts, mut part) = (Vec::new(), Part { text: String::new(), quoted: false });
    let (mut inside, mut chars) = (false, text.chars().peekable());
    while let Some(c) = chars.next() {
        match c {
            '"' if inside && chars.peek() == Some(&'"') => {
                chars.next();
                part.text.push('"');
            }
            '"' => {
                inside = !inside;
                part.quoted = true;
            }
            '.' if !inside => {
                parts.push(std::mem::replace(
                    &mut part,
                    Part { text: String::new(), quoted: false },
                ));
            }
            other => part.text.push(other),
        }
    }
    parts.push(part);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapped_name_means_what_postgres_would_take_it_for() {
        for (mapped, logged, fits) in [
            ("public.customer", "public.customer", true),
            ("public.user", "public.\"user\"", true),
            ("public.\"user\"", "public.\"user\"", true),
            ("public.Customer", "public.\"Customer\"", true),
            ("public.Customer", "public.customer", true),
            ("public.\"Customer\"", "public.customer", false),
            ("public.customer", "public.\"Customer\"", false),
            ("public.customer", "shop.customer", false),
            ("customer", "shop.customer", true),
            ("public.\"a.b\"", "public.\"a.b\"", true),
            ("public.\"a\"\"b\"", "public.\"a\"\"b\"", true),
        ] {
            assert_eq!(
                Pattern::parse(mapped).fits(&Name::logged(logged)),
                fits,
                "{mapped} {logged}"
            );
        }
    }
}
