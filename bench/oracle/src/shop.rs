//! A shop with twelve customers, in a database of its own.

use cofferdam_core::{Field, FieldSet};
use cofferdam_foreign::catalogue::{Catalogue, QUERY};

use crate::server::Connection;

/// The number of customers. Their keys are 1 to 12.
pub const PEOPLE: u32 = 12;

const TABLES: &str = r"
CREATE TABLE customer (id int PRIMARY KEY, email text UNIQUE, full_name text, phone text,
    password_hash text, notes text, country text, created_at timestamp, default_billing int);
CREATE TABLE address (id int PRIMARY KEY, customer_id int, kind text, street text, city text);
CREATE TABLE card (id int PRIMARY KEY, customer_id int, brand text, last4 text);
CREATE TABLE orders (id int PRIMARY KEY, customer_id int, status text, total numeric,
    placed_at timestamp);
CREATE TABLE order_address (id int PRIMARY KEY, order_id int REFERENCES orders, street text);
CREATE TABLE order_line (order_id int, product_id int, quantity int);
CREATE TABLE product (id int PRIMARY KEY, title text, price numeric);
CREATE TABLE session (token text PRIMARY KEY, customer_id int, seen_at timestamp);
CREATE TABLE outbox (id int, body text);
CREATE VIEW customer_view AS SELECT id, full_name, email FROM customer;
CREATE FUNCTION shout(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper($1)';
CREATE FUNCTION contact_of(int) RETURNS text LANGUAGE sql STABLE
    AS 'SELECT email FROM customer WHERE id = $1';
";

const ROWS: &str = r"
INSERT INTO orders SELECT 1000 + n, 1 + (n * 5) % 12, (ARRAY['paid', 'sent', 'open'])[1 + n % 3],
    10 + n, timestamp '2012-01-01' + n * interval '1 day' FROM generate_series(1, 20) n;
INSERT INTO order_address SELECT 400 + n, 1000 + n, 'Order street ' || n FROM generate_series(1, 20) n;
INSERT INTO product SELECT n, 'Product ' || n, n FROM generate_series(1, 5) n;
INSERT INTO order_line SELECT 1000 + n, 1 + n % 5, 1 + n % 3 FROM generate_series(1, 20) n;
INSERT INTO session SELECT 'token-' || n, n, timestamp '2012-01-15' FROM generate_series(1, 12) n;
";

/// The mapping of the shop's log.
pub const MAPPING: &str = r#"
format = "pgaudit-json"
catalogue = "catalogue.json"
other_relations = ["public.orders", "public.order_line", "public.product", "public.session",
    "public.outbox"]
other_functions = ["public.shout"]
[[table]]
name = "public.customer"
key = "id"
email = "email"
fields = { full_name = "name", email = "email", phone = "phone", password_hash = "password" }
harmless = ["country", "created_at", "default_billing"]
[[table]]
name = "public.address"
key = "customer_id"
fields = { street = "shipping_address", city = "shipping_address" }
harmless = ["id", "kind"]
[[table]]
name = "public.card"
key = "customer_id"
fields = { last4 = "card_last4" }
harmless = ["id", "brand"]
[[table]]
name = "public.order_address"
through = [{ column = "order_id", table = "public.orders", id = "id" }]
key = "customer_id"
fields = { street = "shipping_address" }
harmless = ["id"]
"#;

/// A table with customers' data: the expression that gives the customer of a row, and its columns of
/// text with the fields that each of them stands for.
pub struct Table {
    pub name: &'static str,
    pub key: &'static str,
    pub columns: &'static [Column],
}

/// A column of text, and the fields that it stands for.
pub type Column = (&'static str, &'static [Field]);

pub const CUSTOMERS: [Table; 4] = [
    Table {
        name: "customer",
        key: "id",
        columns: &[
            ("full_name", &[Field::Name]),
            ("email", &[Field::Email]),
            ("phone", &[Field::Phone]),
            ("password_hash", &[Field::Password]),
            // The mapping does not list it, so it may hold any field of the table.
            ("notes", &[Field::Name, Field::Email, Field::Phone, Field::Password]),
        ],
    },
    Table {
        name: "address",
        key: "customer_id",
        columns: &[("street", &[Field::ShippingAddress]), ("city", &[Field::ShippingAddress])],
    },
    Table { name: "card", key: "customer_id", columns: &[("last4", &[Field::CardLast4])] },
    Table {
        name: "order_address",
        key: "(SELECT o.customer_id FROM orders o WHERE o.id = order_id)",
        columns: &[("street", &[Field::ShippingAddress])],
    },
];

/// All fields of the shop.
pub fn all_fields() -> FieldSet {
    let columns = CUSTOMERS.iter().flat_map(|table| table.columns);
    columns.flat_map(|(_, fields)| fields.iter().copied()).collect()
}

const FIRST: [&str; 12] =
    ["Ada", "Bo", "Cleo", "Dan", "Eve", "Finn", "Gus", "Hana", "Ivo", "Jo", "Kim", "Lea"];
const LAST: [&str; 12] = [
    "Lovelace", "Berg", "Costa", "Diaz", "Ebert", "Fox", "Grau", "Haas", "Ilic", "Jung", "Kern",
    "Lund",
];
const CITIES: [&str; 4] = ["Wien", "Graz", "Linz", "Bern"];

/// The value of a person's column; `None` for no value.
pub fn value(column: &str, person: u32) -> Option<String> {
    let n = person as usize - 1;
    match column {
        "full_name" => Some(format!("{} {}", FIRST[n], LAST[n])),
        "email" => Some(email(person)),
        "phone" => (person != PEOPLE).then(|| format!("0{}555{person:04}", 40 + n)),
        "password_hash" => Some(format!("$2b$10$hash-of-{}", FIRST[n].to_lowercase())),
        "notes" => (!person.is_multiple_of(3)).then(|| format!("prefers {}", LAST[11 - n])),
        "street" => Some(format!("{} street {person}", LAST[(n + 5) % 12])),
        "city" => Some(CITIES[n % 4].to_owned()),
        "last4" => Some(format!("{:04}", 4000 + person * 111)),
        other => panic!("there is no column {other}"),
    }
}

/// The e-mail address of a person.
pub fn email(person: u32) -> String {
    format!("{}@post.example", FIRST[person as usize - 1].to_lowercase())
}

/// A text as SQL writes it.
pub fn quoted(text: Option<&str>) -> String {
    text.map_or_else(|| "NULL".to_owned(), |text| format!("'{}'", text.replace('\'', "''")))
}

/// A database with the shop, which is dropped with this value, and its roles with it.
pub struct Shop {
    pub name: String,
    admin: Connection,
}

/// The roles that run statements, with a setting of each: one that nobody audits, and two whose
/// statements the import reads.
pub const ROLES: [(&str, &str); 3] = [
    ("measured", "SET log_min_messages = panic"),
    ("logged", "SET pgaudit.log = 'all'"),
    // As logs are that servers write without `log_relation`.
    ("terse", "SET pgaudit.log = 'all'"),
];

impl Shop {
    /// Makes the database. Its name makes the names of the roles, which all databases share.
    pub fn open(name: &str) -> Self {
        let mut server = Connection::open("postgres", "postgres");
        server.run(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        server.run(&format!("CREATE DATABASE {name}"));
        let mut admin = Connection::open("postgres", name);
        admin.run("CREATE EXTENSION pgaudit");
        admin.run(TABLES);
        admin.run(&rows());
        for (role, settings) in ROLES {
            let role = format!("{name}_{role}");
            admin.run(&format!("DROP ROLE IF EXISTS {role}; CREATE ROLE {role} LOGIN"));
            admin.run(&format!("ALTER ROLE {role} {settings}"));
            admin.run(&format!("ALTER ROLE {role} SET statement_timeout = '300ms'"));
            admin.run(&format!("ALTER ROLE {role} SET client_min_messages = error"));
            admin.run(&format!("GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}"));
        }
        admin.run(&format!("ALTER ROLE {name}_terse SET pgaudit.log_relation = off"));
        Self { name: name.to_owned(), admin }
    }

    /// Connects as one of [`ROLES`].
    pub fn connect(&self, role: &str) -> Connection {
        Connection::open(&format!("{}_{role}", self.name), &self.name)
    }

    /// The catalogue, as `cofferdam access-log catalogue` takes it.
    pub fn catalogue(&mut self) -> Catalogue {
        let answer = self.admin.run(QUERY);
        // A row of one column: the number of columns and the length stand before the text.
        let text = String::from_utf8_lossy(&answer.rows[0][6..]).into_owned();
        Catalogue::parse(&text).unwrap()
    }

    /// Frees the room of rows that were rolled back, so that rows keep their order.
    pub fn tidy(&mut self) {
        self.admin.run("VACUUM");
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let mut server = Connection::open("postgres", "postgres");
        server.run(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
        for (role, _) in ROLES {
            server.run(&format!("DROP ROLE {}_{role}", self.name));
        }
    }
}

fn rows() -> String {
    let of_person = |person: u32| {
        let of = |column| quoted(value(column, person).as_deref());
        let country = ["AT", "DE", "CH"][person as usize % 3];
        let customer = ["email", "full_name", "phone", "password_hash", "notes"].map(of).join(", ");
        format!(
            "INSERT INTO customer VALUES ({person}, {customer}, '{country}',
                timestamp '2011-01-01' + {person} * interval '20 days', 100 + {person});
             INSERT INTO address VALUES ({}, {person}, 'home', {}, {});
             INSERT INTO card VALUES ({}, {person}, 'visa', {});\n",
            100 + person,
            of("street"),
            of("city"),
            200 + person,
            of("last4")
        )
    };
    let fixed =
        |table: &Table| format!("ALTER TABLE {} SET (autovacuum_enabled = false);\n", table.name);
    let people = (1..=PEOPLE).map(of_person);
    ROWS.to_owned() + &people.chain(CUSTOMERS.iter().map(fixed)).collect::<String>()
}
