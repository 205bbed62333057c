//! Requests to a web server: the customers that each touched, whatever its spelling.

use cofferdam_core::{Access, CallerName, Domain, Field, FieldSet, Operation, Whose};

use crate::mapping::{Direction, PathRule};
use crate::pattern::{Pattern, everybody};
use crate::target::Target;
use crate::time::Instants;
use crate::{Item, Take, shape};

/// The most clients that one line may name. More are not told apart: the line is then unreadable.
const MAX_CLIENTS: usize = 32;

/// The statuses of answers that refuse a request as such.
const REFUSALS: [u16; 19] =
    [400, 401, 403, 404, 405, 406, 407, 408, 411, 413, 414, 415, 417, 421, 426, 429, 431, 501, 505];

/// The rules for paths of a mapping.
#[derive(Debug, Clone, Copy)]
pub struct PathRules<'a> {
    /// The first rule that fits applies.
    pub rules: &'a [PathRule],
    /// Paths that give out nothing about customers.
    pub harmless: &'a [Pattern],
}

/// A request and its answer, as a log has them.
#[derive(Debug)]
pub struct Request<'a> {
    /// The method; empty if the request line has none.
    pub method: &'a str,
    /// The target as the request line has it.
    pub target: &'a str,
    /// The status of the answer, if the log has it.
    pub status: Option<u16>,
    /// The bytes of the answer's body, if the log has them.
    pub body: Option<u64>,
}

/// A line of a log: its number, its instants and the hosts that it names.
#[derive(Debug)]
pub struct Line {
    /// The number of the line, from 1.
    pub number: u64,
    /// The instant of the line.
    pub at: Instants,
    /// Every address that may be the client's.
    pub clients: Vec<CallerName>,
    /// The server, the user or the key.
    pub via: CallerName,
}

/// The effect of a request or an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// It touched customers' data.
    Touched {
        /// The direction of the data.
        operation: Operation,
        /// The fields that it touched.
        fields: FieldSet,
        /// The customers whose data it touched.
        whose: Whose,
        /// Whether a rule of the mapping names it.
        named: bool,
    },
    /// It touched no customer's data.
    Harmless,
}

impl<'a> Request<'a> {
    /// Splits a request line into method and target. Servers accept more than one space.
    #[must_use]
    pub fn parse(line: &'a str, status: Option<u16>, body: Option<u64>) -> Self {
        let (method, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        let target = rest.rsplit_once(' ').filter(|(_, last)| last.starts_with("HTTP/"));
        let target = target.map_or(rest, |(target, _)| target).trim();
        Self { method, target, status, body }
    }

    /// Whether the answer can hold no data (RFC 9110, section 15). An answer without content says
    /// nothing, and neither does one that refuses the request as such.
    fn gives_nothing(&self) -> bool {
        match self.status {
            Some(100..=199 | 204 | 205 | 304) => true,
            Some(300..=399) => self.body == Some(0),
            Some(status) => REFUSALS.contains(&status),
            None => false,
        }
    }
}

/// Every field that a customer table may hold.
pub fn all_fields() -> FieldSet {
    let held = |field: &&Field| field.domain() == Domain::Accounts && **field != Field::Session;
    Field::ALL.iter().filter(held).copied().collect()
}

impl PathRules<'_> {
    /// The effect of a request. A request that no rule names counts as everybody's.
    #[must_use]
    pub fn effect(self, request: &Request<'_>) -> Effect {
        // A question about the server as a whole, which Apache also asks itself.
        if request.method == "OPTIONS" && request.target == "*" {
            return Effect::Harmless;
        }
        let target = Target::parse(request.target);
        let exact = target.exact.as_ref().and_then(|reading| {
            let mut rules = self.rules.iter().filter(|rule| rule.takes(request.method));
            rules.find_map(|rule| Some((rule, rule.pattern.fit(reading, &target)?)))
        });
        match exact {
            Some((rule, _)) if request.gives_nothing() && rule.level == Direction::Read => {
                Effect::Harmless
            }
            Some((rule, whose)) => {
                let fields = rule.fields.iter().copied().collect();
                let operation = rule.level.operation();
                Effect::Touched { operation, fields, whose, named: true }
            }
            None => self.effect_of_unnamed(request, &target),
        }
    }

    /// The effect of a request that no rule fits as servers read it.
    fn effect_of_unnamed(self, request: &Request<'_>, target: &Target) -> Effect {
        let gives_nothing = request.gives_nothing();
        // The fallen server saw what was presented, whatever it answered.
        let counts = |rule: &&PathRule| !gives_nothing || rule.level == Direction::Presented;
        let may_fit = self.may_fit(request, target).filter(counts);
        let may_fit: FieldSet = may_fit.flat_map(|rule| rule.fields.iter().copied()).collect();
        if may_fit.is_empty() && (gives_nothing || self.is_harmless(target)) {
            return Effect::Harmless;
        }
        let named = !may_fit.is_empty();
        let (fields, why) = if named {
            (may_fit, "the path may be read in several ways")
        } else if target.exact.is_none() {
            (all_fields(), "servers may read the path differently")
        } else {
            (all_fields(), "no rule names the request")
        };
        let operation = if gives_nothing { Operation::Seal } else { Operation::Release };
        Effect::Touched { operation, fields, whose: everybody(why), named }
    }

    fn may_fit(&self, request: &Request<'_>, target: &Target) -> impl Iterator<Item = &PathRule> {
        let takes = |rule: &&PathRule| rule.takes(request.method);
        self.rules.iter().filter(takes).filter(|rule| rule.pattern.may_fit(&target.loose))
    }

    /// Whether a path is harmless in each of its readings.
    fn is_harmless(self, target: &Target) -> bool {
        let Some(exact) = &target.exact else { return false };
        let fits = |pattern: &&Pattern| pattern.fit(exact, target).is_some();
        let may_fit = |pattern: &&Pattern| pattern.may_fit(&target.loose);
        self.harmless.iter().any(|pattern| fits(&pattern))
            && self.harmless.iter().any(|pattern| may_fit(&pattern))
    }

    /// Hands the effect of a request on.
    pub fn take<E>(self, line: &Line, request: &Request<'_>, take: Take<'_, E>) -> Result<(), E> {
        hand_on(line, self.effect(request), &|| shape::of_request(request), take)
    }
}

impl PathRule {
    fn takes(&self, method: &str) -> bool {
        let fits = |own: &String| {
            own.eq_ignore_ascii_case(method)
                || (own.eq_ignore_ascii_case("GET") && method.eq_ignore_ascii_case("HEAD"))
        };
        self.methods.is_empty() || self.methods.iter().any(fits)
    }
}

/// Hands the effect of a line on: one access for each client and each instant that it may have had.
/// `shape` describes a line that no rule names.
pub fn hand_on<E>(
    line: &Line,
    effect: Effect,
    shape: &dyn Fn() -> String,
    take: Take<'_, E>,
) -> Result<(), E> {
    for at in line.at.iter() {
        take(Item::Seen(at))?;
    }
    let number = line.number;
    let Effect::Touched { operation, fields, whose, named } = effect else {
        return take(Item::Harmless { line: number });
    };
    if !named {
        take(Item::Unnamed { line: number, shape: shape() })?;
    }
    if line.clients.len() > MAX_CLIENTS {
        return take(Item::Bad { line: number, why: "the line names too many clients".to_owned() });
    }
    for caller in &line.clients {
        for at in line.at.iter() {
            take(Item::Access(Access {
                line: number,
                at,
                caller: caller.clone(),
                via: line.via.clone(),
                operation,
                fields,
                whose: whose.clone(),
            }))?;
        }
    }
    Ok(())
}

/// The names of clients in a list such as `X-Forwarded-For`, without ports. Each may be the client.
pub fn clients(list: &str) -> Vec<CallerName> {
    let mut names: Vec<_> = list
        .split(',')
        .map(|name| name.trim().trim_matches('"'))
        .filter(|name| !name.is_empty() && *name != "-")
        .map(|name| CallerName::from_foreign(without_port(name)))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// An address without its port. An IPv6 address with a port stands in brackets.
pub fn without_port(address: &str) -> &str {
    if let Some((inner, _)) = address.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return inner;
    }
    match address.split_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => address,
    }
}

#[cfg(test)]
mod tests;
