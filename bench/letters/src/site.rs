//! A whole estate whose letters go to the sink.

use std::fs;
use std::io::{BufWriter, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Instant;

use cofferdam_core::{SystemClock, SystemRng};
use cofferdam_wire::Client;
use estate::{Compartment, Estate, Plan, Running};
use staff::import::{COLUMNS, default_rejects, import_customers};
use testkit::{free_address, make_halves};

use crate::args::Args;

/// The domain of the return addresses.
const RETURN_DOMAIN: &str = "back.shop.example";
/// The mail domains of five providers. The first one begins to refuse.
const FLOODED: [&str; 5] =
    ["flooded.example", "one.example", "two.example", "three.example", "four.example"];

/// An estate that runs.
pub struct Site {
    /// The directory of the estate.
    pub dir: PathBuf,
    estate: Estate,
    running: Running,
    /// The mail domains of the customers.
    domains: Vec<&'static str>,
}

impl Site {
    /// Makes an estate in `dir`, points its letters at the sink, and starts it.
    pub async fn start(dir: &Path, sink: SocketAddr, args: &Args) -> Self {
        let dir = dir.join("estate");
        let plan = Plan { letters_relay: Some(sink.to_string()), ..Plan::default() };
        estate::create(&dir, &plan, &SystemClock, &SystemRng).await.unwrap();
        configure(&dir, args);
        if args.database.is_some() {
            make_halves(&args.binary, Compartment::Response, &dir.join("response/response.toml"));
        }
        let estate = Estate::open(&dir).unwrap();
        let running = Running::start(&estate, &args.binary).await.unwrap();
        let domains = if args.flood { FLOODED.to_vec() } else { vec!["home.example"] };
        Self { dir, estate, running, domains }
    }

    /// Imports synthetic customers. Returns the number a second.
    pub async fn import(&self, customers: u32) -> f64 {
        let file = self.customers();
        write_customers(&file, customers, &self.domains);
        let begun = Instant::now();
        let accounts = self.client(Compartment::Accounts, "import-1");
        let rejects = default_rejects(&file);
        import_customers(&accounts, &file, &rejects, &mut |_, _| ()).await.unwrap();
        f64::from(customers) / begun.elapsed().as_secs_f64()
    }

    /// The file of the customers.
    pub fn customers(&self) -> PathBuf {
        self.dir.join("customers.csv")
    }

    /// A client of `response` as staff.
    pub fn staff(&self) -> Client {
        self.client(Compartment::Response, "operator-1")
    }

    fn client(&self, compartment: Compartment, caller: &str) -> Client {
        self.estate.client(compartment, &caller.parse().unwrap()).unwrap()
    }

    /// The peak memory of each compartment, in MiB.
    pub fn memory(&self) -> Vec<(Compartment, f64)> {
        let of = |compartment| Some((compartment, peak(self.running.pid(compartment)?)?));
        let measured = [Compartment::Keys, Compartment::Accounts, Compartment::Response];
        measured.into_iter().filter_map(of).collect()
    }

    pub async fn stop(mut self) {
        self.running.stop().await;
    }
}

fn configure(dir: &Path, args: &Args) {
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
        letters.insert("return_domain".to_owned(), RETURN_DOMAIN.into());
        letters.insert("return_listen".to_owned(), free_address().to_string().into());
    }
    if args.flood {
        let provider = |domain: &&str| {
            let mut of = toml::Table::new();
            of.insert("name".to_owned(), domain.split('.').next().unwrap().into());
            of.insert("domains".to_owned(), vec![*domain].into());
            toml::Value::Table(of)
        };
        let providers = FLOODED.iter().map(provider).collect();
        letters.insert("providers".to_owned(), toml::Value::Array(providers));
    }
    letters.insert("connections".to_owned(), i64::from(args.connections).into());
    if args.relay_signs {
        letters.insert("dkim".to_owned(), toml::Value::Array(Vec::new()));
    }
    fs::write(&file, config.to_string()).unwrap();
}

fn write_customers(file: &Path, customers: u32, domains: &[&str]) {
    let mut out = BufWriter::new(fs::File::create(file).unwrap());
    writeln!(out, "{}", COLUMNS.join(",")).unwrap();
    let places = ["US,KY,en", "US,MA,en", "US,CA,es", "CA,QC,fr", "DE,,de", "BR,,pt"];
    for n in 0..customers {
        // Decoys get addresses that look like their neighbours'. With consecutive numbers, those
        // would be addresses of customers.
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

/// The peak memory of a process (`VmHWM`), in MiB.
fn peak(pid: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1_024.0)
}
