//! A whole estate whose letters go to the sink.

use std::fs;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use cofferdam_wire::{Client, Identity, TlsFiles};
use testkit::free_address;

use crate::back::DOMAIN;
use crate::{Args, flood};

/// An estate under `cofferdam up`.
pub struct Running {
    pub binary: PathBuf,
    pub dir: PathBuf,
    up: Child,
    /// Where the customers have their mailboxes.
    domains: Vec<&'static str>,
}

impl Running {
    /// Makes an estate in `dir`, points its letters at the sink, and starts it.
    pub async fn start(binary: &Path, dir: &Path, sink: SocketAddr, args: &Args) -> Self {
        let dir = dir.join("estate");
        let made = up(binary, &dir);
        stop(made);
        configure(&dir, sink, args);
        let domains = if args.flood { flood::DOMAINS.to_vec() } else { vec!["home.example"] };
        let running = Self { binary: binary.to_owned(), up: up(binary, &dir), dir, domains };
        assert!(running.response().is_healthy().await, "response does not answer");
        running
    }

    /// Brings synthetic customers in; how many a second.
    pub fn import(&self, customers: u32) -> f64 {
        let file = self.dir.join("customers.csv");
        write_customers(&file, customers, &self.domains);
        let begun = Instant::now();
        let mut command = self.command(&["import", "customers"]);
        assert!(command.arg(&file).status().unwrap().success(), "the import failed");
        f64::from(customers) / begun.elapsed().as_secs_f64()
    }

    /// A command of the binary on this estate, quiet.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(args).arg("--dir").arg(&self.dir);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// A client of `response` as staff.
    pub fn response(&self) -> Client {
        let text = fs::read_to_string(self.dir.join("estate.toml")).unwrap();
        let at: toml::Table = text.parse().unwrap();
        let files = self.dir.join("callers/operator-1");
        let identity = Identity::load(&TlsFiles {
            ca: self.dir.join("ca/ca.pem"),
            cert: files.join("cert.pem"),
            key: files.join("key.pem"),
        });
        Client::new(at["response"].as_str().unwrap(), &identity.unwrap())
    }

    /// The most memory that each compartment ever had, in MiB.
    pub fn memory(&self) -> Vec<(String, f64)> {
        let of = |name: &str| Some((name.to_owned(), peak(&self.dir, name)?));
        ["keys", "accounts", "response"].into_iter().filter_map(of).collect()
    }

    pub fn stop(self) {
        stop(self.up);
    }
}

fn up(binary: &Path, dir: &Path) -> Child {
    let mut command = Command::new(binary);
    command.args(["up", "--dir"]).arg(dir).env("COFFERDAM_LOG", "warn");
    let mut up = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(up.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("Ctrl-C stops it") {
        line.clear();
        assert!(lines.read_line(&mut line).unwrap() > 0, "the estate does not come up");
    }
    up
}

fn stop(mut up: Child) {
    let asked = Command::new("kill").args(["-TERM", &up.id().to_string()]).status().unwrap();
    assert!(asked.success());
    up.wait().unwrap();
}

fn configure(dir: &Path, sink: SocketAddr, args: &Args) {
    let file = dir.join("response/response.toml");
    let mut config: toml::Table = fs::read_to_string(&file).unwrap().parse().unwrap();
    if args.comes_back {
        config.insert("notice_proxies".to_owned(), vec!["127.0.0.1"].into());
    }
    if let Some(database) = &args.database {
        config["database"] = database.clone().into();
    }
    let letters = config["letters"].as_table_mut().unwrap();
    if args.comes_back {
        letters.insert("return_domain".to_owned(), DOMAIN.into());
        letters.insert("return_listen".to_owned(), free_address().to_string().into());
    }
    if args.flood {
        let provider = |domain: &&str| {
            let mut of = toml::Table::new();
            of.insert("name".to_owned(), domain.split('.').next().unwrap().into());
            of.insert("domains".to_owned(), vec![*domain].into());
            toml::Value::Table(of)
        };
        let providers = flood::DOMAINS.iter().map(provider).collect();
        letters.insert("providers".to_owned(), toml::Value::Array(providers));
    }
    letters["relays"][0]["address"] = sink.to_string().into();
    letters.insert("connections".to_owned(), i64::from(args.connections).into());
    if args.relay_signs {
        letters.insert("dkim".to_owned(), toml::Value::Array(Vec::new()));
    }
    fs::write(&file, config.to_string()).unwrap();
}

fn write_customers(file: &Path, customers: u32, domains: &[&str]) {
    let mut out = BufWriter::new(fs::File::create(file).unwrap());
    writeln!(
        out,
        "name,email,phone,billing_address,shipping_address,card_last4,country,region,language,\
         minor,password_scheme,password_salt,password_hash"
    )
    .unwrap();
    let places = ["US,KY,en", "US,MA,en", "US,CA,es", "CA,QC,fr", "DE,,de", "BR,,pt"];
    for n in 0..customers {
        // Decoys get addresses like their neighbours': in a row of numbers those would be customers'.
        let mixed = n.wrapping_mul(2_654_435_761);
        let place = places[n as usize % places.len()];
        let domain = domains[n as usize % domains.len()];
        writeln!(
            out,
            "Person {n},p{mixed:08x}@{domain},,{n} Main St,{n} Side St,4242,{place},false,\
             salted_sha1,salt,{n:040x}"
        )
        .unwrap();
    }
}

/// `VmHWM` of the process that serves a compartment of the estate in `dir`.
fn peak(dir: &Path, compartment: &str) -> Option<f64> {
    let config = dir.join(compartment).join(format!("{compartment}.toml"));
    let config = config.to_str()?.to_owned();
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if String::from_utf8_lossy(&line).contains(&config) {
            let status = fs::read_to_string(entry.path().join("status")).ok()?;
            let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
            let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
            return Some(kib / 1_024.0);
        }
    }
    None
}
