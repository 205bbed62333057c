//! The meaning of names by a catalogue and by the definitions of logs.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::changes::{Change, Changes};
use super::known::{Known, Relation};
use super::names::Name;
use super::views::View;
use crate::catalogue::{self, Catalogue, Kind, Qualified};
use crate::mapping::Pgaudit;

/// The meanings that names of relations have beyond the mapping.
#[derive(Debug, Default)]
pub struct Meanings {
    /// By the name without its schema: the relations with this name.
    by_name: HashMap<String, Vec<Entry>>,
    pub views: Vec<View>,
    /// Functions of the shop that extensions did not bring.
    functions: BTreeSet<String>,
    /// Functions that a log defines.
    defined: Vec<Name>,
    /// Whether a definition of a log can't be followed. No name has a known meaning then.
    lost: bool,
    /// The relations whose keys a log changes; `None` stands for any.
    lost_keys: Vec<Option<Name>>,
}

#[derive(Debug)]
struct Entry {
    /// `None` if the log does not say in which schema the relation is.
    schema: Option<String>,
    relation: Relation,
    /// The columns, as far as they are known.
    columns: Vec<String>,
}

/// The meaning of a name.
#[derive(Debug, Clone, Copy)]
pub struct Meaning<'a> {
    pub relation: Relation,
    pub columns: &'a [String],
}

const UNKNOWN: Meaning<'static> = Meaning { relation: Relation::Unknown, columns: &[] };

impl Meanings {
    /// Gives names their meaning. `known` has the mapping's names.
    pub fn new(known: &Known, mapping: &Pgaudit) -> Self {
        let mut meanings = Self::default();
        if let Some(catalogue) = &mapping.known_catalogue {
            meanings.take(known, catalogue);
        }
        meanings.follow(known, &mapping.changes);
        meanings
    }

    /// The meaning of a name; `None` if neither catalogue nor log has it.
    pub fn of(&self, name: &Name) -> Option<Meaning<'_>> {
        if self.lost {
            return Some(UNKNOWN);
        }
        let mut fitting = self.entries(name);
        let first = fitting.next()?;
        let same = fitting.all(|entry| entry.relation == first.relation);
        let columns: &[String] = if same { &first.columns } else { &[] };
        let relation = if same { first.relation } else { Relation::Ambiguous };
        Some(Meaning { relation, columns })
    }

    fn entries(&self, name: &Name) -> impl Iterator<Item = &Entry> {
        let schema = name.schema.clone();
        let fits = move |entry: &&Entry| match (&entry.schema, &schema) {
            (Some(own), Some(given)) => own == given,
            _ => true,
        };
        self.by_name.get(&name.bare).into_iter().flatten().filter(fits)
    }

    /// Whether a name means this relation of the catalogue, and no other.
    pub fn is_surely(&self, name: &Name, relation: &Qualified) -> bool {
        let mut entries = self.entries(name);
        let only = entries.next().filter(|_| entries.next().is_none());
        let same = |entry: &Entry| {
            entry.schema.as_ref() == Some(&relation.schema) && name.bare == relation.name
        };
        !self.lost && only.is_some_and(same)
    }

    /// Whether a log changes the keys of a relation.
    pub fn has_lost_keys(&self, relation: &Qualified) -> bool {
        let own = Name::from(relation);
        let lost = |of: &Option<Name>| of.as_ref().is_none_or(|name| name.may_be(&own));
        self.lost || self.lost_keys.iter().any(lost)
    }

    /// Whether a log defines a function of this name.
    pub fn has_other_code(&self, function: &Name) -> bool {
        self.lost || self.defined.iter().any(|defined| defined.may_be(function))
    }

    /// Whether the shop has a function of its own with this name.
    pub fn has_function(&self, bare: &str) -> bool {
        self.functions.contains(bare)
    }

    fn take(&mut self, known: &Known, catalogue: &Catalogue) {
        let relations = catalogue.relations.iter();
        let parents = relations.map(|of| (&of.name, of.parents.as_slice())).collect();
        for relation in &catalogue.relations {
            let own = known.mapped(&Name::from(&relation.name));
            let meaning = match (own, relation.kind, &relation.query) {
                (Relation::Unknown, Kind::Sequence, _) => Relation::Harmless,
                (Relation::Unknown, Kind::View | Kind::MaterializedView, Some(query)) => {
                    self.views.push(View::new(query));
                    Relation::View(self.views.len() - 1)
                }
                (Relation::Unknown, ..) => inherited(known, &parents, &relation.name),
                (own, ..) => own,
            };
            let columns = relation.columns.iter().map(|of| of.name.clone()).collect();
            self.add(&Name::from(&relation.name), meaning, columns);
        }
        let own = |of: &&catalogue::Function| !of.extension;
        let functions = catalogue.functions.iter().filter(own);
        self.functions = functions.map(|of| of.name.name.clone()).collect();
    }

    fn add(&mut self, name: &Name, relation: Relation, columns: Vec<String>) {
        let entry = Entry { schema: name.schema.clone(), relation, columns };
        self.by_name.entry(name.bare.clone()).or_default().push(entry);
    }

    /// Takes away a meaning from all names that have it.
    pub fn lose(&mut self, meaning: Relation) {
        for entry in self.by_name.values_mut().flatten() {
            if entry.relation == meaning {
                entry.relation = Relation::Unknown;
            }
        }
    }

    /// Takes away the meaning of a name, also that of the mapping.
    fn forget(&mut self, name: &Name) {
        for entry in self.by_name.entry(name.bare.clone()).or_default() {
            let fits = entry.schema.is_none() || name.schema.is_none();
            if fits || entry.schema == name.schema {
                entry.relation = Relation::Unknown;
            }
        }
        self.add(name, Relation::Unknown, Vec::new());
    }

    fn forget_both(&mut self, one: &Name, other: &Name) {
        self.forget(one);
        self.forget(other);
    }

    /// Follows the definitions of logs. A transaction may have been rolled back, so what a name
    /// meant before stays one of its meanings.
    fn follow(&mut self, known: &Known, changes: &Changes) {
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for change in &changes.all {
            for name in names(change) {
                *times.entry(&name.bare).or_default() += 1;
            }
        }
        for change in &changes.all {
            let only = names(change).into_iter().all(|name| times[name.bare.as_str()] == 1);
            match change {
                Change::Anything => self.lost = true,
                Change::Relation(name) => self.forget(name),
                Change::Function(name) => self.defined.push(name.clone()),
                Change::Keys(name) => self.lost_keys.push(name.clone()),
                Change::View { name, query } => self.define(known, name, query),
                Change::Renamed { from, to } if only => self.rename(known, from, to),
                Change::Renamed { from, to } => self.forget_both(from, to),
                Change::Partition { .. } => {}
            }
        }
        // A partition of a table has the meaning of the table, which is known by now.
        for change in &changes.all {
            if let Change::Partition { name, of, new } = change {
                self.attach(known, name, of, *new);
            }
        }
    }

    fn relation(&self, known: &Known, name: &Name) -> Relation {
        self.of(name).map_or_else(|| known.mapped(name), |meaning| meaning.relation)
    }

    /// Adds a query to the meanings of a view.
    fn define(&mut self, known: &Known, name: &Name, query: &str) {
        let existing: Vec<_> = self.entries(name).map(|entry| entry.relation).collect();
        match existing[..] {
            [] if known.mapped(name) == Relation::Unknown => {
                self.views.push(View::new(query));
                self.add(name, Relation::View(self.views.len() - 1), Vec::new());
            }
            [Relation::View(view)] => self.views[view].add(query),
            _ => self.forget(name),
        }
    }

    /// Lets two names mean the same, if the log or the catalogue knows one of them.
    fn rename(&mut self, known: &Known, from: &Name, to: &Name) {
        match (self.relation(known, from), self.relation(known, to)) {
            (Relation::Unknown | Relation::Ambiguous, Relation::Unknown) => {}
            (meaning, Relation::Unknown) if self.of(to).is_none() => {
                self.add(to, meaning, Vec::new());
            }
            (Relation::Unknown, meaning) if self.of(from).is_none() => {
                self.add(from, meaning, Vec::new());
            }
            _ => self.forget_both(from, to),
        }
    }

    fn attach(&mut self, known: &Known, name: &Name, of: &Name, new: bool) {
        let (own, table) = (self.relation(known, name), self.relation(known, of));
        match (own, table) {
            (_, Relation::Unknown) => {}
            (Relation::Ambiguous, _) | (_, Relation::Ambiguous) => self.forget_both(name, of),
            (own, table) if own == table => {}
            (Relation::Unknown, table @ (Relation::Table(_) | Relation::Harmless))
                if self.of(name).is_none() && (new || table != Relation::Harmless) =>
            {
                self.add(name, table, Vec::new());
            }
            // The whole table then holds what its new part holds.
            _ => self.forget_both(name, of),
        }
    }
}

/// The names of relations that a change concerns.
fn names(change: &Change) -> Vec<&Name> {
    match change {
        Change::Anything | Change::Function(_) | Change::Keys(_) => Vec::new(),
        Change::Relation(name) | Change::View { name, .. } | Change::Partition { name, .. } => {
            vec![name]
        }
        Change::Renamed { from, to } => vec![from, to],
    }
}

/// The meaning of a table without one of its own: that of the only mapped table of which it is a
/// partition or an heir.
fn inherited(
    known: &Known,
    parents: &HashMap<&Qualified, &[Qualified]>,
    name: &Qualified,
) -> Relation {
    let (mut seen, mut left, mut mapped) = (BTreeSet::from([name]), vec![name], BTreeSet::new());
    while let Some(name) = left.pop() {
        for parent in parents.get(name).copied().unwrap_or_default() {
            if let Relation::Table(table) = known.mapped(&Name::from(parent)) {
                mapped.insert(table);
            }
            if seen.insert(parent) {
                left.push(parent);
            }
        }
    }
    match mapped.into_iter().collect::<Vec<_>>()[..] {
        [table] => Relation::Table(table),
        _ => Relation::Unknown,
    }
}
