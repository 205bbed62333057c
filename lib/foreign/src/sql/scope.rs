//! The relations that a `FROM` brings into view, and the columns that a name may mean.

use cofferdam_core::FieldSet;

use super::known::Known;
use super::names::Name;
use super::walk::Inner;

/// The relations of one `FROM`.
#[derive(Debug, Default)]
pub struct Scope {
    pub factors: Vec<Factor>,
    /// The factors before this place are out of view.
    pub visible_from: usize,
    /// The columns that a `USING` merges.
    pub merged: Vec<String>,
}

/// A relation in a `FROM`.
#[derive(Debug)]
pub struct Factor {
    /// The name that qualifies its columns.
    pub alias: String,
    /// The use of a table with customers' data; `None` for any other relation.
    pub used: Option<usize>,
    /// The columns that a relation without customers' data surely has.
    pub columns: Vec<String>,
    /// The subquery that the relation is.
    pub inner: Option<Inner>,
    /// The name of the table that it is, if its columns have their own names.
    pub origin: Option<Name>,
}

/// A use of a table with customers' data.
#[derive(Debug)]
pub struct Use {
    /// The table's place in [`Known::tables`].
    pub table: usize,
    /// The fields that the statement reads of it.
    pub fields: FieldSet,
}

/// The scopes that are in view, and the uses of the whole statement.
#[derive(Debug, Default)]
pub struct Scopes {
    /// All scopes, also those that are over.
    pub all: Vec<Scope>,
    /// The places of the scopes in view, the innermost last.
    pub stack: Vec<usize>,
    pub uses: Vec<Use>,
    /// The number of fields that were added so far.
    pub added: usize,
}

/// A name that no relation in view has.
#[derive(Debug)]
pub struct NotInView;

impl Scopes {
    /// Opens a scope out of view.
    pub fn open(&mut self) -> usize {
        self.all.push(Scope::default());
        self.all.len() - 1
    }

    pub fn start_use(&mut self, table: usize) -> usize {
        self.uses.push(Use { table, fields: FieldSet::EMPTY });
        self.uses.len() - 1
    }

    fn add(&mut self, used: usize, fields: FieldSet) {
        self.added += usize::from(!fields.is_empty());
        self.uses[used].fields = self.uses[used].fields.union(fields);
    }

    /// The factors of a scope that are in view, with their places.
    pub fn visible(&self, scope: usize) -> impl Iterator<Item = (usize, &Factor)> {
        let scope = &self.all[scope];
        scope.factors.iter().enumerate().skip(scope.visible_from)
    }

    /// Reads a column of the relation that `qualifier` names. A column that the mapping does not
    /// list may be a function of the whole row (`c.to_jsonb`).
    pub fn read_qualified(
        &mut self,
        known: &Known,
        qualifier: &str,
        column: &str,
    ) -> Result<(), NotInView> {
        for used in self.named(qualifier)? {
            let table = &known.tables[self.uses[used].table];
            self.add(used, table.fields_of(column));
        }
        Ok(())
    }

    /// Reads all columns of the relation that `qualifier` names.
    pub fn read_row(&mut self, known: &Known, qualifier: &str) -> Result<(), NotInView> {
        for used in self.named(qualifier)? {
            self.add(used, known.tables[self.uses[used].table].all);
        }
        Ok(())
    }

    /// Reads all columns of the innermost scope.
    pub fn read_all(&mut self, known: &Known) {
        let Some(scope) = self.stack.last() else { return };
        let used: Vec<_> = self.visible(*scope).filter_map(|(_, factor)| factor.used).collect();
        for used in used {
            self.add(used, known.tables[self.uses[used].table].all);
        }
    }

    /// Reads a column without a qualifier. Every table that may have it counts, from the innermost
    /// scope to the first one that surely has it. The name may also mean a whole row.
    pub fn read_bare(&mut self, known: &Known, column: &str) {
        let mut read = Vec::new();
        for scope in self.stack.iter().rev() {
            let sure =
                self.visible(*scope).any(|(_, factor)| self.surely_has(known, factor, column));
            for (_, factor) in self.visible(*scope) {
                let Some(used) = factor.used else { continue };
                let table = &known.tables[self.uses[used].table];
                // If another relation surely had the column, PostgreSQL would refuse the name as
                // ambiguous, unless `USING` merges both.
                if factor.alias == column {
                    read.push((used, table.all));
                } else if !sure || self.surely_has(known, factor, column) {
                    read.push((used, table.fields_of(column)));
                }
            }
            if sure {
                break;
            }
        }
        for (used, fields) in read {
            self.add(used, fields);
        }
    }

    fn surely_has(&self, known: &Known, factor: &Factor, column: &str) -> bool {
        match factor.used {
            Some(used) => known.tables[self.uses[used].table].has(column),
            None => factor.columns.iter().any(|own| own == column),
        }
    }

    /// The scope and the factor of a column: the factor is `None` if it can't be told. Without any
    /// scope in which the column may be, there is none.
    pub fn place(
        &self,
        known: &Known,
        qualifier: Option<&str>,
        column: &str,
    ) -> Option<(usize, Option<usize>)> {
        for scope in self.stack.iter().rev() {
            if let Some(qualifier) = qualifier {
                let mut named = self.visible(*scope).filter(|(_, f)| f.alias == qualifier);
                if let Some((factor, _)) = named.next() {
                    return named.next().is_none().then_some((*scope, Some(factor)));
                }
                continue;
            }
            if self.all[*scope].merged.iter().any(|merged| merged == column) {
                return Some((*scope, None));
            }
            let mut sure = self.visible(*scope).filter(|(_, f)| self.surely_has(known, f, column));
            match (sure.next(), sure.next()) {
                (Some((factor, _)), None) => return Some((*scope, Some(factor))),
                (Some(_), Some(_)) => return Some((*scope, None)),
                (None, _) => {
                    let mut visible = self.visible(*scope);
                    match (visible.next(), visible.next()) {
                        (None, _) => {}
                        // There is no other relation whose column it could be.
                        (Some((factor, _)), None) if self.stack.len() == 1 => {
                            return Some((*scope, Some(factor)));
                        }
                        _ => return Some((*scope, None)),
                    }
                }
            }
        }
        None
    }

    /// The uses that a qualifier names in the innermost scope that has it.
    fn named(&self, qualifier: &str) -> Result<Vec<usize>, NotInView> {
        for scope in self.stack.iter().rev() {
            let mut named =
                self.visible(*scope).filter(|(_, factor)| factor.alias == qualifier).peekable();
            if named.peek().is_some() {
                return Ok(named.filter_map(|(_, factor)| factor.used).collect());
            }
        }
        Err(NotInView)
    }
}
