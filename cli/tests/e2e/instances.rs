//! Two real processes of `accounts`, and of `payments`, on one PostgreSQL database. One of them is
//! stopped, goes on, and is killed: no order that was answered is disobeyed by it.

use std::sync::{Arc, Mutex};

use accounts_api::{
    CheckSession, CreateCustomer, FreezeCaller, NO_SESSION, OpenSession, RequestReset, Session,
};
use cofferdam_core::{Call, Personal};
use cofferdam_wire::{CallError, Client, ProblemType};
use estate::Compartment::{self, Accounts, Payments, Response};
use nix::sys::signal::Signal;
use payments_api::ReadCard;
use sqlx::Connection as _;
use testkit::postgres::Database;
use testkit::second_instance;

use crate::crash::store_cards;
use crate::refusals::ada;
use crate::support::{Place, Process, assert_refused, stdout, wait_until};

const EMAIL: &str = "ada@home.example";
const PASSWORD: &str = "correct horse battery";

/// A second process of a compartment.
struct Second {
    compartment: Compartment,
    dir: String,
    url: String,
    process: Process,
}

impl Second {
    async fn start(place: &Place, compartment: Compartment) -> Self {
        let (dir, url) = second_instance(&place.dir, compartment);
        let process = place.spawn(compartment, &dir);
        let second = Self { compartment, dir, url, process };
        second.answers(place).await;
        second
    }

    /// Kills the process, and starts it again.
    async fn restart_after_kill(&mut self, place: &Place, meanwhile: impl AsyncFnOnce()) {
        self.process.kill();
        meanwhile().await;
        self.process = place.spawn(self.compartment, &self.dir);
        self.answers(place).await;
    }

    fn client(&self, place: &Place, caller: &str) -> Client {
        let identity = place.estate().identity(&caller.parse().unwrap()).unwrap();
        Client::new(self.compartment, &self.url, &identity)
    }

    async fn answers(&self, place: &Place) {
        let client = self.client(place, "operator-1");
        wait_until("the second answers", async || client.is_healthy().await).await;
    }
}

/// Freezes or thaws a caller at the first instance, as `response` does.
async fn freeze(place: &Place, compartment: Compartment, caller: &str, frozen: bool) {
    let reason = "it fell".parse().unwrap();
    let order = FreezeCaller { caller: caller.parse().unwrap(), frozen, incident: None, reason };
    place.own_client(compartment, Response).call(&order).await.unwrap();
}

/// Checks that an instance that was not told of an order does not act against it.
#[track_caller]
fn obeys<T>(answer: Result<T, CallError>) {
    let Err(refused) = answer else { panic!("a frozen caller was served") };
    let known = refused.is(ProblemType::FROZEN) || refused.is(ProblemType::ORDERS_UNKNOWN);
    assert!(known, "{refused}");
}

/// Freezes `caller` while the second process stands still, and while it is dead. `call` is one that
/// the caller may make.
async fn orders_hold<C: Call + Sync>(place: &Place, second: &mut Second, caller: &str, call: &C)
where
    C::Answer: std::fmt::Debug,
{
    let served = second.client(place, caller);
    wait_until("the second serves", async || served.call(call).await.is_ok()).await;
    freeze(place, second.compartment, caller, true).await;
    assert!(served.call(call).await.unwrap_err().is(ProblemType::FROZEN));
    freeze(place, second.compartment, caller, false).await;
    served.call(call).await.unwrap();

    second.process.signal(Signal::SIGSTOP);
    let (waiting, ()) = tokio::join!(served.call(call), async {
        freeze(place, second.compartment, caller, true).await;
        second.process.signal(Signal::SIGCONT);
    });
    obeys(waiting);
    obeys(served.call(call).await);
    freeze(place, second.compartment, caller, false).await;
    wait_until("the second serves again", async || served.call(call).await.is_ok()).await;

    let compartment = second.compartment;
    second.restart_after_kill(place, async || freeze(place, compartment, caller, true).await).await;
    let refused = second.client(place, caller).call(call).await.unwrap_err();
    assert!(refused.is(ProblemType::FROZEN), "{refused}");
    freeze(place, second.compartment, caller, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_holds_at_a_process_that_was_stopped_or_killed() {
    let place = Place::with_estate().await;
    let [customers, cards] = [Database::create().await, Database::create().await];
    place.use_database(Accounts, customers.url());
    place.use_database(Payments, cards.url());
    let running = place.serve_all().await;
    for compartment in [Accounts, Payments] {
        assert_refused(&place.init(compartment), "an instance runs on this database");
    }

    let mut accounts = Second::start(&place, Accounts).await;
    let reset = RequestReset { email: Personal::new("nobody@home.example") };
    orders_hold(&place, &mut accounts, "web-ky-1", &reset).await;
    a_stopped_process_opens_no_session(&place, &accounts).await;

    let mut payments = Second::start(&place, Payments).await;
    let token = store_cards(&place, 1).await.remove(0);
    orders_hold(&place, &mut payments, "checkout-1", &ReadCard { token }).await;
    a_killed_process_is_forgotten(&cards, payments.process).await;
    drop((accounts, running));
}

/// Otherwise the next order would wait a second for it.
async fn a_killed_process_is_forgotten(database: &Database, mut process: Process) {
    let mut connection = sqlx::PgConnection::connect(&database.url()).await.unwrap();
    process.kill();
    wait_until("the killed process is forgotten", async || {
        let instances = sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM instance");
        instances.fetch_one(&mut connection).await.unwrap() == 1
    })
    .await;
}

/// Sessions are being opened while the process stands still and everybody is shut out.
async fn a_stopped_process_opens_no_session(place: &Place, second: &Second) {
    let web = second.client(place, "web-ky-1");
    let create =
        CreateCustomer { profile: ada(Personal::new(EMAIL)), password: Personal::new(PASSWORD) };
    web.call(&create).await.unwrap();
    let opened = Arc::new(Mutex::new(Vec::new()));
    let opening = tokio::spawn({
        let (web, opened) = (web.clone(), opened.clone());
        async move {
            loop {
                match sign_in(&web).await {
                    Ok(session) => opened.lock().unwrap().push(session),
                    Err(e) if e.is(ProblemType::ORDERS_UNKNOWN) => {}
                    Err(_) => return,
                }
            }
        }
    });
    wait_until("sessions are being opened", async || opened.lock().unwrap().len() > 1).await;
    second.process.signal(Signal::SIGSTOP);
    let declare = ["--title", "A server", "--fallen", "web-ky-1", "--found", "an alarm"];
    let mut command = place.cofferdam(["incident", "declare"]);
    command.args(declare).args(["--from", "2026-01-01T00:00:00Z"]);
    stdout(&command.output().unwrap());
    let order = place.file("void.order");
    stdout(&place.run(["order", "draft", "void", "--incident", "1", "--out", &order]));
    place.sign_and_apply(&order);
    second.process.signal(Signal::SIGCONT);
    opening.await.unwrap();
    let opened = opened.lock().unwrap().clone();
    for Session { token, .. } in opened {
        let check = CheckSession { token };
        let first = place.client(Accounts, "web-ky-1").call(&check).await.unwrap_err();
        assert!(first.is(NO_SESSION), "{first}");
        let second = web.call(&check).await.unwrap_err();
        assert!(second.is(NO_SESSION) || second.is(ProblemType::ORDERS_UNKNOWN), "{second}");
    }
}

async fn sign_in(web: &Client) -> Result<Session, CallError> {
    let (email, password) = (Personal::new(EMAIL), Personal::new(PASSWORD));
    web.call(&OpenSession { email, password }).await
}
