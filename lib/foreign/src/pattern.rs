//! Patterns with a placeholder for the customer.

use cofferdam_core::{Personal, Whose};
use serde::Deserialize;

use crate::target::{Reading, Target, fold_name};

/// The pattern of a path, such as `/customers/{customer}/profile` or `/find?q={email}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern {
    /// The pattern as it was written.
    text: String,
    segments: Vec<Part>,
    /// Whether any number of segments may follow.
    open: bool,
    parameters: Vec<(String, Part)>,
}

/// One segment or one value of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Any,
    Literal(String),
    Name { kind: Kind, before: String, after: String },
}

/// The kind of name for which a placeholder stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Customer,
    Email,
}

/// The kind of text that stands at a placeholder.
#[derive(Debug)]
enum Found {
    /// There is no placeholder.
    Nothing,
    /// A name, which may be empty.
    Name(Kind, Personal),
}

impl Found {
    fn or(self, other: Self) -> Self {
        if matches!(self, Self::Nothing) { other } else { self }
    }
}

/// A pattern that can't be understood.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPattern {
    /// A path is not absolute.
    #[error("{0}: a path begins with /")]
    NoSlash(String),
    /// A placeholder is neither `{customer}` nor `{email}`.
    #[error("{0}: {1} is no placeholder; there are {{customer}} and {{email}}")]
    Unknown(String, String),
    /// More than one placeholder.
    #[error("{0}: a pattern has one placeholder at most")]
    Several(String),
    /// A `**` that is not the last segment, or a `*` within a segment.
    #[error("{0}: * stands for a whole segment, and ** is the last one")]
    Star(String),
}

impl Part {
    fn parse(text: &str, whole: &str) -> Result<Self, BadPattern> {
        if text == "*" {
            return Ok(Self::Any);
        }
        if text.contains('*') {
            return Err(BadPattern::Star(whole.to_owned()));
        }
        let Some((before, rest)) = text.split_once('{') else {
            return Ok(Self::Literal(text.to_owned()));
        };
        let unclosed = || BadPattern::Unknown(whole.to_owned(), format!("{{{rest}"));
        let (name, after) = rest.split_once('}').ok_or_else(unclosed)?;
        let kind = match name {
            "customer" => Kind::Customer,
            "email" => Kind::Email,
            _ => return Err(BadPattern::Unknown(whole.to_owned(), format!("{{{name}}}"))),
        };
        if after.contains(['{', '}']) {
            return Err(BadPattern::Several(whole.to_owned()));
        }
        Ok(Self::Name { kind, before: before.to_owned(), after: after.to_owned() })
    }

    /// The name in the text; `None` if the text does not fit.
    fn fit(&self, text: &str) -> Option<Found> {
        match self {
            Self::Any => Some(Found::Nothing),
            Self::Literal(wanted) => (wanted == text).then_some(Found::Nothing),
            Self::Name { kind, before, after } => {
                let inner = text.strip_prefix(before.as_str())?.strip_suffix(after.as_str())?;
                Some(Found::Name(*kind, Personal::new(inner)))
            }
        }
    }

    /// Whether a text of the loose reading may fit.
    fn may_fit(&self, text: &str) -> bool {
        match self {
            Self::Literal(wanted) => wanted.to_lowercase() == text,
            Self::Any | Self::Name { .. } => true,
        }
    }

    /// Whether every text that fits the other part fits this one.
    fn holds(&self, other: &Self) -> bool {
        match self {
            Self::Any => true,
            Self::Literal(_) => self == other,
            Self::Name { before, after, .. } => match other {
                Self::Literal(text) => self.fit(text).is_some(),
                Self::Name { before: b, after: a, .. } => {
                    b.starts_with(before) && a.ends_with(after)
                }
                Self::Any => before.is_empty() && after.is_empty(),
            },
        }
    }
}

impl TryFrom<String> for Pattern {
    type Error = BadPattern;

    fn try_from(text: String) -> Result<Self, BadPattern> {
        let (path, query) = text.split_once('?').unwrap_or((&text, ""));
        let path = path.strip_prefix('/').ok_or_else(|| BadPattern::NoSlash(text.clone()))?;
        let open = path == "**" || path.ends_with("/**");
        let path = path.strip_suffix("**").map_or(path, |front| front.trim_end_matches('/'));
        let segments = path.split('/').filter(|_| !(open && path.is_empty()));
        let segments: Vec<_> =
            segments.map(|part| Part::parse(part, &text)).collect::<Result<_, _>>()?;
        let parameter = |part: &str| {
            let (name, value) = part.split_once('=').unwrap_or((part, "*"));
            Ok((name.to_owned(), Part::parse(value, &text)?))
        };
        let parameters = query.split('&').filter(|part| !part.is_empty());
        let parameters: Vec<_> = parameters.map(parameter).collect::<Result<_, _>>()?;
        let parts = segments.iter().chain(parameters.iter().map(|(_, part)| part));
        if parts.filter(|part| matches!(part, Part::Name { .. })).count() > 1 {
            return Err(BadPattern::Several(text.clone()));
        }
        Ok(Self { text, segments, open, parameters })
    }
}

impl Pattern {
    /// The pattern as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The customers that a target names in its exact reading; `None` if it does not fit.
    #[must_use]
    pub fn fit(&self, reading: &Reading, target: &Target) -> Option<Whose> {
        let mut found = Found::Nothing;
        if reading.segments.len() < self.segments.len()
            || (!self.open && reading.segments.len() > self.segments.len())
        {
            return None;
        }
        for (part, segment) in self.segments.iter().zip(&reading.segments) {
            found = found.or(part.fit(segment)?);
        }
        let mut twice = false;
        for (name, part) in &self.parameters {
            let mut values = reading.parameters.iter().filter(|(n, _)| n == name).map(|(_, v)| v);
            found = found.or(part.fit(values.next()?)?);
            // It is unknown which of several values the shop's application used.
            twice |= values.next().is_some() || target.respells(name);
        }
        Some(if twice { everybody("a parameter occurs more than once") } else { whose(found) })
    }

    /// Whether the loose reading of a target may fit.
    #[must_use]
    pub fn may_fit(&self, reading: &Reading) -> bool {
        let (here, there) = (&self.segments, &reading.segments);
        // The loose reading has no empty segment at its end.
        let here = here.strip_suffix(&[Part::Literal(String::new())]).unwrap_or(here);
        if there.len() < here.len() || (!self.open && there.len() > here.len()) {
            return false;
        }
        let parameter = |(name, part): &(String, Part)| {
            let name = fold_name(name);
            reading.parameters.iter().any(|(other, value)| *other == name && part.may_fit(value))
        };
        here.iter().zip(there).all(|(part, segment)| part.may_fit(segment))
            && self.parameters.iter().all(parameter)
    }

    /// Whether every target that fits the other pattern fits this one.
    #[must_use]
    pub fn holds(&self, other: &Self) -> bool {
        let (here, there) = (&self.segments, &other.segments);
        let same_length = here.len() == there.len() && self.open == other.open;
        let longer = self.open && there.len() >= here.len();
        self.parameters.is_empty()
            && (same_length || longer)
            && here.iter().zip(there).all(|(a, b)| a.holds(b))
    }
}

/// The form of a value in a JSON object, such as `profiles/{customer}.json`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ValuePattern(Vec<Part>);

impl TryFrom<String> for ValuePattern {
    type Error = BadPattern;

    fn try_from(text: String) -> Result<Self, BadPattern> {
        let parts: Vec<_> =
            text.split('/').map(|part| Part::parse(part, &text)).collect::<Result<_, _>>()?;
        match parts.iter().filter(|part| matches!(part, Part::Name { .. })).count() {
            1 => Ok(Self(parts)),
            0 => Err(BadPattern::Unknown(text, "a text without {customer}".to_owned())),
            _ => Err(BadPattern::Several(text)),
        }
    }
}

impl ValuePattern {
    /// The name in a value; `None` if the value does not fit.
    #[must_use]
    pub fn name_in(&self, value: &str) -> Option<Personal> {
        let mut found = Found::Nothing;
        let mut values = value.split('/');
        for part in &self.0 {
            found = found.or(part.fit(values.next()?)?);
        }
        match found {
            Found::Name(_, name) if values.next().is_none() && !name.expose().is_empty() => {
                Some(name)
            }
            _ => None,
        }
    }
}

fn whose(found: Found) -> Whose {
    match found {
        Found::Nothing => everybody("the request names no customer"),
        Found::Name(_, name) if name.expose().is_empty() => {
            everybody("the request names an empty customer")
        }
        Found::Name(Kind::Customer, key) => Whose::Keys(vec![key]),
        Found::Name(Kind::Email, address) => Whose::Emails(vec![address]),
    }
}

pub fn everybody(why: &str) -> Whose {
    Whose::Everybody { why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn a_pattern_finds_its_placeholder_or_does_not_match() {
        let key = |text: &str| Some(Whose::Keys(vec![Personal::new(text)]));
        let all = || Some(everybody("the request names no customer"));
        for (wanted, text, whose) in [
            ("/customers/{customer}", "/customers/47%2011?x=1", key("47 11")),
            ("/customers/{customer}", "/customers/47/orders", None),
            ("/customers/{customer}/**", "/customers/47/orders/2", key("47")),
            (
                "/customers/{customer}",
                "/customers/",
                Some(everybody("the request names an empty customer")),
            ),
            ("/*/p-{customer}.json", "/a/p-9.json", key("9")),
            ("/*/p-{customer}.json", "/a/q-9.json", None),
            ("/find?id={customer}", "/find?a=b&id=7", key("7")),
            (
                "/find?id={customer}",
                "/find?id=7&id=8",
                Some(everybody("a parameter occurs more than once")),
            ),
            (
                "/find?id={customer}",
                "/find?id=7&id[]=8",
                Some(everybody("a parameter occurs more than once")),
            ),
            (
                "/find?id={customer}",
                "/find?id=",
                Some(everybody("the request names an empty customer")),
            ),
            ("/find?id={customer}", "/find", None),
            ("/export", "/export?all=1", all()),
            ("/**", "/", all()),
        ] {
            let target = Target::parse(text);
            let reading = target.exact.as_ref().unwrap();
            assert_eq!(pattern(wanted).fit(reading, &target), whose, "{wanted} {text}");
            if whose.is_some() {
                assert!(pattern(wanted).may_fit(&target.loose) || text.ends_with('/'), "{wanted}");
            }
        }
        let target = Target::parse("/find?q=ada%40post.example");
        let email = Whose::Emails(vec![Personal::new("ada@post.example")]);
        let found = pattern("/find?q={email}").fit(target.exact.as_ref().unwrap(), &target);
        assert_eq!(found, Some(email));
    }

    #[test]
    fn patterns_that_mean_nothing_are_refused() {
        for text in
            ["customers", "/c/{id}", "/{customer}/{email}", "/a*/b", "/**/b", "/{customer", ""]
        {
            assert!(Pattern::try_from(text.to_owned()).is_err(), "{text}");
        }
        for text in ["profiles", "{id}.json", "{customer}/{customer}"] {
            assert!(ValuePattern::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_wider_pattern_holds_a_narrower_one() {
        for (wide, narrow, holds) in [
            ("/a/*", "/a/{customer}", true),
            ("/a/{customer}", "/a/b", true),
            ("/**", "/a/{customer}?x=1", true),
            ("/a/**", "/b/c", false),
            ("/a?x=1", "/a", false),
            ("/a/b", "/a/*", false),
        ] {
            assert_eq!(pattern(wide).holds(&pattern(narrow)), holds, "{wide} {narrow}");
        }
    }
}
