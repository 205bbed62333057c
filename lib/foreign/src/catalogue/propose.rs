//! Proposes a mapping of a database's log from its catalogue.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use cofferdam_core::Field;

use super::{Catalogue, Column, Kind, Qualified, Relation, quoted};

/// A mapping that can't be proposed.
#[derive(Debug, thiserror::Error)]
pub enum ProposeError {
    /// The catalogue does not have the table.
    #[error("the catalogue has no table {0}; its tables with an e-mail column: {1}")]
    NoTable(String, String),
    /// The table has no primary key of one column.
    #[error("{0} has no primary key of one column: write the mapping by hand (docs/imports.md)")]
    NoKey(Qualified),
}

/// Parts of the names of columns, and the fields for which they stand. The first one that fits
/// counts.
const FIELDS: &[(&[&str], Field)] = &[
    (&["email", "e_mail", "mail"], Field::Email),
    (&["password", "passwd", "pw_hash", "pwd"], Field::Password),
    (&["last4", "card_tail", "cc_last"], Field::CardLast4),
    (&["phone", "tel", "telephone", "mobile", "fax"], Field::Phone),
    (
        &["firstname", "first_name", "lastname", "last_name", "full_name", "middlename", "surname"],
        Field::Name,
    ),
    (&["billing"], Field::BillingAddress),
    (
        &["street", "address", "address1", "address2", "postcode", "zip", "city", "town"],
        Field::ShippingAddress,
    ),
];

/// Types of whole numbers.
const NUMBERS: &[&str] = &["smallint", "integer", "bigint"];
/// Names of columns that often hold a customer's key, without a foreign key that says so.
const KEYS: &[&str] = &["customer_id", "customer_entity_id", "user_id", "client_id", "account_id"];

/// A table of the proposal.
struct Proposed<'a> {
    relation: &'a Relation,
    key: &'a str,
    fields: BTreeMap<&'a str, Field>,
    rest: Vec<&'a str>,
    /// Whether it is the table that holds the customers.
    is_of_customers: bool,
}

/// Proposes a mapping for the log of a database in which `table` holds the customers. Everything
/// that the proposal is unsure of stands in comments, so that it counts for everybody until
/// somebody decides. `file` is the catalogue's file.
pub fn propose(catalogue: &Catalogue, table: &str, file: &str) -> Result<String, ProposeError> {
    let customers = find(catalogue, table)?;
    let [key] = &customers.primary_key[..] else {
        return Err(ProposeError::NoKey(customers.name.clone()));
    };
    let mut out = head(catalogue, file);
    let of_customers = tables_of(catalogue, customers, key);
    out.push_str(&others(catalogue, &of_customers, &customers.name));
    let mut unsure = Vec::new();
    for proposed in &of_customers {
        match proposed {
            Ok(proposed) => out.push_str(&proposed.toml()),
            Err((relation, why)) => unsure.push(format!("# {}: {why}\n", relation.name)),
        }
    }
    if !unsure.is_empty() {
        out.push_str(
            "\n# Unsure: tables that reference the customers, but not by one column. They count for\n\
             # everybody. Write a [[table]] for each, with the column that has the customer's key.\n",
        );
        out.extend(unsure);
    }
    Ok(out)
}

fn find<'a>(catalogue: &'a Catalogue, table: &str) -> Result<&'a Relation, ProposeError> {
    let named = |of: &&Relation| {
        let plain = format!("{}.{}", of.name.schema, of.name.name);
        [of.name.to_string(), plain, of.name.name.clone()].iter().any(|name| name == table)
    };
    let is_table = |of: &&Relation| matches!(of.kind, Kind::Table | Kind::PartitionedTable);
    if let Some(found) = catalogue.relations.iter().filter(is_table).find(named) {
        return Ok(found);
    }
    let mail = |of: &&Relation| of.columns.iter().any(|of| field(of) == Some(Field::Email));
    let candidates = catalogue.relations.iter().filter(is_table).filter(mail);
    let names: Vec<_> = candidates.map(|of| of.name.to_string()).collect();
    Err(ProposeError::NoTable(table.to_owned(), names.join(", ")))
}

fn head(catalogue: &Catalogue, file: &str) -> String {
    let Catalogue { database, taken, search_path, .. } = catalogue;
    format!(
        "# Proposed from the catalogue of {database}, taken {taken}. Read it as a whole: a column under a\n\
         # wrong field, or a harmless one that is none, makes customers' losses look smaller.\n\
         # Names without a schema: {search_path}. Where several schemas have a name, it counts for\n\
         # everybody, unless pgaudit.log_relation is on.\n\
         format = \"pgaudit-csv\"               # or pgaudit-json, or pgaudit-stderr\n\
         catalogue = {}\n",
        toml::Value::String(file.to_owned())
    )
}

/// The customers' table, the tables that reference it, and those for which the customer is unclear.
fn tables_of<'a>(
    catalogue: &'a Catalogue,
    customers: &'a Relation,
    key: &'a str,
) -> Vec<Result<Proposed<'a>, (&'a Relation, &'static str)>> {
    let mut tables = vec![Ok(Proposed::new(customers, key, true))];
    for relation in catalogue.relations.iter().filter(|of| of.name != customers.name) {
        // A partition or an heir counts as its table does.
        if !relation.parents.is_empty() {
            continue;
        }
        let to_customers = |of: &&super::Reference| of.table == customers.name;
        let references: Vec<_> = relation.references.iter().filter(to_customers).collect();
        match references[..] {
            [] => {}
            [reference] if reference.to == [key] => {
                tables.push(Ok(Proposed::new(relation, &reference.from[0], false)));
            }
            [_] => tables.push(Err((relation, "it references another column than the key"))),
            _ => tables.push(Err((relation, "it references the customers several times"))),
        }
    }
    tables
}

/// The tables and functions that may hold or give out no customers' data. Views, partitions and
/// heirs are left out: the catalogue tells what they read.
fn others(
    catalogue: &Catalogue,
    of_customers: &[Result<Proposed<'_>, (&Relation, &str)>],
    customers: &Qualified,
) -> String {
    let known = |relation: &Relation| {
        of_customers.iter().any(|of| match of {
            Ok(proposed) => proposed.relation == relation,
            Err((of, _)) => *of == relation,
        })
    };
    let is_table = |of: &&Relation| {
        matches!(of.kind, Kind::Table | Kind::PartitionedTable | Kind::ForeignTable)
    };
    let mut out = String::from(
        "\n# Unsure: tables that do not reference the customers. Take away the # before those that hold no\n\
         # customers' data. Old copies of tables, logs and mail queues do hold some.\n\
         other_relations = [\n",
    );
    let tables = catalogue.relations.iter().filter(is_table);
    for relation in tables.filter(|of| !known(of) && of.parents.is_empty()) {
        let personal = relation.columns.iter().filter(|of| field(of).is_some());
        let names: Vec<_> = personal.map(|of| of.name.as_str()).collect();
        let warning = if names.is_empty() {
            String::new()
        } else {
            let key = relation.columns.iter().find(|of| KEYS.contains(&of.name.as_str()));
            let key = key.map(|of| format!("; write a [[table]] if its key is {}", of.name));
            let key = key.or_else(|| way(catalogue, relation, customers)).unwrap_or_default();
            format!("  # looks personal: {}{key}", names.join(", "))
        };
        let name = toml::Value::String(relation.name.to_string());
        let _ = writeln!(out, "#  {name},{warning}");
    }
    out.push_str("]\n");
    let own: Vec<_> = catalogue.functions.iter().filter(|of| !of.extension).collect();
    if !own.is_empty() {
        out.push_str("# Unsure: functions of the shop. List those that give out no customers' data.\nother_functions = [\n");
        for function in own {
            let name = toml::Value::String(function.name.to_string());
            let _ = writeln!(out, "#  {name},  # {}", function.language);
        }
        out.push_str("]\n");
    }
    out
}

/// The way from a table to the customer's key, over one other table that references the customers.
fn way(catalogue: &Catalogue, relation: &Relation, customers: &Qualified) -> Option<String> {
    relation.references.iter().find_map(|step| {
        let ([column], [id]) = (&step.from[..], &step.to[..]) else { return None };
        let between = catalogue.relation(&step.table)?;
        let last = between.references.iter().find(|of| of.table == *customers)?;
        let [key] = &last.from[..] else { return None };
        let step = format!(
            "{{ column = {}, table = {}, id = {} }}",
            text(column),
            toml::Value::String(between.name.to_string()),
            text(id)
        );
        let table =
            format!("; or write a [[table]] with key = {} and through = [{step}]", text(key));
        between.is_unique(id, catalogue).then_some(table)
    })
}

/// The field for which a column stands, by its name. Times and flags, such as the one of a letter that
/// was sent, stand for none.
fn field(column: &Column) -> Option<Field> {
    let others = ["boolean", "date", "timestamp", "time "];
    let Column { name, of_type, .. } = column;
    if others.iter().any(|of| of_type.starts_with(of)) {
        return None;
    }
    let column = name.to_ascii_lowercase();
    let words: Vec<&str> = column.split('_').collect();
    // A short part must be a word of its own: `tel` is none of `hotel`.
    let fits = |part: &&str| words.contains(part) || (part.len() > 4 && column.contains(*part));
    let field = FIELDS.iter().find(|(parts, _)| parts.iter().any(fits)).map(|(_, field)| *field)?;
    // A number under the name of an address is the key of one.
    let may_be_number = [Field::Phone, Field::CardLast4].contains(&field);
    (may_be_number || !NUMBERS.contains(&of_type.as_str())).then_some(field)
}

impl<'a> Proposed<'a> {
    fn new(relation: &'a Relation, key: &'a str, is_of_customers: bool) -> Self {
        let (mut fields, mut rest) = (BTreeMap::new(), Vec::new());
        // A generated column counts as the columns from which it is computed.
        let stored = relation.columns.iter().filter(|of| of.generated_from.is_none());
        for column in stored.filter(|of| of.name != key) {
            match field(column) {
                Some(field) => {
                    fields.insert(column.name.as_str(), field);
                }
                None => rest.push(column.name.as_str()),
            }
        }
        Self { relation, key, fields, rest, is_of_customers }
    }

    fn toml(&self) -> String {
        let Self { relation, key, fields, rest, is_of_customers } = self;
        if fields.is_empty() {
            return format!(
                "\n# Unsure: {} references the customers, and no column looks personal. It counts for\n\
                 # everybody. List it under other_relations, or write a [[table]] with key = {}.\n",
                relation.name,
                text(key)
            );
        }
        let mut out = format!(
            "\n[[table]]\nname = {}\nkey = {}\n",
            toml::Value::String(relation.name.to_string()),
            text(key)
        );
        let mails: Vec<_> = fields.iter().filter(|(_, of)| **of == Field::Email).collect();
        if let [(email, _)] = mails[..] {
            let email = text(email);
            let _ = if *is_of_customers {
                writeln!(out, "email = {email}")
            } else {
                writeln!(
                    out,
                    "# Unsure, the customer may have another address by now: email = {email}"
                )
            };
        }
        if relation.row_security {
            out.push_str("# Policies decide which of its rows a role sees.\n");
        }
        if !rest.is_empty() {
            out.push_str(
                "# Unsure: each of these counts as all fields of the table. Take away the # before those that\n\
                 # tell nothing about a person, and give the others a field.\nharmless = [\n",
            );
            for column in rest {
                let of_type = relation.columns.iter().find(|of| of.name == **column);
                let of_type = of_type.map_or("", |of| of.of_type.as_str());
                let _ = writeln!(out, "#  {},  # {of_type}", text(column));
            }
            out.push_str("]\n");
        }
        out.push_str("[table.fields]\n");
        for (column, field) in fields {
            let _ = writeln!(out, "{} = \"{field}\"", text(column));
        }
        out
    }
}

/// A column's name as a text of TOML.
fn text(column: &str) -> String {
    toml::Value::String(quoted(column)).to_string()
}
