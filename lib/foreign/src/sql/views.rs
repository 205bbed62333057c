//! Views and materialized views: what reading each of them reads.

use std::collections::BTreeSet;

use sqlparser::ast::{Query, Statement};

use super::known::{Known, Relation};
use super::walk::{self, Touched};
use super::{text, with_deep_stack};

/// A view, or a materialized view. What it keeps came from its query.
#[derive(Debug)]
pub struct View {
    /// Its queries: several, if a log defines it again. Reading it may have read any of them.
    pub queries: Vec<Query>,
    /// Whether all its queries are plain SQL.
    parsed: bool,
    /// The tables with customers' data that it reads.
    pub tables: BTreeSet<usize>,
    /// The data that a statement reads if it reads all of the view.
    pub all: Vec<Touched>,
}

impl View {
    pub fn new(query: &str) -> Self {
        let mut view =
            Self { queries: Vec::new(), parsed: true, tables: BTreeSet::new(), all: Vec::new() };
        view.add(query);
        view
    }

    /// Adds another query that it may have.
    pub fn add(&mut self, query: &str) {
        let parsed = with_deep_stack(|| text::parse(query));
        match parsed.map(|mut statements| (statements.pop(), statements.is_empty())) {
            Ok((Some(Statement::Query(query)), true)) if !self.queries.contains(&query) => {
                self.queries.push(*query);
            }
            Ok((Some(Statement::Query(_)), true)) => {}
            _ => self.parsed = false,
        }
    }
}

/// Finds out what each view reads. A view that is not understood has no known meaning, and neither
/// has one that reads it.
pub fn understand(known: &mut Known) {
    let views = known.meanings_mut().views.len();
    let mut open: BTreeSet<usize> = (0..views).collect();
    loop {
        let mut lost = Vec::new();
        for view in &open {
            let parsed = known.view(*view).parsed;
            match with_deep_stack(|| walk::walk_view(known, *view)) {
                Ok(understood) if parsed => {
                    let of = &mut known.meanings_mut().views[*view];
                    (of.tables, of.all) = (understood.named, understood.touched);
                }
                _ => lost.push(*view),
            }
        }
        if lost.is_empty() {
            return;
        }
        for view in lost {
            open.remove(&view);
            known.meanings_mut().lose(Relation::View(view));
        }
    }
}
