//! Statements that write: what they supply, and what they read on the way.

use cofferdam_core::{FieldSet, Operation, Whose};
use sqlparser::ast::{
    Assignment, AssignmentTarget, ConflictTarget, Delete, Expr, FromTable, Insert, ObjectName,
    ObjectNamePart, OnConflict, OnConflictAction, OnInsert, SelectItem, SetExpr, TableFactor,
    TableObject, TableWithJoins, Update, UpdateTableFromKind,
};

use super::{Narrowed, Rows, Walk, Walked};
use crate::sql::names::{Name, folded};
use crate::sql::scope::Factor;
use crate::sql::{Doubt, everybody, keys, whose};

impl Walk<'_> {
    pub(super) fn insert(&mut self, insert: &Insert) -> Walked<Vec<String>> {
        let TableObject::TableName(name) = &insert.table else { return not_understood() };
        if !is_plain(insert) {
            return not_understood();
        }
        let table = self.relation(name)?;
        if let Some(source) = &insert.source {
            self.query(source, Rows::Chosen)?;
        }
        let columns: Vec<_> = insert.columns.iter().filter_map(column).collect();
        let whose = table.map(|table| self.inserted(table, &columns, insert));
        if let (Some(table), Some(whose)) = (table, &whose) {
            let all = self.known.tables[table].all;
            let of = |column: &String| self.known.tables[table].fields_of(column);
            let supplied = columns.iter().map(of).fold(FieldSet::EMPTY, FieldSet::union);
            let supplied = if columns.is_empty() { all } else { supplied };
            self.touch(table, Operation::Seal, supplied, whose.clone());
        }
        let alias = insert.table_alias.as_ref().map(|alias| folded(&alias.alias));
        let alias = alias.or_else(|| Name::of(name).map(|name| name.bare)).unwrap_or_default();
        let scope = self.scopes.open();
        // A new row tells nothing that was stored; a row that was there before does.
        let old = matches!(insert.on, Some(OnInsert::OnConflict(_)));
        let used = table.filter(|_| old).map(|table| self.scopes.start_use(table));
        let factor = Factor { alias, used, columns: Vec::new(), inner: None, origin: None };
        self.scopes.all[scope].factors.push(factor);
        self.scopes.stack.push(scope);
        if let Some(OnInsert::OnConflict(conflict)) = &insert.on {
            let whose = table.map(|table| self.in_the_way(table, conflict, insert));
            self.conflict(scope, table, conflict, whose.as_ref())?;
            let narrowed = used.zip(whose).map(|(used, whose)| Narrowed::by_name(used, whose));
            self.narrowed.extend(narrowed);
        }
        let results = self.returning(insert.returning.as_deref())?;
        self.scopes.stack.pop();
        Ok(results)
    }

    /// The customers whose rows an `INSERT` makes. Without a key, the row is a new customer's.
    fn inserted(&self, table: usize, columns: &[String], insert: &Insert) -> Whose {
        let known = &self.known.tables[table];
        if known.through.is_some() {
            return everybody("the customer's key is in another table");
        }
        if !columns.is_empty() && !columns.iter().any(|of| known.is_key(of)) {
            return Whose::Keys(Vec::new());
        }
        let keys = self.values(columns, insert, |column| known.is_key(column));
        let keys = keys.and_then(|values| whose::all(&values, keys::key));
        keys.map_or_else(
            || everybody("the statement does not say whose rows it makes"),
            Whose::Keys,
        )
    }

    /// The values that an `INSERT` gives to a column, if it names each of them.
    fn values(
        &self,
        columns: &[String],
        insert: &Insert,
        is_column: impl Fn(&str) -> bool,
    ) -> Option<Vec<String>> {
        let place = columns.iter().position(|column| is_column(column))?;
        let SetExpr::Values(values) = insert.source.as_ref()?.body.as_ref() else { return None };
        let rows = values.rows.iter();
        rows.map(|row| keys::literal(row.content.get(place)?, self.parameters)).collect()
    }

    /// The customers whose rows may be there before an `INSERT`. The row with the same key or e-mail
    /// address is known; if another column decides, it may be anybody's.
    fn in_the_way(&self, table: usize, conflict: &OnConflict, insert: &Insert) -> Whose {
        let known = &self.known.tables[table];
        let anybody = || everybody("a row that was there before may be anybody's");
        let Some(ConflictTarget::Columns(decide)) = &conflict.conflict_target else {
            return anybody();
        };
        let columns: Vec<_> = insert.columns.iter().filter_map(column).collect();
        if known.has_exact_key && decide.iter().all(|of| known.is_key(&folded(of))) {
            return match self.inserted(table, &columns, insert) {
                // A key that the statement does not name is a new one, or it is made by a trigger.
                Whose::Keys(names) if names.is_empty() => anybody(),
                named => named,
            };
        }
        if decide.iter().all(|of| known.is_email(&folded(of))) {
            let emails = self.values(&columns, insert, |column| known.is_email(column));
            let emails = emails.and_then(|values| whose::all(&values, keys::email));
            return emails.map_or_else(anybody, Whose::Emails);
        }
        anybody()
    }

    /// Walks `ON CONFLICT`. `whose` are the customers whose rows may be there before.
    fn conflict(
        &mut self,
        scope: usize,
        table: Option<usize>,
        conflict: &OnConflict,
        whose: Option<&Whose>,
    ) -> Walked {
        if let (Some(table), Some(whose)) = (table, whose) {
            // Whether a row was there before tells about the columns that decide it.
            let known = &self.known.tables[table];
            let told = match &conflict.conflict_target {
                Some(ConflictTarget::Columns(columns)) => {
                    let of = |column| known.fields_of(&folded(column));
                    columns.iter().map(of).fold(FieldSet::EMPTY, FieldSet::union)
                }
                _ => known.all,
            };
            self.touch(table, Operation::Release, told, whose.clone());
        }
        if let OnConflictAction::DoUpdate(update) = &conflict.action {
            self.scopes.all[scope].factors.push(Factor {
                alias: "excluded".to_owned(),
                used: None,
                columns: Vec::new(),
                inner: None,
                origin: None,
            });
            let supplied = self.assignments(table, &update.assignments)?;
            if let (Some(table), Some(whose)) = (table, whose) {
                self.touch(table, Operation::Seal, supplied, whose.clone());
            }
            if let Some(condition) = &update.selection {
                self.expr(condition, Rows::Chosen)?;
            }
            self.scopes.all[scope].factors.pop();
        }
        Ok(())
    }

    pub(super) fn update(&mut self, update: &Update) -> Walked<Vec<String>> {
        let more = match &update.from {
            None => &[][..],
            Some(UpdateTableFromKind::AfterSet(from)) => from,
            Some(UpdateTableFromKind::BeforeSet(_)) => return not_understood(),
        };
        let plain = update.output.is_none() && update.or.is_none();
        if !plain || !update.order_by.is_empty() || update.limit.is_some() {
            return not_understood();
        }
        let table = self.target(&update.table)?;
        let from: Vec<_> = std::iter::once(&update.table).chain(more).cloned().collect();
        let (scope, results, supplied) =
            self.changed(&from, update.selection.as_ref(), |walk| {
                let supplied = walk.assignments(table, &update.assignments)?;
                Ok((walk.returning(update.returning.as_deref())?, supplied))
            })?;
        let used = self.scopes.all[scope].factors.first().and_then(|factor| factor.used);
        if let (Some(table), Some(used)) = (table, used) {
            for whose in self.whose(used) {
                self.touch(table, Operation::Seal, supplied, whose);
            }
        }
        Ok(results)
    }

    pub(super) fn delete(&mut self, delete: &Delete) -> Walked<Vec<String>> {
        let FromTable::WithFromKeyword(from) = &delete.from else { return not_understood() };
        let [target] = &from[..] else { return not_understood() };
        let plain = delete.tables.is_empty() && delete.output.is_none();
        if !plain || !delete.order_by.is_empty() || delete.limit.is_some() {
            return not_understood();
        }
        self.target(target)?;
        let using = delete.using.iter().flatten();
        let from: Vec<_> = std::iter::once(target).chain(using).cloned().collect();
        let (_, results, ()) = self.changed(&from, delete.selection.as_ref(), |walk| {
            Ok((walk.returning(delete.returning.as_deref())?, ()))
        })?;
        Ok(results)
    }

    /// Walks the relations and the condition of an `UPDATE` or `DELETE`, and then `part`, which is
    /// computed for the chosen rows. Returns the scope and the results' names beside the part's own.
    fn changed<T>(
        &mut self,
        from: &[TableWithJoins],
        condition: Option<&Expr>,
        part: impl FnOnce(&mut Self) -> Walked<(Vec<String>, T)>,
    ) -> Walked<(usize, Vec<String>, T)> {
        let scope = self.scopes.open();
        let joined = self.from(scope, from)?;
        self.scopes.stack.push(scope);
        let outside = self.around.len();
        let facts = self.condition(condition)?;
        let (results, walked) = part(self)?;
        self.around.truncate(outside);
        self.narrow(scope, &facts, &joined);
        self.scopes.stack.pop();
        Ok((scope, results, walked))
    }

    /// The table that a statement writes, which stands alone.
    fn target(&mut self, target: &TableWithJoins) -> Walked<Option<usize>> {
        match &target.relation {
            TableFactor::Table { name, args: None, .. } if target.joins.is_empty() => {
                self.relation(name)
            }
            _ => not_understood(),
        }
    }

    /// Walks assignments and returns the fields that they supply.
    fn assignments(
        &mut self,
        table: Option<usize>,
        assignments: &[Assignment],
    ) -> Walked<FieldSet> {
        let mut supplied = FieldSet::EMPTY;
        for assignment in assignments {
            self.expr(&assignment.value, Rows::Chosen)?;
            let names = match &assignment.target {
                AssignmentTarget::ColumnName(name) => std::slice::from_ref(name),
                AssignmentTarget::Tuple(names) => names,
            };
            let Some(table) = table else { continue };
            for name in names {
                let Some(column) = column(name) else { return not_understood() };
                supplied = supplied.union(self.known.tables[table].fields_of(&column));
            }
        }
        Ok(supplied)
    }

    fn returning(&mut self, items: Option<&[SelectItem]>) -> Walked<Vec<String>> {
        self.projection(items.unwrap_or_default(), Rows::Chosen)
    }
}

/// The column that a name means as a target: its first part, because the others are parts of it.
fn column(name: &ObjectName) -> Option<String> {
    match name.0.first()? {
        ObjectNamePart::Identifier(ident) => Some(folded(ident)),
        ObjectNamePart::Function(_) => None,
    }
}

/// Whether an `INSERT` has only the clauses that the walk visits.
fn is_plain(insert: &Insert) -> bool {
    insert.or.is_none()
        && !insert.ignore
        && !insert.overwrite
        && insert.assignments.is_empty()
        && insert.partitioned.is_none()
        && insert.after_columns.is_empty()
        && insert.output.is_none()
        && !insert.replace_into
        && insert.priority.is_none()
        && insert.insert_alias.is_none()
        && insert.settings.is_none()
        && insert.format_clause.is_none()
        && insert.multi_table_insert_type.is_none()
        && !matches!(insert.on, Some(OnInsert::DuplicateKeyUpdate(_)))
}

fn not_understood<T>() -> Walked<T> {
    Err(Doubt::form("the statement writes in a form that is not understood"))
}
