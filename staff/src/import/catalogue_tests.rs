//! From the catalogue of a real database to what its log counts as, as a shop with Magento's tables
//! would do it.

use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use response_api::LoggedReads;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tempfile::TempDir;
use testkit::postgres::Database;

use super::*;
use crate::import::{Coverage, PlannedLog, plan_access_logs};

const SCHEMA: &str = "
CREATE TABLE customer_entity (
    entity_id int PRIMARY KEY, email varchar(255), created_at timestamptz DEFAULT now(),
    is_active smallint, firstname varchar(255), lastname varchar(255), password_hash varchar(255),
    shown varchar(600) GENERATED ALWAYS AS (firstname || ' ' || lastname) STORED);
CREATE TABLE customer_address_entity (
    entity_id int PRIMARY KEY, parent_id int REFERENCES customer_entity, street text, city text,
    postcode varchar(255), telephone varchar(255), country_id varchar(2));
CREATE TABLE sales_order (
    entity_id int PRIMARY KEY, customer_id int REFERENCES customer_entity, grand_total numeric,
    customer_email varchar(128)) PARTITION BY RANGE (entity_id);
CREATE TABLE sales_order_1 PARTITION OF sales_order FOR VALUES FROM (0) TO (1000);
CREATE TABLE sales_order_address (
    entity_id int PRIMARY KEY, parent_id int REFERENCES sales_order, street text, city text);
CREATE TABLE friend (a int REFERENCES customer_entity, b int REFERENCES customer_entity);
CREATE TABLE catalog_product (entity_id int PRIMARY KEY, sku text, price numeric);
CREATE TABLE customer_entity_2011 (entity_id int, email varchar(255));
CREATE VIEW customer_grid AS SELECT entity_id, firstname || ' ' || lastname AS full_name
    FROM customer_entity;
CREATE MATERIALIZED VIEW best_customers AS SELECT customer_id, sum(grand_total) AS total
    FROM sales_order GROUP BY customer_id;
CREATE FUNCTION vat(n numeric) RETURNS numeric LANGUAGE sql AS 'SELECT n * 0.19';
INSERT INTO customer_entity SELECT n, 'p' || n || '@home.example', now(), 1, 'P', 'Q', md5('x')
    FROM generate_series(1, 20) n;
";

/// A shop's database, a role of it whose statements are audited, and a directory.
struct Shop {
    database: Database,
    role: String,
    dir: TempDir,
}

impl Shop {
    async fn open() -> Self {
        let (database, dir) = (Database::create().await, tempfile::tempdir().unwrap());
        let name = database.url().rsplit('_').next().unwrap().to_owned();
        let shop = Self { database, role: format!("magento_{name}"), dir };
        shop.run("postgres", SCHEMA).await;
        let role = &shop.role;
        let grant = format!(
            "CREATE ROLE {role} LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO {role};
             GRANT CREATE ON SCHEMA public TO {role};
             DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET pgaudit.log = %L',
                 current_database(), 'read,write,function,ddl'); END $$"
        );
        shop.run("postgres", &grant).await;
        shop
    }

    /// Runs statements in one session of a user.
    async fn run(&self, user: &str, statements: &str) {
        let url = self.database.url().replacen("postgres@", &format!("{user}@"), 1);
        let mut session = PgConnection::connect(&url).await.unwrap();
        for statement in statements.split(";\n") {
            sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut session).await.unwrap();
        }
        session.close().await.unwrap();
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs statements as the shop does, and writes what PostgreSQL logged about them into a file.
    async fn log(&self, name: &str, statements: &str) -> PathBuf {
        let logs = std::env::var("COFFERDAM_TEST_POSTGRES_LOGS").unwrap();
        let mut log = fs::File::open(Path::new(&logs).join("postgresql.csv")).unwrap();
        log.seek(SeekFrom::End(0)).unwrap();
        let end = format!("SELECT 'the end of {name}'");
        self.run(&self.role, &format!("{statements};\n{end}")).await;
        // PostgreSQL writes its log in the background.
        let mut text = String::new();
        while !text.lines().any(|line| line.contains(&self.role) && line.contains(&end)) {
            log.read_to_string(&mut text).unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        let ours = text.split_inclusive('\n').filter(|line| line.contains(&self.role));
        let file = self.file(name);
        fs::write(&file, ours.collect::<String>()).unwrap();
        file
    }

    async fn plan(&self, log: &Path) -> Result<PlannedLog, ImportError> {
        let (mapping, none) = (self.file("log.toml"), Coverage::default());
        let planned = plan_access_logs(&[log.to_owned()], &mapping, none, &mut |_, _| {}).await?;
        Ok(planned.logs.into_iter().next().unwrap())
    }

    async fn close(self) {
        let end = format!("DROP OWNED BY {0} CASCADE; DROP ROLE {0}", self.role);
        self.run("postgres", &end).await;
    }
}

/// Edits a proposal as an operator does, who decides about each mark.
fn decide(proposal: &str, harmless: &[&str]) -> String {
    let line = |line: &str| {
        let sure = harmless.iter().any(|of| line.starts_with(&format!("#  \"{of}\"")));
        if sure { line.replacen('#', " ", 1) } else { line.to_owned() }
    };
    proposal.lines().map(|of| line(of) + "\n").collect()
}

/// Proposes a mapping, and checks what it is sure and unsure of.
fn check_proposal(catalogue: &Path) -> String {
    let proposal = propose_mapping(catalogue, "public.customer_entity").unwrap();
    for expected in [
        "name = \"public.customer_entity\"\nkey = \"entity_id\"\nemail = \"email\"\n",
        "name = \"public.customer_address_entity\"\nkey = \"parent_id\"\n",
        "name = \"public.sales_order\"\nkey = \"customer_id\"\n",
        "\"password_hash\" = \"password\"",
        "\"telephone\" = \"phone\"",
        "# public.friend: it references the customers several times",
        "#  \"public.customer_entity_2011\",  # looks personal: email",
        "#  \"public.vat\",",
        "#  \"public.sales_order_address\",  # looks personal: street, city; or write a [[table]] with \
         key = \"customer_id\" and through = [{ column = \"parent_id\", table = \"public.sales_order\", \
         id = \"entity_id\" }]\n",
    ] {
        assert!(proposal.contains(expected), "{expected}\n{proposal}");
    }
    assert!(!proposal.contains("customer_grid") && !proposal.contains("sales_order_1"));
    proposal
}

#[tokio::test]
async fn a_proposed_mapping_and_its_catalogue_explain_a_real_log() {
    let shop = Shop::open().await;
    let (taken, text) = take_catalogue(&shop.database.url()).await.unwrap();
    assert!(taken.relations >= 9 && taken.functions == 1, "{taken:?}");
    let catalogue = shop.file("catalogue.json");
    fs::write(&catalogue, text).unwrap();
    let proposal = check_proposal(&catalogue);

    // As it stands, the proposal calls nothing harmless.
    fs::write(shop.file("log.toml"), &proposal).unwrap();
    let shopping = "SELECT * FROM catalog_product WHERE sku = 'x'";
    let log = shop.log("before.csv", shopping).await;
    assert_eq!(shop.plan(&log).await.unwrap().everybody, 3, "three tables for one statement");

    let harmless = [
        "created_at",
        "is_active",
        "country_id",
        "entity_id",
        "grand_total",
        "public.catalog_product",
    ];
    fs::write(shop.file("log.toml"), decide(&proposal, &harmless)).unwrap();
    let narrow = "SELECT * FROM catalog_product WHERE sku = 'x';
SELECT shown FROM customer_entity WHERE entity_id = 7;
SELECT grand_total, firstname FROM customer_entity c JOIN sales_order o ON o.customer_id = c.entity_id WHERE c.entity_id = 7;
SELECT customer_email FROM sales_order_1 WHERE customer_id = 7;
SELECT * FROM best_customers";
    let plan = shop.plan(&shop.log("narrow.csv", narrow).await).await.unwrap();
    assert_eq!((plan.accesses, plan.everybody, plan.unreadable), (3, 0, 0), "{plan:?}");
    assert!(!plan.catalogue.unwrap().followed, "the log has no definition: {plan:?}");
    // The view's line and the table's: one field of one table each.
    let view = shop.plan(&shop.log("view.csv", "SELECT * FROM customer_grid").await).await.unwrap();
    assert_eq!((view.accesses, view.everybody), (2, 2), "{view:?}");
    for statement in [
        "SELECT email FROM customer_entity_2011 WHERE entity_id = 7",
        "SELECT * FROM friend WHERE a = 7",
    ] {
        let plan = shop.plan(&shop.log("wide.csv", statement).await).await.unwrap();
        assert_eq!((plan.accesses, plan.everybody), (3, 3), "{statement}: {plan:?}");
    }
    // The log shows that a harmless name may mean another table.
    let swap = format!(
        "{shopping};
CREATE TEMP TABLE catalog_product AS SELECT email FROM customer_entity;
SELECT * FROM catalog_product"
    );
    let swapped = shop.plan(&shop.log("swap.csv", &swap).await).await.unwrap();
    assert!(swapped.everybody >= 6, "{swapped:?}");
    shop.close().await;
}

/// The address of an order is that of the order's customer, as long as a key shows that there is one
/// such order.
#[tokio::test]
async fn rows_of_an_order_count_for_its_customer_if_a_key_proves_it() {
    let shop = Shop::open().await;
    let take = async || {
        let (_, text) = take_catalogue(&shop.database.url()).await.unwrap();
        fs::write(shop.file("catalogue.json"), text).unwrap();
    };
    let mapping = "format = \"pgaudit-csv\"\ncatalogue = \"catalogue.json\"\n\
        other_relations = [\"public.sales_order\"]\n[[table]]\n\
        name = \"public.sales_order_address\"\nkey = \"customer_id\"\n\
        through = [{ column = \"parent_id\", table = \"public.sales_order\", id = \"entity_id\" }]\n\
        fields = { street = \"shipping_address\" }";
    fs::write(shop.file("log.toml"), mapping).unwrap();
    take().await;
    let joined = "SELECT a.street FROM sales_order_address a JOIN sales_order o ON o.entity_id = a.parent_id \
        WHERE o.customer_id = 7";
    let plan = shop.plan(&shop.log("joined.csv", joined).await).await.unwrap();
    assert_eq!((plan.accesses, plan.everybody), (1, 0), "{plan:?}");
    let alone = "SELECT street FROM sales_order_address WHERE parent_id = 1";
    let plan = shop.plan(&shop.log("alone.csv", alone).await).await.unwrap();
    assert_eq!((plan.accesses, plan.everybody), (1, 1), "{plan:?}");

    // Without the key, and with one that holds only at the end of a transaction.
    let drop = "ALTER TABLE sales_order DROP CONSTRAINT sales_order_pkey CASCADE";
    let deferred = "ALTER TABLE sales_order ADD PRIMARY KEY (entity_id) DEFERRABLE";
    let log = shop.file("joined.csv");
    for change in [drop, deferred] {
        shop.run("postgres", change).await;
        take().await;
        let refused = shop.plan(&log).await.unwrap_err().to_string();
        assert!(refused.contains("sales_order.entity_id is unique"), "{change}: {refused}");
    }
    shop.close().await;
}

#[tokio::test]
async fn a_role_that_pgaudit_leaves_out_is_shown() {
    let shop = Shop::open().await;
    let unaudited = async || {
        let (_, text) = take_catalogue(&shop.database.url()).await.unwrap();
        fs::write(shop.file("catalogue.json"), &text).unwrap();
        Catalogue::parse(&text).unwrap().unaudited
    };
    assert_eq!(unaudited().await, [""; 0]);
    let role = &shop.role;
    let set = async |setting: &str| {
        shop.run("postgres", &format!("ALTER ROLE {role} SET pgaudit.log = {setting}")).await;
    };
    for (setting, audited) in
        [("'all, -read'", false), ("'all'", true), ("'READ'", true), ("'write,ddl'", false)]
    {
        set(setting).await;
        assert_eq!(unaudited().await.is_empty(), audited, "{setting}");
    }
    let mapping = "format = \"pgaudit-csv\"\ncatalogue = \"catalogue.json\"\n[[table]]\n\
        name = \"public.customer_entity\"\nkey = \"entity_id\"\nfields = { email = \"email\" }";
    fs::write(shop.file("log.toml"), mapping).unwrap();
    let write = "UPDATE customer_entity SET email = 'p7@home.example' WHERE entity_id = 7";
    set("'all'").await;
    let log = shop.log("write.csv", write).await;
    let changes = fs::read_to_string(&log).unwrap();
    let changes: String =
        changes.split_inclusive('\n').filter(|of| !of.contains(",READ,")).collect();
    assert!(changes.contains(",WRITE,"), "{changes}");
    fs::write(&log, changes).unwrap();
    let reads = async || {
        let (files, mapping) = ([log.clone()], shop.file("log.toml"));
        let none = Coverage::default();
        let logs = plan_access_logs(&files, &mapping, none, &mut |_, _| {}).await.unwrap().logs;
        logs[0].reads.clone()
    };
    set("'write'").await;
    unaudited().await;
    assert_eq!(reads().await, LoggedReads::LeavesOut(vec![role.clone()]));
    set("'all'").await;
    unaudited().await;
    assert_eq!(reads().await, LoggedReads::NotShown, "the log has a change alone");
    shop.close().await;
}

#[tokio::test]
async fn psql_writes_the_same_catalogue() {
    let shop = Shop::open().await;
    let query = shop.file("catalogue.sql");
    fs::write(&query, CATALOGUE_QUERY).unwrap();
    let psql = std::process::Command::new("psql")
        .args(["-X", "-q", "-A", "-t", "-f", query.to_str().unwrap(), &shop.database.url()])
        .output()
        .unwrap();
    assert!(psql.status.success(), "{psql:?}");
    let by_psql = Catalogue::parse(&String::from_utf8(psql.stdout).unwrap()).unwrap();
    let (_, text) = take_catalogue(&shop.database.url()).await.unwrap();
    let own = Catalogue::parse(&text).unwrap();
    assert_eq!((by_psql.relations, by_psql.functions), (own.relations, own.functions));
    shop.close().await;
}

#[tokio::test]
async fn a_log_of_which_lines_are_missing_is_not_whole() {
    let shop = Shop::open().await;
    fs::write(
        shop.file("log.toml"),
        "format = \"pgaudit-csv\"\nother_relations = [\"public.catalog_product\"]\n[[table]]\n\
         name = \"public.customer_entity\"\nkey = \"entity_id\"\nfields = { email = \"email\" }\n",
    )
    .unwrap();
    let ten = ["SELECT sku FROM catalog_product"; 10].join(";\n");
    let log = shop.log("whole.csv", &ten).await;
    let whole = shop.plan(&log).await.unwrap();
    assert_eq!(whole.unreadable, 0);
    let text = fs::read_to_string(&log).unwrap();
    let torn: String = (0..)
        .zip(text.split_inclusive('\n'))
        .filter(|(n, _)| *n != 4)
        .map(|(_, line)| line)
        .collect();
    fs::write(&log, torn).unwrap();
    assert_eq!(shop.plan(&log).await.unwrap().unreadable, 1);
    shop.close().await;
}

#[tokio::test]
async fn no_error_shows_the_password_of_a_url() {
    let refused = take_catalogue("mysql://x:secret@127.0.0.1/shop").await.unwrap_err();
    let text = format!("{refused} {refused:?}");
    assert!(text.contains("mysql") && !text.contains("secret"), "{text}");
}
