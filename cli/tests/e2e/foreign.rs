//! A shop whose accounts do not run on Cofferdam brings its table and PostgreSQL's own audit logs
//! on the day: real statements, run by psql, logged by pgaudit.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use cofferdam_core::{Clock, Field, SystemClock};
use response_api::{Exposure, FindPerson, IncidentId, Level, People, ReadExposure, ReadPerson};
use roaring::RoaringBitmap;
use tempfile::TempDir;
use testkit::postgres::Database;

use crate::letters::approvers;
use crate::support::{Place, Up, cofferdam, run, said};

const CUSTOMERS: u64 = 40;

const ROSTER: &str = r#"
key = "id"
name = "full_name"
email = "email"
address = ["street", "town"]
country = "country"
region = "state"
default_language = "en"
holds = { phone = "phone", pw_hash = "password" }
"#;

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

/// The shop: its database, and two app servers' users in it.
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

    /// Runs statements as a user; what psql printed.
    fn psql(&self, user: &str, statements: &str) -> String {
        let url = self.database.url().replace("//postgres@", &format!("//{user}@"));
        let out = Command::new("psql")
            .args([&url, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statements])
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    }

    /// What PostgreSQL logged of this shop so far.
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

fn ok<const N: usize>(args: [&str; N]) -> serde_json::Value {
    json(&run(args))
}

fn json(out: &Output) -> serde_json::Value {
    assert!(out.status.success(), "{}", said(out));
    serde_json::from_slice(&out.stdout).unwrap()
}

/// A shop, an estate, and the files on the commander's desk.
struct Desk {
    shop: Shop,
    place: Place,
    files: TempDir,
}

impl Desk {
    async fn new() -> Self {
        let (shop, place, files) = (Shop::open().await, Place::new(), tempfile::tempdir().unwrap());
        fs::write(files.path().join("roster.toml"), ROSTER).unwrap();
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

    /// The fallen server's name, as scopes have it.
    fn fallen(&self) -> String {
        self.shop.ky.replace('_', "-")
    }

    /// The table, from the database itself.
    fn import_roster(&self) -> serde_json::Value {
        ok([
            "import",
            "roster",
            "--from",
            &self.shop.database.url(),
            "--table",
            "public.customer",
            "--mapping",
            &self.file("roster.toml"),
            "--rejects",
            &self.file("rejects.csv"),
            "--dir",
            self.place.path(),
            "--json",
        ])
    }

    /// What PostgreSQL logged so far, in one of its formats.
    fn bring(&self, ending: &str, from: &str, to: &str) -> serde_json::Value {
        let file = self.shop.log(ending, self.files.path());
        let (file, mapping) = (file.to_str().unwrap(), self.file(&format!("{ending}.toml")));
        let dir = self.place.path();
        ok([
            "import",
            "access-log",
            file,
            "--mapping",
            &mapping,
            "--covers-from",
            from,
            "--covers-to",
            to,
            "--dir",
            dir,
            "--json",
        ])
    }

    fn scope(&self, from: &str, to: &str) -> Exposure {
        let (dir, fallen) = (self.place.path(), self.fallen());
        let declared = ok([
            "incident", "declare", "--title", "t", "--fallen", &fallen, "--from", from, "--to", to,
            "--found", "f", "--people", "roster", "--dir", dir, "--json",
        ]);
        let number = declared["incident"].to_string();
        let exposure = ok(["incident", "scope", &number, "--from-log", "--dir", dir, "--json"]);
        serde_json::from_value(exposure).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shops_own_table_and_logs_give_the_exact_customers() {
    let desk = Desk::new().await;
    let _up = Up::start(&desk.place);
    // Twice, as one does.
    for created in [CUSTOMERS, 0] {
        let done = desk.import_roster();
        assert_eq!((&done["created"], &done["rejected"]), (&created.into(), &0.into()));
        assert_eq!(done["roster"]["jurisdictions"], serde_json::json!({"DE": 10, "US-KY": 30}));
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
    // Another server, that did not fall.
    desk.shop.psql(&desk.shop.ny, "SELECT * FROM customer");
    let ended = SystemClock.now().to_string();

    let brought = desk.bring("csv", &began, &ended);
    assert_eq!((&brought[0]["unreadable"], &brought[0]["unknown"]), (&0.into(), &0.into()));
    let again = desk.bring("csv", &began, &ended);
    assert_eq!(again, brought, "brought again, it is there already");
    let exposure = desk.scope(&began, &ended);
    assert_eq!(exposure.doubts, [], "nothing is open");
    assert_eq!((exposure.people.read, exposure.people.presented), (5, 1), "{exposure:?}");
    assert_eq!((exposure.customers, exposure.people.reachable), (CUSTOMERS, CUSTOMERS - 6));
    exactly(&desk, exposure.incident).await;

    // JSON says the same as CSV; a window that no log covers counts as read.
    let hash = brought[0]["log"].as_str().unwrap();
    let removed = run(["import", "access-logs", "remove", hash, "--dir", desk.place.path()]);
    assert!(removed.status.success(), "{}", said(&removed));
    desk.bring("json", &began, &ended);
    let again = desk.scope(&began, &ended);
    assert_eq!((again.fields, again.people), (exposure.fields, exposure.people));
    let gap = desk.scope("2012-01-15T00:00:00Z", &ended);
    assert!(gap.doubts.iter().any(|doubt| doubt.counts_as_read));
    assert_eq!((gap.people.read, gap.assumed), (CUSTOMERS, CUSTOMERS - 5));

    // What can't be told to be anybody's is everybody's, and is listed.
    desk.ky("SELECT email FROM contact WHERE id = 1");
    desk.ky("COPY customer (phone) TO STDOUT");
    let later = SystemClock.now().to_string();
    desk.bring("csv", &began, &later);
    let all = desk.scope(&began, &later);
    assert_eq!(all.people.read, CUSTOMERS);
    assert!(all.unresolved.iter().any(|of| of.why.contains("whole table")), "{all:?}");
    assert!(all.unresolved.iter().all(|of| of.via.as_str() == desk.fallen()));
    assert_eq!(all.fields[&Field::Name].read, CUSTOMERS, "a view of unknown columns");
    written_and_sealed(&desk, all.incident);
}

/// The database of `response` tells no contact.
fn nothing_in_clear(place: &Place) {
    for file in ["response.db", "response.db-wal"] {
        let bytes = fs::read(place.dir.join("response").join(file)).unwrap_or_default();
        for secret in ["person.7@home.example", "Person 7", "7 Main St"] {
            let found = memchr::memmem::find(&bytes, secret.as_bytes());
            assert!(found.is_none(), "{secret} stands in {file}");
        }
    }
}

/// Field by field, by the shop's own numbers.
async fn exactly(desk: &Desk, incident: IncidentId) {
    let staff = desk.place.client("response", "operator-1");
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

/// Everybody on the roster is written to, under a warrant of two; the bag holds.
fn written_and_sealed(desk: &Desk, incident: IncidentId) {
    let (number, dir) = (incident.to_string(), desk.place.path());
    let write = |audience| {
        let mut letters = cofferdam(["incident", "letters", &number, "--audience", audience]);
        letters.args(approvers(&desk.place)).args(["--dir", dir, "--json"]);
        json(&letters.output().unwrap())
    };
    write("staff");
    let sent = write("customers");
    assert_eq!(sent["people"]["accepted"], CUSTOMERS, "{sent}");
    let bag = desk.file("bag");
    let made = ok(["evidence", "export", &number, "--out", &bag, "--dir", dir, "--json"]);
    let verified = run(["evidence", "verify", &bag, "--key", made["key"].as_str().unwrap()]);
    assert!(verified.status.success(), "{}", said(&verified));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_part_of_the_shops_estate_is_refused() {
    let place = Place::new();
    let _up = Up::start(&place);
    let out = run([
        "incident",
        "declare",
        "--title",
        "t",
        "--fallen",
        "keys=keys",
        "--from",
        "2012-01-15T00:00:00Z",
        "--found",
        "f",
        "--people",
        "roster",
        "--dir",
        place.path(),
    ]);
    assert!(!out.status.success() && said(&out).contains("accounts_database"), "{}", said(&out));
    let staff = place.client("response", "operator-1");
    let incidents = staff.call(&response_api::ListIncidents {}).await.unwrap();
    assert!(incidents.iter().all(|incident| incident.people == People::Accounts));
}
