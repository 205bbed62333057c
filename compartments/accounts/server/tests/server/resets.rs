//! A code that goes to the mailbox replaces a forgotten or void password.

use std::path::PathBuf;
use std::time::Duration;

use accounts_api::{
    AddPasskey, AnswerPasskey, AskPasskey, AskedPasskey, BAD_CREDENTIALS, CheckSession,
    CompleteReset, CreateCustomer, NO_SESSION, OpenSession, RequestReset, Session,
};
use cofferdam_core::{Base64Url, CustomerNumber, Personal};
use cofferdam_mail::sink::{self, SinkIndex};
use cofferdam_wire::{CallError, Client, ProblemType};
use jiff::SignedDuration;
use tempfile::TempDir;
use testkit::SoftPasskey;
use tokio::net::TcpListener;

use crate::support::{Shop, ada, everybody, person, refused};

const OLD: &str = "correct horse battery";
const NEW: &str = "staple and more staple";

/// A shop with Ada as a customer. Its letters arrive in the directory of a real SMTP server.
struct Scene {
    shop: Shop,
    web: Client,
    ada: CustomerNumber,
    mail: TempDir,
}

impl Scene {
    async fn open() -> Self {
        let mail = TempDir::new().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let relay = listener.local_addr().unwrap();
        let dir: PathBuf = mail.path().to_owned();
        tokio::spawn(async move { sink::serve(&dir, listener, std::future::pending()).await });
        let shop = Shop::open_with_relay(relay).await;
        let web = shop.client("web-1");
        let create = CreateCustomer { profile: ada(), password: Personal::new(OLD) };
        let ada = web.call(&create).await.unwrap();
        Self { shop, web, ada, mail }
    }

    async fn request(&self, email: &str) {
        self.web.call(&RequestReset { email: Personal::new(email) }).await.unwrap();
    }

    /// Waits until `count` letters have arrived, and returns them.
    async fn letters(&self, count: usize) -> Vec<String> {
        for _ in 0..500 {
            let index = SinkIndex::load(self.mail.path()).unwrap();
            if index.arrivals().len() >= count {
                assert_eq!(index.arrivals().len(), count);
                let read = |a| String::from_utf8(index.read(a).unwrap()).unwrap();
                return index.arrivals().iter().map(read).collect();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the letters did not arrive");
    }

    async fn complete(&self, code: &str, password: &str) -> Result<CustomerNumber, CallError> {
        let (code, password) = (Personal::new(code), Personal::new(password));
        self.web.call(&CompleteReset { code, password }).await
    }

    async fn sign_in(&self, password: &str) -> Result<Session, CallError> {
        let (email, password) = (Personal::new("ada@example.org"), Personal::new(password));
        self.web.call(&OpenSession { email, password }).await
    }
}

/// The code in a letter: the indented line.
fn code(letter: &str) -> String {
    letter.lines().find_map(|line| line.strip_prefix("    ")).unwrap().trim().to_owned()
}

#[tokio::test]
async fn a_void_password_is_replaced_with_the_code_from_the_mail() {
    let scene = Scene::open().await;
    let session = scene.sign_in(OLD).await.unwrap();
    let void = everybody(scene.shop.now(), &["ann", "bob"]);
    scene.shop.client("response-1").call(&void).await.unwrap();
    refused(scene.sign_in(OLD).await, BAD_CREDENTIALS);

    scene.shop.clock.advance(SignedDuration::from_mins(1));
    scene.request(" ADA@example.org").await;
    let letter = scene.letters(1).await.remove(0);
    assert!(letter.contains("To: ada@example.org\r\n"), "{letter}");
    assert!(letter.contains("From: service@shop.example\r\n") && !letter.contains("://"));
    assert!(letter.contains("your old password void"), "the letter alone says it: {letter}");
    refused(scene.complete(&code(&letter), "short").await, ProblemType::BAD_REQUEST);
    assert_eq!(scene.complete(&code(&letter).to_lowercase(), NEW).await.unwrap(), scene.ada);

    let check = CheckSession { token: session.token };
    refused(scene.web.call(&check).await, NO_SESSION);
    refused(scene.sign_in(OLD).await, BAD_CREDENTIALS);
    assert!(scene.sign_in(NEW).await.is_ok(), "the void order covers the new password");
    let again = scene.complete(&code(&letter), OLD).await;
    refused(again, ProblemType::NOT_FOUND);
}

#[tokio::test]
async fn a_code_lasts_thirty_minutes() {
    let scene = Scene::open().await;
    scene.request("ada@example.org").await;
    let late = code(&scene.letters(1).await[0]);
    scene.shop.clock.advance(SignedDuration::from_mins(30));
    refused(scene.complete(&late, NEW).await, ProblemType::NOT_FOUND);
    scene.request("ada@example.org").await;
    let in_time = code(&scene.letters(2).await[1]);
    scene.shop.clock.advance(SignedDuration::from_mins(30) - SignedDuration::from_millis(1));
    assert!(scene.complete(&in_time, NEW).await.is_ok());
}

#[tokio::test]
async fn a_stranger_gets_the_same_answer_and_no_letter() {
    let scene = Scene::open().await;
    scene.request("nobody@example.org").await;
    scene.request("ada@example.org").await;
    let letters = scene.letters(1).await;
    assert!(letters[0].contains("To: ada@example.org\r\n"));
    refused(scene.complete("none", NEW).await, ProblemType::NOT_FOUND);
}

#[tokio::test]
async fn a_mailbox_is_not_flooded_and_a_used_code_takes_the_others_along() {
    let scene = Scene::open().await;
    let create = CreateCustomer { profile: person(1), password: Personal::new(OLD) };
    scene.web.call(&create).await.unwrap();
    for _ in 0..8 {
        scene.request("ada@example.org").await;
    }
    scene.request(person(1).email.expose()).await;
    let letters = scene.letters(6).await;
    let adas: Vec<_> = letters.iter().filter(|l| l.contains("To: ada@")).collect();
    assert_eq!(adas.len(), 5);
    scene.complete(&code(adas[3]), NEW).await.unwrap();
    refused(scene.complete(&code(adas[4]), OLD).await, ProblemType::NOT_FOUND);
    assert!(scene.sign_in(NEW).await.is_ok());
}

/// A thief of the account may have added a passkey.
#[tokio::test]
async fn a_new_password_ends_the_passkeys() {
    let scene = Scene::open().await;
    let key = SoftPasskey::generate("shop.example");
    let (session, credential_id) =
        (scene.sign_in(OLD).await.unwrap().token, Base64Url(vec![1; 16]));
    let passkey = key.public();
    let add = AddPasskey { session, credential_id: credential_id.clone(), passkey };
    scene.web.call(&add).await.unwrap();
    let by_passkey = async || {
        let AskedPasskey { challenge, token } = scene.web.call(&AskPasskey {}).await.unwrap();
        let (credential_id, assertion) = (credential_id.clone(), key.sign(&challenge));
        scene.web.call(&AnswerPasskey { token, credential_id, assertion }).await
    };
    by_passkey().await.unwrap();
    scene.request("ada@example.org").await;
    let code = code(&scene.letters(1).await[0]);
    scene.complete(&code, NEW).await.unwrap();
    refused(by_passkey().await, BAD_CREDENTIALS);
}
