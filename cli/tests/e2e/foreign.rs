//! A shop whose accounts do not run on Cofferdam brings its table and PostgreSQL's own audit logs
//! on the day of an incident. The statements are real: psql runs them and pgaudit logs them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cofferdam_core::{Clock, Field, SystemClock};
use response_api::{
    Exposure, FindPerson, IncidentId, Level, ListIncidents, People, ReadExposure, ReadPerson,
};
use roaring::RoaringBitmap;
use tempfile::TempDir;
use testkit::postgres::Database;

use crate::letters::sending_about;
use crate::support::{Place, Up, assert_refused, json, run, stdout};

const CUSTOMERS: u64 = 40;

/// The mapping of the table.
const TABLE: &str = r#"
key = "id"
name = "full_name"
email = "email"
address = ["street", "town"]
country = "country"
region = "state"
default_language = "en"
holds = { phone = "phone", pw_hash = "password" }
"#;

/// The mapping of the audit log.
const LOG: &str = r#"
format = "FORMAT"
[[table]]
name = "public.customer"
key = "id"
email = "email"
harmless = ["country", "state", "town"]
[table.fields]
full_name = "name"
email = "email"
phone = "phone"
street = "shipping_address"
pw_hash = "password"
"#;

/// The shop: its database, and the users of two app servers in it.
struct Shop {
    database: Database,
    ky: String,
    ny: String,
}

impl Shop {
    async fn open() -> Self {
        let database = Database::create().await;
        let name = database.url().rsplit('_').next().unwrap().to_owned();
        let (ky, ny) = (format!("web_ky_{name}"), format!("web_ny_{name}"));
        let shop = Self { database, ky, ny };
        let setup = format!(
            "CREATE TABLE customer (id INT PRIMARY KEY, full_name TEXT, email TEXT, phone TEXT,
                 street TEXT, town TEXT, country TEXT, state TEXT, pw_hash TEXT);
             INSERT INTO customer SELECT n, 'Person ' || n, 'person.' || n || '@home.example',
                 '+1 502 555 0' || n, n || ' Main St', 'Shepherdsville',
                 CASE WHEN n % 4 = 0 THEN 'DE' ELSE 'US' END,
                 CASE WHEN n % 4 = 0 THEN NULL ELSE 'KY' END, md5(n::text)
                 FROM generate_series(1, {CUSTOMERS}) n;
             CREATE VIEW contact AS SELECT id, email FROM customer;
             CREATE ROLE {ky} LOGIN; CREATE ROLE {ny} LOGIN;
             GRANT ALL ON customer, contact TO {ky}, {ny};
             ALTER ROLE {ky} SET pgaudit.log = 'read,write,function,ddl';
             ALTER ROLE {ny} SET pgaudit.log = 'read,write,function,ddl';",
            ky = shop.ky,
            ny = shop.ny,
        );
        shop.psql("postgres", &setup);
        shop
    }

    /// Runs statements as a user. Returns what psql printed.
    fn psql(&self, user: &str, statements: &str) -> String {
        let url = self.database.url().replace("//postgres@", &format!("//{user}@"));
        let out = Command::new("psql")
            .args([&url, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statements])
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    }

    /// Copies what PostgreSQL logged about this shop so far into a file of the directory `to`.
    fn log(&self, ending: &str, to: &Path) -> PathBuf {
        let logs =
            std::env::var("COFFERDAM_TEST_POSTGRES_LOGS").unwrap_or_else(|_| panic!("run ./test"));
        let text =
            fs::read_to_string(Path::new(&logs).join(format!("postgresql.{ending}"))).unwrap();
        let name = self.database.url().rsplit('/').next().unwrap().to_owned();
        let ours: Vec<_> = text.split_inclusive('\n').filter(|line| line.contains(&name)).collect();
        let file = to.join(format!("audit.{ending}"));
        fs::write(&file, ours.concat()).unwrap();
        file
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let users = format!("DROP OWNED BY {0}, {1}; DROP ROLE {0}, {1}", self.ky, self.ny);
        if !std::thread::panicking() {
            self.psql("postgres", &users);
        }
    }
}

/// A shop, an estate, and the files of the person who responds.
struct Desk {
    shop: Shop,
    place: Place,
    files: TempDir,
}

impl Desk {
    async fn new() -> Self {
        let (shop, place, files) = (Shop::open().await, Place::new(), tempfile::tempdir().unwrap());
        fs::write(files.path().join("table.toml"), TABLE).unwrap();
        for ending in ["csv", "json"] {
            let mapping = LOG.replace("FORMAT", &format!("pgaudit-{ending}"));
            fs::write(files.path().join(format!("{ending}.toml")), mapping).unwrap();
        }
        Self { shop, place, files }
    }

    fn file(&self, name: &str) -> String {
        self.files.path().join(name).to_str().unwrap().to_owned()
    }

    fn ky(&self, statement: &str) -> String {
        self.shop.psql(&self.shop.ky, statement)
    }

    /// Returns the name of the fallen server in a scope.
    fn fallen(&self) -> String {
        self.shop.ky.replace('_', "-")
    }

    /// Brings the table from the database itself.
    fn import_table(&self) -> serde_json::Value {
        let mut import = self.place.cofferdam(["table", "add"]);
        import.args(["--from", &self.shop.database.url(), "--table", "public.customer"]);
        import.args(["--mapping", &self.file("table.toml")]);
        import.args(["--rejects", &self.file("rejects.csv")]);
        json(import)
    }

    /// Brings what PostgreSQL logged so far, in one of its formats.
    fn bring(&self, ending: &str, from: &str, to: &str) -> serde_json::Value {
        let mut import = self.place.cofferdam(["access-log", "add"]);
        import.arg(self.shop.log(ending, self.files.path()));
        import.args(["--mapping", &self.file(&format!("{ending}.toml"))]);
        import.args(["--covers-from", from, "--covers-to", to]);
        json(import)
    }

    /// Declares that the server fell in a window, and scopes the incident from the logs.
    fn scope(&self, from: &str, to: &str) -> Exposure {
        let mut declare = self.place.cofferdam(["incident", "declare"]);
        declare.args(["--title", "t", "--fallen", &self.fallen(), "--found", "f"]);
        declare.args(["--from", from, "--to", to, "--people", "table"]);
        let number = json(declare)["incident"].to_string();
        let scoped = self.place.json(["incident", "scope", &number, "--from-log"]);
        serde_json::from_value(scoped).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shops_own_table_and_logs_give_the_exact_customers() {
    let desk = Desk::new().await;
    let _up = Up::start(&desk.place);
    // The table is brought twice: a second run must update people and not add them.
    for created in [CUSTOMERS, 0] {
        let done = desk.import_table();
        assert_eq!((&done["created"], &done["rejected"]), (&created.into(), &0.into()));
        assert_eq!(done["table"]["jurisdictions"], serde_json::json!({"DE": 10, "US-KY": 30}));
    }
    nothing_in_clear(&desk.place);

    let began = SystemClock.now().to_string();
    assert_eq!(desk.ky("SELECT full_name FROM customer WHERE id = 3"), "Person 3\n");
    desk.ky("SELECT phone, street FROM customer WHERE id IN (5, 6)");
    desk.ky("SELECT * FROM customer WHERE lower(email) = 'person.7@home.example'");
    desk.ky("PREPARE q (int) AS SELECT email FROM customer WHERE id = $1; EXECUTE q (9)");
    desk.ky("UPDATE customer SET phone = 'x' WHERE id = 11");
    desk.ky("SELECT count(*) FROM customer");
    desk.ky("SELECT town FROM customer WHERE id = 30");
    // This server did not fall.
    desk.shop.psql(&desk.shop.ny, "SELECT * FROM customer");
    let ended = SystemClock.now().to_string();

    let brought = desk.bring("csv", &began, &ended);
    assert_eq!((&brought[0]["unreadable"], &brought[0]["unknown"]), (&0.into(), &0.into()));
    let again = desk.bring("csv", &began, &ended);
    assert_eq!(again, brought, "the log is there already");
    let exposure = desk.scope(&began, &ended);
    assert_eq!(exposure.doubts, [], "nothing is in doubt");
    assert_eq!((exposure.people.read, exposure.people.presented), (5, 1), "{exposure:?}");
    assert_eq!((exposure.customers, exposure.people.reachable), (CUSTOMERS, CUSTOMERS - 6));
    assert_exact(&desk, exposure.incident).await;

    // JSON says the same as CSV. A window that no log covers counts as read.
    let hash = brought[0]["log"].as_str().unwrap();
    assert_refused(&desk.place.run(["access-log", "remove", hash]), "--yes");
    stdout(&desk.place.run(["access-log", "remove", hash, "--yes"]));
    assert_eq!(desk.place.json(["access-log", "list"]), serde_json::json!([]));
    desk.bring("json", &began, &ended);
    let again = desk.scope(&began, &ended);
    assert_eq!((again.fields, again.people), (exposure.fields, exposure.people));
    let gap = desk.scope("2012-01-15T00:00:00Z", &ended);
    assert!(gap.doubts.iter().any(|doubt| doubt.counts_as_read));
    assert_eq!((gap.people.read, gap.assumed), (CUSTOMERS, CUSTOMERS - 5));

    // A statement that could have read anybody counts as everybody's and is listed.
    desk.ky("SELECT email FROM contact WHERE id = 1");
    desk.ky("COPY customer (phone) TO STDOUT");
    let later = SystemClock.now().to_string();
    desk.bring("csv", &began, &later);
    let all = desk.scope(&began, &later);
    assert_eq!(all.people.read, CUSTOMERS);
    assert!(all.unresolved.iter().any(|of| of.why.contains("whole table")), "{all:?}");
    assert!(all.unresolved.iter().all(|of| of.via.as_str() == desk.fallen()));
    assert_eq!(all.fields[&Field::Name].read, CUSTOMERS, "the columns of the view are not known");
    write_and_seal(&desk, all.incident);
}

/// No contact stands in clear in the database of `response`.
fn nothing_in_clear(place: &Place) {
    for file in ["response.db", "response.db-wal"] {
        let bytes = fs::read(place.dir.join("response").join(file)).unwrap_or_default();
        for secret in ["person.7@home.example", "Person 7", "7 Main St"] {
            let found = memchr::memmem::find(&bytes, secret.as_bytes());
            assert!(found.is_none(), "{secret} stands in {file}");
        }
    }
}

/// Checks the exposure field by field, by the shop's own numbers.
async fn assert_exact(desk: &Desk, incident: IncidentId) {
    let staff = desk.place.staff();
    let mut keys = Vec::new();
    for key in 1..=CUSTOMERS {
        let record = staff.call(&FindPerson { key: key.to_string() }).await.unwrap().unwrap();
        keys.push((key, record));
    }
    for (level, field, expected) in [
        (Level::Read, Field::Name, vec![3, 7]),
        (Level::Read, Field::Phone, vec![5, 6, 7]),
        (Level::Read, Field::ShippingAddress, vec![5, 6, 7]),
        (Level::Read, Field::Email, vec![7, 9]),
        (Level::Read, Field::Password, vec![7]),
        (Level::Presented, Field::Phone, vec![11]),
    ] {
        let answer = staff.call(&ReadExposure { incident, level, field }).await.unwrap();
        let records = RoaringBitmap::deserialize_from(answer.roaring.as_slice()).unwrap();
        let held = keys.iter().filter(|(_, record)| records.contains(record.0));
        let held: Vec<_> = held.map(|(key, _)| *key).collect();
        assert_eq!(held, expected, "{level:?} {field}");
    }
    let record = keys[6].1;
    let person = staff.call(&ReadPerson { incident, record }).await.unwrap();
    let via: Vec<_> = person.events.iter().map(|event| event.via.as_str()).collect();
    assert!(person.exists && via == [desk.fallen()], "{person:?}");
}

/// Writes to everybody on the table under a warrant of two people, and verifies the bag.
fn write_and_seal(desk: &Desk, incident: IncidentId) {
    let number = incident.to_string();
    let write = |audience| json(sending_about(&desk.place, &number, audience));
    write("staff");
    let sent = write("customers");
    assert_eq!(sent["people"]["accepted"], CUSTOMERS, "{sent}");
    let bag = desk.file("bag");
    let exported = desk.place.json(["evidence", "export", "--incident", &number, "--out", &bag]);
    stdout(&run(["evidence", "verify", &bag, "--key", exported["key"].as_str().unwrap()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compartment_can_not_fall_in_a_shop_that_runs_none() {
    let place = Place::new();
    let _up = Up::start(&place);
    let mut declare = place.cofferdam(["incident", "declare", "--title", "t", "--found", "f"]);
    declare.args(["--fallen", "keys=keys", "--from", "2012-01-15T00:00:00Z"]);
    let refused = declare.args(["--people", "table"]).output().unwrap();
    assert_refused(&refused, "accounts_database");
    let incidents = place.staff().call(&ListIncidents {}).await.unwrap();
    assert!(incidents.iter().all(|incident| incident.people == People::Accounts));
}
