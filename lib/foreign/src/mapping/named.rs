//! The tables of a mapping that no line of a log names. One may be misspelt: what the log names
//! instead then counts for everybody.

use super::Pgaudit;
use crate::pgaudit::AUDIT;
use crate::sql::names::Pattern;

/// The most letters that a misspelt name has wrong.
const MAX_WRONG: usize = 2;

/// The tables that no line named so far.
#[derive(Debug, Clone)]
pub struct UnnamedTables {
    tables: Vec<Unnamed>,
    /// Whether a line named a table of the mapping.
    names_any: bool,
    /// A word of the lines that looks like a table's name.
    similar: Option<String>,
}

#[derive(Debug, Clone)]
struct Unnamed {
    /// The name as in the mapping.
    name: String,
    /// Its last part, in small letters.
    bare: String,
}

impl UnnamedTables {
    pub fn of(mapping: &Pgaudit) -> Self {
        let unnamed = |name: &String| {
            let bare = Pattern::parse(name).bare().to_lowercase();
            Unnamed { name: name.clone(), bare }
        };
        let tables = mapping.tables.iter().map(|table| unnamed(&table.name)).collect();
        Self { tables, names_any: false, similar: None }
    }

    /// Notes the tables that a message may name. A partition or a view whose name holds that of the
    /// table names it too.
    pub fn note(&mut self, message: &str) {
        if self.tables.is_empty() || !message.starts_with(AUDIT) {
            return;
        }
        let message = message.to_lowercase();
        let unnamed = self.tables.len();
        self.tables.retain(|table| !message.contains(&table.bare));
        self.names_any |= self.tables.len() < unnamed;
        // A misspelling is looked for only while no name of the mapping is right.
        if self.names_any || self.similar.is_some() {
            return;
        }
        let mut words = message.split(|c: char| !c.is_alphanumeric() && c != '_');
        let similar = |word: &&str| {
            let wrong = |table: &Unnamed| strsim::levenshtein(word, &table.bare);
            // Half of a short name may be another word.
            self.tables.iter().any(|table| wrong(table) <= MAX_WRONG.min(table.bare.len() / 3))
        };
        self.similar = words.find(similar).map(str::to_owned);
    }

    /// The word in the lines of which a table of the mapping may be a misspelling: they name none of the
    /// tables.
    pub fn misspelt(&self) -> Option<&str> {
        self.similar.as_deref().filter(|_| !self.names_any)
    }

    /// The names as in the mapping.
    pub fn names(&self) -> Vec<String> {
        self.tables.iter().map(|table| table.name.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::{LogMapping, read_definitions};

    #[test]
    fn tables_that_no_line_of_any_file_names_are_told() {
        let table = |name: &str| {
            format!("[[table]]\nname = '{name}'\nkey = \"id\"\nfields = {{ a = \"name\" }}\n")
        };
        let tables = ["public.customer", "shop.\"Order\"", "public.custommer", "public.address"];
        let tables = tables.map(table).concat();
        let text = format!("format = \"pgaudit-json\"\n{tables}");
        let mut mapping = LogMapping::parse(&text).unwrap();
        let line = |message: &str| format!("{{\"timestamp\":\"\",\"message\":\"{message}\"}}\n");
        let none = line("checkpoint of public.address")
            + &line("AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.customer_2011,SELECT 1,<none>");
        read_definitions(&mut mapping, none.as_bytes()).unwrap();
        let unnamed = ["shop.\"Order\"", "public.custommer", "public.address"];
        assert_eq!(mapping.unnamed_tables(), unnamed);
        assert_eq!(mapping.misspelt(), None);
        let more = line("AUDIT: SESSION,1,1,READ,SELECT,,,SELECT * FROM ORDER,<none>");
        read_definitions(&mut mapping, more.as_bytes()).unwrap();
        assert_eq!(mapping.unnamed_tables(), unnamed[1..]);

        let mut wrong = LogMapping::parse(&text.replace("customer", "custommer")).unwrap();
        assert_eq!(wrong.misspelt(), None, "nothing was read");
        read_definitions(&mut wrong, none.as_bytes()).unwrap();
        assert_eq!(wrong.misspelt(), None, "a copy has another name");
        let one = none.replace("customer_2011", "customer");
        read_definitions(&mut wrong, one.as_bytes()).unwrap();
        assert_eq!(wrong.misspelt(), Some("customer"));
    }
}
