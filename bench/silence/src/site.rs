//! The estate under test, with one caller that is frozen.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use cofferdam_core::{Clock, CustomerNumber, SystemClock, SystemRng};
use cofferdam_wire::Client;
use estate::{Compartment, Estate, Plan, Running};
use jiff::SignedDuration;
use keys_api::Budget;
use response_api::{DeclareIncident, FreezeCaller, People};
use testkit::free_address;

use crate::calls;
use crate::manners::Listener;

/// The caller that is frozen, and goes on asking.
pub const FROZEN: &str = "processor-1";

/// A running estate.
pub struct Site {
    /// The estate on disk.
    pub estate: Estate,
    running: Running,
    /// The listener for returned mail.
    mail: SocketAddr,
    /// A customer who can be read.
    pub customer: CustomerNumber,
}

impl Site {
    /// Makes an estate in `dir` that takes returned mail, starts it, and freezes a caller.
    pub async fn start(dir: &Path, binary: &Path) -> Self {
        let dir = dir.join("estate");
        let often = Budget { minute: 1_000_000, hour: 10_000_000, day: 10_000_000, burst: 0 };
        let plan = Plan { presence: false, web_release: often, ..Plan::default() };
        estate::create(&dir, &plan, &SystemClock, &SystemRng).await.unwrap();
        let mail = free_address();
        take_returned_mail(&dir.join("response/response.toml"), mail);
        let estate = Estate::open(&dir).unwrap();
        let running = Running::start(&estate, binary).await.unwrap();
        let mut site = Self { estate, running, mail, customer: CustomerNumber(0) };
        site.customer = calls::sign_up(&site).await;
        site.freeze().await;
        site
    }

    async fn freeze(&self) {
        let staff = self.client(Compartment::Response, "operator-1");
        let declare = DeclareIncident {
            title: format!("{FROZEN} fell"),
            fallen: vec![FROZEN.parse().unwrap()],
            from: SystemClock.now() - SignedDuration::from_hours(1),
            to: None,
            found: "a measurement".to_owned(),
            people: People::Accounts,
            unlisted: Vec::new(),
        };
        let incident = staff.call(&declare).await.unwrap().incident;
        let (caller, reason) = (FROZEN.parse().unwrap(), "it fell".parse().unwrap());
        let freeze =
            FreezeCaller { incident, caller, frozen: true, reason, key: None, order: None };
        staff.call(&freeze).await.unwrap();
    }

    /// A client of a compartment under a caller's certificate.
    pub fn client(&self, of: Compartment, caller: &str) -> Client {
        self.estate.client(of, &caller.parse().unwrap()).unwrap()
    }

    /// The address of a listener.
    pub fn address(&self, listener: Listener) -> SocketAddr {
        let url = match listener {
            Listener::Compartment(of) => self.estate.addresses.of(of),
            Listener::Page => &self.estate.addresses.notice,
            Listener::Mail => return self.mail,
        };
        let port = url.rsplit(':').next().unwrap().parse().unwrap();
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    /// Stops every process.
    pub async fn stop(&mut self) {
        self.running.stop().await;
    }
}

fn take_returned_mail(file: &Path, listen: SocketAddr) {
    let mut config: toml::Table = fs::read_to_string(file).unwrap().parse().unwrap();
    let letters = config["letters"].as_table_mut().unwrap();
    letters.insert("return_domain".to_owned(), "back.shop.example".into());
    letters.insert("return_listen".to_owned(), listen.to_string().into());
    fs::write(file, config.to_string()).unwrap();
}
