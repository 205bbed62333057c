//! Tables whose customer's key is in another table: the address of an order, whose customer is the
//! order's. A statement names the customer only if it joins that table.

use super::meanings::Meanings;
use super::names::{Name, Part, Pattern};
use crate::catalogue::{Catalogue, Qualified, Relation};
use crate::mapping::{Step as Mapped, Table};

/// The way from a row to the customer's key.
#[derive(Debug)]
pub struct Through {
    pub steps: Vec<Step>,
    /// The column with the customer's key in the last table.
    key: Part,
    /// Whether each row surely leads to one row of the last table at most.
    pub proved: bool,
}

/// A step to the row of another table.
#[derive(Debug)]
pub struct Step {
    column: Part,
    pattern: Pattern,
    id: Part,
    /// The other table, once the catalogue has shown it.
    table: Option<Qualified>,
}

impl Through {
    /// The way of a table of the mapping; `None` if it has the key itself.
    pub fn of(table: &Table) -> Option<Self> {
        let step = |of: &Mapped| Step {
            column: Part::column(&of.column),
            pattern: Pattern::parse(&of.table),
            id: Part::column(&of.id),
            table: None,
        };
        let steps: Vec<_> = table.through.iter().map(step).collect();
        let key = Part::column(&table.key);
        (!steps.is_empty()).then_some(Self { steps, key, proved: false })
    }

    pub fn is_key(&self, column: &str) -> bool {
        self.key.fits(column)
    }

    /// Follows the way in a catalogue, from the relation whose rows it starts at. The way holds if each
    /// step leads to one row at most: a second row could be another customer's. An error says where it
    /// does not.
    pub fn prove(&mut self, own: &Relation, catalogue: &Catalogue) -> Result<(), String> {
        let mut from = own;
        for step in &mut self.steps {
            let exact = |of: &Relation, part: &Part| match of.column(part) {
                None => Err(format!("{} has no such column", of.name)),
                Some(column) if !column.is_exact() => Err(format!(
                    "the type of {}.{} takes several values for one",
                    of.name, column.name
                )),
                Some(column) => Ok(column.name.clone()),
            };
            exact(from, &step.column)?;
            let fits = |of: &&Relation| step.pattern.fits(&Name::from(&of.name));
            let mut named = catalogue.relations.iter().filter(fits);
            let (Some(to), None) = (named.next(), named.next()) else {
                return Err(format!(
                    "the catalogue has no table {}, or several",
                    step.pattern.bare()
                ));
            };
            let id = exact(to, &step.id)?;
            if !to.is_unique(&id, catalogue) {
                return Err(format!("the catalogue does not show that {}.{id} is unique", to.name));
            }
            step.table = Some(to.name.clone());
            from = to;
        }
        match from.column(&self.key) {
            Some(key) if key.is_exact() => self.proved = true,
            Some(_) => return Err("the type of the key takes several keys for one".to_owned()),
            None => return Err(format!("{} has no column with the key", from.name)),
        }
        Ok(())
    }

    /// Takes the proof away if definitions in a log change a key on the way.
    pub fn doubt(&mut self, meanings: &Meanings) {
        let lost = |step: &Step| step.table.as_ref().is_some_and(|of| meanings.has_lost_keys(of));
        self.proved &= !self.steps.iter().any(lost);
    }

    /// Whether a column names the row of the first step.
    pub fn starts_at(&self, column: &str) -> bool {
        self.steps.first().is_some_and(|step| step.column.fits(column))
    }
}

impl Step {
    pub fn is_from(&self, column: &str) -> bool {
        self.column.fits(column)
    }

    pub fn is_to(&self, column: &str) -> bool {
        self.id.fits(column)
    }

    pub const fn table(&self) -> Option<&Qualified> {
        self.table.as_ref()
    }
}
