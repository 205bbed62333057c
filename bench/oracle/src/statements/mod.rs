//! Statements as shops send them, drawn at random from a grammar of their own. A class is a purpose:
//! each draws its statement from the same pieces, in spellings of usual libraries.

mod mixtures;
mod pieces;
mod reads;
mod shapes;
mod writes;

use rand::SeedableRng as _;
use rand::seq::IndexedRandom as _;
use rand_chacha::ChaCha8Rng;

use crate::shop::quoted;

/// Stands around the place of a parameter until the statement is whole: a drawn piece may be left out.
const MARK: char = '\u{1}';

/// A statement and its parameters.
#[derive(Debug, Clone)]
pub struct Statement {
    /// The purpose, for the figures.
    pub class: &'static str,
    pub sql: String,
    pub parameters: Vec<String>,
    /// Whether the outermost query says in which order its rows come.
    pub ordered: bool,
}

impl Statement {
    /// The texts and parameters that the statement names, without the wildcards of patterns.
    pub fn texts(&self, most: usize) -> Vec<String> {
        let quoted = self.sql.split('\'').skip(1).step_by(2).map(str::to_owned);
        let mut texts = Vec::new();
        for text in quoted.chain(self.parameters.iter().cloned()) {
            let text = text.trim_matches(['%', '^', '$', '*', ':']).to_owned();
            if !text.is_empty() && text.len() < 60 && !texts.contains(&text) {
                texts.push(text);
            }
        }
        texts.truncate(most);
        texts
    }
}

type Kind = (&'static str, fn(&mut Draw) -> String);

/// The classes. Each is as frequent as it stands here.
const KINDS: &[Kind] = &[
    ("one row by its key", reads::by_key),
    ("one row by its key", reads::by_key),
    ("one row by its key", reads::by_key),
    ("rows by several keys", reads::by_keys),
    ("one row by address", reads::by_email),
    ("joins of one customer", reads::joins),
    ("joins of one customer", reads::joins),
    ("rows of one customer", reads::own_rows),
    ("rows of one customer", reads::own_rows),
    ("rows of a customer's orders", reads::of_orders),
    ("what an order's page shows", reads::by_order),
    ("a page of a list", reads::page),
    ("search", reads::search),
    ("export", writes::export),
    ("insert and upsert", writes::insert),
    ("update", writes::update),
    ("delete", writes::delete),
    ("common table expressions", shapes::common),
    ("counts and sums", shapes::aggregate),
    ("subqueries", shapes::subquery),
    ("windows", shapes::window),
    ("set operations", shapes::set_operation),
    ("JSON", shapes::json),
    ("views and functions", shapes::indirect),
    ("anything composed", mixtures::composed),
    ("anything composed", mixtures::composed),
    ("what looks narrow", mixtures::odd),
    ("what looks narrow", mixtures::odd),
];

/// A source of statements. The same seed gives the same ones.
pub struct Draw {
    rng: ChaCha8Rng,
    parameters: Vec<String>,
    ordered: bool,
}

impl Draw {
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let rng = ChaCha8Rng::seed_from_u64(seed);
        Self { rng, parameters: Vec::new(), ordered: false }
    }

    /// Draws a statement.
    pub fn statement(&mut self) -> Statement {
        self.parameters.clear();
        self.ordered = false;
        let (class, draw) = KINDS.choose(&mut self.rng).unwrap();
        let drawn = draw(self);
        let (mut sql, mut parameters) = (String::new(), Vec::new());
        for (place, part) in drawn.split(MARK).enumerate() {
            if place % 2 == 0 {
                sql.push_str(part);
                continue;
            }
            let value = &self.parameters[part.parse::<usize>().unwrap()];
            if drawn.starts_with("COPY") {
                // Only queries and changes of rows take parameters.
                sql.push_str(&quoted(Some(value)));
            } else {
                parameters.push(value.clone());
                sql.push('$');
                sql.push_str(&parameters.len().to_string());
            }
        }
        Statement { class, sql, parameters, ordered: self.ordered }
    }
}

/// The statements of `sqlsmith`, each on lines of its own that end in a semicolon.
pub fn of_sqlsmith(text: &str) -> Vec<Statement> {
    let whole = text.split(";\n").map(str::trim).filter(|sql| !sql.is_empty());
    let statement = |sql: &str| Statement {
        class: "sqlsmith",
        sql: without_samples(sql),
        parameters: Vec::new(),
        ordered: false,
    };
    whole.map(statement).collect()
}

/// Leaves out `TABLESAMPLE`, which reads other rows each time.
fn without_samples(sql: &str) -> String {
    let mut parts = sql.split(" tablesample ");
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let after = part.split_once(')').map_or("", |(_, after)| after);
        kept.push_str(after);
    }
    kept
}
