//! Passkeys: adding one, signing in with it, and everything that ends it.

use accounts_api::{
    AddPasskey, AnswerPasskey, AskPasskey, AskedPasskey, BAD_CREDENTIALS, CheckSession,
    CloseSession, CreateCustomer, EraseCustomer, NO_SESSION, OpenSession, PASSKEY_TAKEN,
    ReadCustomers, Session,
};
use cofferdam_core::{Base64Url, CustomerNumber, Field, FieldSet, Personal, Record, Sha256};
use cofferdam_wire::{CallError, Client, ProblemType};
use jiff::SignedDuration;
use testkit::SoftPasskey;

use crate::support::{Shop, ada, everybody, refused};

const PASSWORD: &str = "correct horse battery";

/// A customer who has a passkey and is signed out.
struct Ada {
    shop: Shop,
    web: Client,
    number: CustomerNumber,
    key: SoftPasskey,
}

fn id(n: u8) -> Base64Url {
    Base64Url(vec![n; 16])
}

impl Ada {
    async fn new() -> Self {
        let shop = Shop::open().await;
        let web = shop.client("web-1");
        let create = CreateCustomer { profile: ada(), password: Personal::new(PASSWORD) };
        let number = web.call(&create).await.unwrap();
        let ada = Self { shop, web, number, key: SoftPasskey::generate("shop.example") };
        let session = ada.typed().await.token;
        ada.add(session.clone(), id(1)).await.unwrap();
        ada.web.call(&CloseSession { token: session }).await.unwrap();
        ada
    }

    /// Signs in with the password.
    async fn typed(&self) -> Session {
        let email = Personal::new("ada@example.org");
        let open = OpenSession { email, password: Personal::new(PASSWORD) };
        self.web.call(&open).await.unwrap()
    }

    async fn add(&self, session: Personal, credential_id: Base64Url) -> Result<(), CallError> {
        let passkey = self.key.public();
        self.web.call(&AddPasskey { session, credential_id, passkey }).await
    }

    /// What the browser answers to a new challenge.
    async fn answer(&self, credential_id: Base64Url) -> AnswerPasskey {
        let AskedPasskey { challenge, token } = self.web.call(&AskPasskey {}).await.unwrap();
        AnswerPasskey { token, credential_id, assertion: self.key.sign(&challenge) }
    }

    async fn sign_in(&self) -> Result<Session, CallError> {
        self.web.call(&self.answer(id(1)).await).await
    }
}

#[tokio::test]
async fn a_passkey_opens_a_session_like_a_password() {
    let ada = Ada::new().await;
    let answer = ada.answer(id(1)).await;
    refused(ada.web.call(&CheckSession { token: answer.token.clone() }).await, NO_SESSION);
    let session = ada.web.call(&answer).await.unwrap();
    assert_eq!((session.record, session.token.expose()), (ada.number, answer.token.expose()));
    assert_eq!(session.expires, ada.shop.now() + SignedDuration::from_hours(12));
    let check = CheckSession { token: session.token.clone() };
    assert_eq!(ada.web.call(&check).await.unwrap(), ada.number);
    refused(ada.shop.client("web-2").call(&check).await, NO_SESSION);

    // A read brings `keys` the ticket and the secret of the session.
    let (records, fields) = (vec![ada.number], FieldSet::EMPTY.with(Field::Name));
    let read = ReadCustomers { records, fields, session: Some(session.token.clone()) };
    ada.web.call(&read).await.unwrap();
    let presence = ada.shop.keys.book().presence.take().unwrap();
    assert_eq!(presence.record, ada.shop.record(ada.number).await);
    assert_eq!(Sha256::of(presence.secret.expose()).0, *presence.ticket.mac.expose());

    // The answer opens no second session, not even once the first is over.
    refused(ada.web.call(&answer).await, BAD_CREDENTIALS);
    ada.web.call(&CloseSession { token: session.token }).await.unwrap();
    refused(ada.web.call(&answer).await, BAD_CREDENTIALS);
    refused(ada.web.call(&check).await, NO_SESSION);
}

/// There is one refusal, after one question to `keys`, for an unknown passkey, a signature over another
/// challenge, and a passkey that another customer's key signed for.
#[tokio::test]
async fn an_unknown_and_a_wrong_passkey_are_refused_alike() {
    let ada = Ada::new().await;
    let record = ada.shop.record(ada.number).await;
    let unknown = ada.answer(id(2)).await;
    let other_challenge =
        AnswerPasskey { token: ada.answer(id(1)).await.token, ..ada.answer(id(1)).await };
    let AskedPasskey { challenge, token } = ada.web.call(&AskPasskey {}).await.unwrap();
    let assertion = SoftPasskey::generate("shop.example").sign(&challenge);
    let other_key = AnswerPasskey { token, credential_id: id(1), assertion };
    let mut problems = Vec::new();
    for (answer, asked) in
        [(unknown, Record::NOBODY), (other_challenge, record), (other_key, record)]
    {
        let error = ada.web.call(&answer).await.unwrap_err();
        problems.push(error.problem().cloned().unwrap());
        let checked = std::mem::take(&mut ada.shop.keys.book().passkeys_checked);
        assert_eq!(checked, [asked]);
    }
    assert!(problems.iter().all(|of| *of == problems[0]));
    assert_eq!(problems[0].code(), BAD_CREDENTIALS.code);
    ada.sign_in().await.unwrap();
}

#[tokio::test]
async fn only_a_customer_who_is_signed_in_adds_a_passkey() {
    let ada = Ada::new().await;
    refused(ada.add(Personal::new("A".repeat(43)), id(3)).await, NO_SESSION);
    let asked = ada.web.call(&AskPasskey {}).await.unwrap().token;
    refused(ada.add(asked, id(3)).await, NO_SESSION);
    let session = ada.typed().await.token;
    refused(ada.add(session.clone(), id(1)).await, PASSKEY_TAKEN);
    for length in [0, 15, 1_024] {
        let short = Base64Url(vec![1; length]);
        refused(ada.add(session.clone(), short).await, ProblemType::BAD_REQUEST);
    }
    ada.add(session, id(3)).await.unwrap();
    ada.web.call(&ada.answer(id(3)).await).await.unwrap();
}

/// The order holds in `accounts` whatever `keys` says: the small `keys` knows no orders.
#[tokio::test]
async fn a_void_order_covers_passkeys_and_ends_their_sessions() {
    let ada = Ada::new().await;
    let session = ada.sign_in().await.unwrap();
    let before = ada.answer(id(1)).await;
    ada.shop.clock.advance(SignedDuration::from_secs(1));
    let order = everybody(ada.shop.now(), &["ann", "bob"]);
    ada.shop.client("response-1").call(&order).await.unwrap();
    refused(ada.web.call(&CheckSession { token: session.token }).await, NO_SESSION);
    refused(ada.web.call(&before).await, BAD_CREDENTIALS);
    refused(ada.sign_in().await, BAD_CREDENTIALS);
}

#[tokio::test]
async fn an_erased_customer_has_no_passkeys() {
    let ada = Ada::new().await;
    ada.sign_in().await.unwrap();
    ada.web.call(&EraseCustomer { record: ada.number }).await.unwrap();
    refused(ada.sign_in().await, BAD_CREDENTIALS);
}
