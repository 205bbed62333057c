//! Checks a mapping against the catalogue that it names.

use std::collections::BTreeSet;

use crate::catalogue::{Catalogue, Kind, Qualified, Relation};
use crate::mapping::{Pgaudit, Table};
use crate::sql::names::{Name, Part, Pattern};
use crate::sql::{Known, Relation as Meaning, Through};

/// Checks that the catalogue has the tables and columns of the mapping, and that it does not show
/// customers' data where the mapping says that there are none. Returns the fault, in words.
pub fn check_catalogue(mapping: &Pgaudit) -> Result<(), String> {
    let Some(catalogue) = &mapping.known_catalogue else { return Ok(()) };
    if mapping.database().is_some_and(|database| database != catalogue.database) {
        return Err(format!(
            "database: the catalogue is one of the database {}",
            catalogue.database
        ));
    }
    let mut tables = BTreeSet::new();
    for table in &mapping.tables {
        tables.insert(&check_table(catalogue, table)?.name);
    }
    check_ancestors(catalogue, mapping, &tables)?;
    check_views(catalogue, mapping)
}

fn check_table<'a>(catalogue: &'a Catalogue, table: &Table) -> Result<&'a Relation, String> {
    let pattern = Pattern::parse(&table.name);
    let fits = |of: &&Relation| pattern.fits(&Name::from(&of.name)) && of.kind != Kind::Sequence;
    let found: Vec<_> = catalogue.relations.iter().filter(fits).collect();
    let relation = match found[..] {
        [] => return Err(format!("table {}: the catalogue has no such table", table.name)),
        [relation] => relation,
        _ => return Err(format!("table {}: name its schema, there are several", table.name)),
    };
    // Behind `through`, the key is a column of another table.
    let key = Some(&table.key).filter(|_| table.through.is_empty());
    let columns = key.into_iter().chain(&table.email);
    for column in columns.chain(table.fields.keys()).chain(&table.harmless) {
        let part = Part::column(column);
        if !relation.columns.iter().any(|of| part.fits(&of.name)) {
            return Err(format!("table {}: the catalogue has no column {column}", table.name));
        }
    }
    if let Some(mut through) = Through::of(table) {
        let fault = |why| format!("table {}: through: {why}", table.name);
        through.prove(relation, catalogue).map_err(fault)?;
    }
    Ok(relation)
}

/// Refuses tables under `other_relations` that hold the rows of a mapped table too.
fn check_ancestors(
    catalogue: &Catalogue,
    mapping: &Pgaudit,
    tables: &BTreeSet<&Qualified>,
) -> Result<(), String> {
    let others: Vec<_> = mapping.other_relations.iter().map(|of| Pattern::parse(of)).collect();
    for table in tables {
        let (mut seen, mut left) = (BTreeSet::from([*table]), vec![*table]);
        while let Some(name) = left.pop() {
            for parent in catalogue.relation(name).iter().flat_map(|of| &of.parents) {
                if others.iter().any(|other| other.fits(&Name::from(parent))) {
                    return Err(format!(
                        "other_relations: {parent} has the rows of {table} too; leave it out"
                    ));
                }
                if seen.insert(parent) {
                    left.push(parent);
                }
            }
        }
    }
    Ok(())
}

/// Refuses views under `other_relations` that are known to give out customers' data.
fn check_views(catalogue: &Catalogue, mapping: &Pgaudit) -> Result<(), String> {
    let kept = |of: &String| {
        let other = Pattern::parse(of);
        let is_view = |of: &&Relation| of.query.is_some() && other.fits(&Name::from(&of.name));
        !catalogue.relations.iter().any(|of| is_view(&of))
    };
    let others = mapping.other_relations.iter().filter(|of| kept(of)).cloned().collect();
    let known = Known::new(&Pgaudit { other_relations: others, ..mapping.clone() });
    for other in mapping.other_relations.iter().filter(|of| !kept(of)) {
        let pattern = Pattern::parse(other);
        for view in catalogue.relations.iter().filter(|of| pattern.fits(&Name::from(&of.name))) {
            let Meaning::View(place) = known.relation(&Name::from(&view.name)) else { continue };
            if !known.view(place).all.is_empty() {
                return Err(format!(
                    "other_relations: by the catalogue, {} reads customers' data; leave it out, and \
                     it counts by its definition",
                    view.name
                ));
            }
        }
    }
    Ok(())
}
