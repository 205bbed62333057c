//! Letters as other software reads them: Python's dkimpy and email package, and a browser.

use std::fs;
use std::path::Path;
use std::process::Command;

use cofferdam_mail::sink::SinkIndex;
use cofferdam_mail::{DkimAlgorithm, DkimKey, generate_dkim_key};
use testkit::{Browser, free_address};

use crate::letters::{declared, send};
use crate::support::{Place, Process, cofferdam, customers, stdout, wait_until};

const LANGUAGES: [&str; 5] = ["en", "fr", "es", "de", "pt"];
/// Debian's Python, for which the packages are installed.
const PYTHON: &str = "/usr/bin/python3";

/// Imports customers in every language, some with names that are long or not ASCII.
fn import(place: &Place) {
    let rows = String::from_utf8(customers(0..20)).unwrap();
    let rows = rows.lines().enumerate().map(|(n, row)| {
        let language = format!(",{},false,", LANGUAGES[n % LANGUAGES.len()]);
        let name = match n % 4 {
            0 => format!("Zoë Ångström-Müller {n}"),
            1 => format!("李小龍 {n}"),
            2 => format!("{} {n}", "Maximiliana".repeat(4)),
            _ => format!("Person {n}"),
        };
        let row = row.replace(",en,false,", &language);
        row.split_once(',')
            .map(|(_, rest)| format!("{name},{rest}\n"))
            .filter(|_| n > 0)
            .unwrap_or_else(|| format!("{row}\n"))
    });
    place.import_rows(rows.collect::<String>().as_bytes());
}

/// Adds a second DKIM key, Ed25519. Returns the records of both by name.
fn add_dkim_key(place: &Place, letters: &mut toml::Table) -> serde_json::Value {
    let second = place.dir.join("response/ed25519.pem");
    fs::copy(place.dir.join("response/dkim.pem"), &second).unwrap();
    fs::write(&second, generate_dkim_key(DkimAlgorithm::Ed25519).unwrap().as_bytes()).unwrap();
    let keys = letters["dkim"].as_array_mut().unwrap();
    let mut other = keys[0].clone();
    other["selector"] = "ed25519".into();
    other["key_file"] = second.to_str().unwrap().into();
    keys.push(other);
    let record = |of: &toml::Value| {
        let text = |key: &str| of[key].as_str().unwrap();
        let (domain, selector, file) = (text("domain"), text("selector"), text("key_file"));
        let pem = fs::read(file).unwrap();
        let key = DkimKey::from_pem(domain, selector, &pem, Path::new(file)).unwrap();
        (format!("{selector}._domainkey.{domain}"), key.record().unwrap().into())
    };
    serde_json::Value::Object(keys.iter().map(record).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_software_reads_letters_as_they_are_meant() {
    let place = Place::with_estate().await;
    let (at, mail) = (free_address(), place.dir.join("arrived"));
    let mut records = serde_json::Value::Null;
    place.set_letters(at, |letters| records = add_dkim_key(&place, letters));
    let _running = place.serve_all().await;
    let dir = mail.to_str().unwrap();
    let _sink =
        Process::spawn(cofferdam(["sink", "serve", "--dir", dir, "--listen", &at.to_string()]));
    wait_until("the sink listens", async || tokio::net::TcpStream::connect(at).await.is_ok()).await;
    import(&place);
    declared(&place.staff(), "web-ky-1").await;
    send(&place, "staff");
    send(&place, "customers");

    let index = SinkIndex::load(&mail).unwrap();
    assert_eq!(index.arrivals().len(), 30);
    for arrival in index.arrivals() {
        let file = mail.join(format!("{}.eml", arrival.recipient.expose()));
        fs::write(file, index.read(arrival).unwrap()).unwrap();
    }
    let published = mail.join("records.json");
    fs::write(&published, records.to_string()).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/read_letters.py");
    let output = Command::new(PYTHON).arg(script).arg(&mail).arg(&published).output().unwrap();
    assert_eq!(stdout(&output).trim(), "30");
    // This letter is in English.
    open_in_browser(&mail.join("person.14@home.example.html")).await;
}

/// Checks that a letter fits a phone and a screen. `COFFERDAM_SCREENSHOTS` names a directory for
/// screenshots.
async fn open_in_browser(letter: &Path) {
    for (name, width, height) in [("phone", 360, 740), ("desktop", 1280, 900)] {
        let browser = Browser::open(width, height).await;
        browser.go(&format!("file://{}", letter.display())).await;
        assert!(!browser.read("h2").await.is_empty());
        assert!(browser.fits().await, "the letter is wider than a {name}");
        if let Ok(dir) = std::env::var("COFFERDAM_SCREENSHOTS") {
            let file = Path::new(&dir).join(format!("letter-{name}.png"));
            fs::write(file, browser.screenshot().await).unwrap();
        }
        browser.close().await;
    }
}
