//! Views: a statement that names one reads what the view's query reads.

use sqlparser::ast::TableAlias;

use super::{Understood, Walk, Walked};
use crate::sql::Doubt;
use crate::sql::known::Known;

/// The most views that one statement is followed into.
const MAX_VIEWS: usize = 100;

/// Walks all of a view.
pub fn walk_view(known: &Known, view: usize) -> Result<Understood, Doubt> {
    let mut walk = Walk::new(known, None, None);
    let scope = walk.scopes.open();
    walk.view(scope, view, String::new(), None)?;
    Ok(walk.finish())
}

impl Walk<'_> {
    /// Adds a view to a scope, and walks its queries. They see nothing of the statement.
    pub(super) fn view(
        &mut self,
        scope: usize,
        view: usize,
        name: String,
        alias: Option<&TableAlias>,
    ) -> Walked {
        self.views.push(view);
        if self.views.len() > MAX_VIEWS {
            return Err(Doubt::anyone("the statement reads through too many views"));
        }
        let common = std::mem::take(&mut self.common);
        let around = std::mem::take(&mut self.around);
        let stack = std::mem::take(&mut self.scopes.stack);
        let parameters = self.parameters.take();
        let queries = &self.known.view(view).queries;
        let mut walked = Vec::new();
        for query in queries {
            walked.push(self.inner(query, &[])?);
        }
        (self.common, self.around, self.parameters) = (common, around, parameters);
        self.scopes.stack = stack;
        // A view with several queries has no columns of which more is known.
        let (columns, inner) = match (walked.pop(), walked.is_empty()) {
            (Some((columns, inner)), true) => (columns, Some(inner)),
            _ => (Vec::new(), None),
        };
        self.push(scope, name, alias, (columns, inner))
    }
}
