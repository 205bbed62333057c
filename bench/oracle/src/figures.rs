//! The figures: how many statements count as much as was read, more, or less.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display};

use crate::import::{Said, WAYS};
use crate::shop::PEOPLE;
use crate::statements::Statement;
use crate::truth::{Read, SetAside, Truth};

/// A statement for which the import says less than was read.
#[derive(Debug, Clone)]
pub struct UnderCount {
    pub statement: Statement,
    /// The way in which the import read it.
    pub way: &'static str,
    /// The people and fields that were read and are not counted.
    pub missing: Read,
}

/// The figures of one class of statements.
#[derive(Debug, Clone, Default)]
struct Class {
    measured: usize,
    exact: usize,
    /// Statements that count for people of whom nothing was read.
    people: usize,
    /// Those of them that count for everybody in the shop.
    everybody: usize,
    /// Statements that count for more fields of the people of whom something was read.
    fields: usize,
    set_aside: BTreeMap<SetAside, usize>,
    /// The statements that count for more, by the reason that the import gives.
    reasons: BTreeMap<String, usize>,
    /// A statement that counts for more, as an example.
    example: Option<String>,
}

/// The figures of a run.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    classes: BTreeMap<&'static str, Class>,
    /// Statements that tell that somebody is a customer, and nothing else of that person.
    presence: usize,
    pub under: Vec<UnderCount>,
}

impl Figures {
    pub fn set_aside(&mut self, statement: &Statement, why: SetAside) {
        let class = self.classes.entry(statement.class).or_default();
        *class.set_aside.entry(why).or_default() += 1;
    }

    /// Counts a statement with its truth and what the import says in each way.
    pub fn count(&mut self, statement: &Statement, truth: &Truth, said: &[Said; 4]) {
        let class = self.classes.entry(statement.class).or_default();
        class.measured += 1;
        let read_of = |person: &u32| truth.read.iter().any(|(of, _)| of == person);
        self.presence += usize::from(!truth.present.iter().all(read_of));
        for (way, said) in WAYS.iter().zip(said) {
            let missing: Read = truth.read.difference(&said.read).copied().collect();
            if !missing.is_empty() {
                self.under.push(UnderCount { statement: statement.clone(), way, missing });
            }
        }
        let [said, ..] = said;
        if said.read == truth.read {
            class.exact += 1;
        } else if said.read.is_superset(&truth.read) {
            let people = |read: &Read| read.iter().map(|(person, _)| *person).collect();
            let (said_of, read_of): (BTreeSet<u32>, BTreeSet<u32>) =
                (people(&said.read), people(&truth.read));
            let for_everybody = said_of.len() == PEOPLE as usize;
            class.everybody += usize::from(said_of != read_of && for_everybody);
            *(if said_of == read_of { &mut class.fields } else { &mut class.people }) += 1;
            let reasons: Vec<_> = said.reasons.iter().map(String::as_str).collect();
            *class.reasons.entry(reasons.join("; ")).or_default() += 1;
            class.example.get_or_insert_with(|| statement.sql.clone());
        }
    }

    pub fn add(&mut self, other: Self) {
        for (name, of) in other.classes {
            let class = self.classes.entry(name).or_default();
            class.measured += of.measured;
            class.exact += of.exact;
            class.people += of.people;
            class.everybody += of.everybody;
            class.fields += of.fields;
            for (why, count) in of.set_aside {
                *class.set_aside.entry(why).or_default() += count;
            }
            for (why, count) in of.reasons {
                *class.reasons.entry(why).or_default() += count;
            }
            class.example = class.example.take().or(of.example);
        }
        self.presence += other.presence;
        self.under.extend(other.under);
    }

    /// The number of statements that were measured.
    #[must_use]
    pub fn measured(&self) -> usize {
        self.classes.values().map(|class| class.measured).sum()
    }
}

impl Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:28} {:>8} {:>8} {:>13} {:>13} {:>13}  set aside",
            "class", "measured", "exact", "more people", "everybody", "more fields"
        )?;
        let mut shop = Class::default();
        for (name, class) in &self.classes {
            writeln!(f, "{name:28} {class}")?;
            if *name != "sqlsmith" {
                shop.measured += class.measured;
                shop.exact += class.exact;
                shop.people += class.people;
                shop.everybody += class.everybody;
                shop.fields += class.fields;
            }
        }
        writeln!(f, "{:28} {shop}", "all but sqlsmith")?;
        for (name, class) in self.classes.iter().filter(|(_, class)| class.example.is_some()) {
            writeln!(f, "\n{name}: for example {}", class.example.as_deref().unwrap_or_default())?;
            let mut reasons: Vec<_> = class.reasons.iter().collect();
            reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
            for (why, count) in reasons.iter().take(5) {
                writeln!(f, "  {count:>6}  {}", if why.is_empty() { "narrowed" } else { why })?;
            }
        }
        for under in &self.under {
            let UnderCount { statement, way, missing } = under;
            writeln!(f, "\nUNDER-COUNT ({way}): {}", statement.sql)?;
            writeln!(f, "  parameters {:?}, missing {missing:?}", statement.parameters)?;
        }
        let (measured, under) = (self.measured(), self.under.len());
        writeln!(f, "\n{} tell that somebody is a customer, and nothing else", self.presence)?;
        write!(f, "{measured} measured, {under} under-counts")
    }
}

impl Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { measured, exact, people, everybody, fields, set_aside, .. } = self;
        let percent = |part: &usize| part * 100 / (*measured).max(1);
        write!(f, "{measured:>8} {exact:>8}")?;
        for part in [people, everybody, fields] {
            write!(f, " {part:>6} {:>4} %", percent(part))?;
        }
        for (why, count) in set_aside {
            write!(f, "  {count} {}", why.as_str())?;
        }
        Ok(())
    }
}
