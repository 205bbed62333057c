//! A customer adds a passkey in a real browser and signs in with it. `keys` verifies what the browser's
//! authenticator signed.

use accounts_api::{
    AddPasskey, AnswerPasskey, AskPasskey, AskedPasskey, BAD_CREDENTIALS, CheckSession,
    CloseSession, CreateCustomer, NO_SESSION, OpenSession, ReadCustomers, Session,
};
use accounts_server::store::{KnownPasskey, Store};
use cofferdam_core::{
    Assertion, Base64Url, Clock, CustomerNumber, Field, FieldSet, NewPasskey, PasskeyAlgorithm,
    Personal, Sha256, SystemClock,
};
use cofferdam_wire::{CallError, Client};
use estate::Compartment::Accounts;
use jiff::SignedDuration;
use keys_api::{CheckPasskey, NewSession, Passkey};
use serde::Deserialize;
use serde_json::json;
use testkit::{Browser, SoftPasskey, free_address};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::letters::declared;
use crate::refusals::ada;
use crate::support::{Place, stdout};

const PASSWORD: &str = "correct horse battery";

/// Bytes and their base64url, for the two scripts.
const BASE64: &str = "
    const text = bytes => btoa(String.fromCharCode(...new Uint8Array(bytes)))
        .replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
    const bytes = text => Uint8Array.from(
        atob(text.replaceAll('-', '+').replaceAll('_', '/')), c => c.charCodeAt(0));
";

/// Makes a passkey with the algorithm of a COSE number.
const CREATE: &str = "
    const [algorithm, done] = arguments;
    navigator.credentials.create({ publicKey: {
        rp: { id: 'localhost', name: 'A shop' },
        user: { id: crypto.getRandomValues(new Uint8Array(16)), name: 'ada', displayName: 'Ada' },
        challenge: crypto.getRandomValues(new Uint8Array(32)),
        pubKeyCredParams: [{ type: 'public-key', alg: algorithm }],
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    } }).then(made => done({
        credential_id: text(made.rawId),
        public_key: text(made.response.getPublicKey()),
        algorithm: made.response.getPublicKeyAlgorithm(),
    }), error => done({ error: String(error) }));
";

/// Has a passkey sign a challenge.
const GET: &str = "
    const [challenge, credential, done] = arguments;
    navigator.credentials.get({ publicKey: {
        rpId: 'localhost', challenge: bytes(challenge), userVerification: 'required',
        allowCredentials: [{ type: 'public-key', id: bytes(credential) }],
    } }).then(got => done({
        authenticator_data: text(got.response.authenticatorData),
        client_data: text(got.response.clientDataJSON),
        signature: text(got.response.signature),
    }), error => done({ error: String(error) }));
";

/// A passkey as the page gets it.
#[derive(Deserialize)]
struct Made {
    credential_id: Base64Url,
    public_key: Base64Url,
    algorithm: i64,
}

/// The page of a shop, and the app server behind it.
struct Page {
    browser: Browser,
    web: Client,
}

impl Page {
    async fn open(web: Client) -> Self {
        let at = free_address();
        let listener = TcpListener::bind(at).await.unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 4_096]).await;
                let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 15\r\n\
                            Connection: close\r\n\r\n<h1>A shop</h1>";
                let _ = stream.write_all(page.as_bytes()).await;
            }
        });
        let browser = Browser::open(360, 740).await;
        browser.add_authenticator().await;
        browser.go(&format!("http://localhost:{}/", at.port())).await;
        assert_eq!(browser.read("h1").await, "A shop");
        Self { browser, web }
    }

    async fn make(&self, algorithm: PasskeyAlgorithm) -> (Base64Url, NewPasskey) {
        let script = format!("{BASE64}{CREATE}");
        let made = self.browser.run(&script, vec![json!(algorithm.cose())]).await;
        let made: Made = serde_json::from_value(made.clone()).unwrap_or_else(|_| panic!("{made}"));
        let algorithm = PasskeyAlgorithm::from_cose(made.algorithm).unwrap();
        let relying_party = "localhost".parse().unwrap();
        let passkey = NewPasskey { public_key: made.public_key, algorithm, relying_party };
        (made.credential_id, passkey)
    }

    async fn ask(&self) -> AskedPasskey {
        self.web.call(&AskPasskey {}).await.unwrap()
    }

    async fn sign(&self, challenge: &Base64Url, credential: &Base64Url) -> Assertion {
        let script = format!("{BASE64}{GET}");
        let signed = self.browser.run(&script, vec![json!(challenge), json!(credential)]).await;
        serde_json::from_value(signed.clone()).unwrap_or_else(|_| panic!("{signed}"))
    }

    async fn sign_in(&self, credential: &Base64Url) -> Result<Session, CallError> {
        let AskedPasskey { challenge, token } = self.ask().await;
        let assertion = self.sign(&challenge, credential).await;
        let credential_id = credential.clone();
        self.web.call(&AnswerPasskey { token, credential_id, assertion }).await
    }

    /// Reads the name of a customer with a session.
    async fn name(&self, number: CustomerNumber, token: &Personal) -> Result<String, CallError> {
        let (records, fields) = (vec![number], FieldSet::EMPTY.with(Field::Name));
        let read = ReadCustomers { records, fields, session: Some(token.clone()) };
        let customers = self.web.call(&read).await?;
        Ok(customers[0].fields[&Field::Name].expose().to_owned())
    }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(answer: Result<T, CallError>) {
    let error = answer.unwrap_err();
    assert!(error.is(BAD_CREDENTIALS), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_signs_in_with_a_passkey_of_a_browser() {
    let place = Place::with_estate().await;
    let _running = place.serve_all().await;
    let web = place.client(Accounts, "web-ky-1");
    let (number, session) = sign_up(&web).await;
    let page = Page::open(web).await;
    let mut credentials = Vec::new();
    for algorithm in ALGORITHMS {
        let (credential_id, passkey) = page.make(algorithm).await;
        assert_eq!(passkey.algorithm, algorithm);
        let (session, id) = (session.clone(), credential_id.clone());
        page.web.call(&AddPasskey { session, credential_id, passkey }).await.unwrap();
        credentials.push(id);
    }
    page.web.call(&CloseSession { token: session.clone() }).await.unwrap();
    assert!(page.name(number, &session).await.is_err_and(|error| error.is(NO_SESSION)));
    for credential in &credentials {
        let session = page.sign_in(credential).await.unwrap();
        assert_eq!(session.record, number);
        assert_eq!(page.name(number, &session.token).await.unwrap(), "Ada Lovelace");
    }

    // A signature for one session opens no other.
    let [first, second] = [page.ask().await, page.ask().await];
    let assertion = page.sign(&first.challenge, &credentials[0]).await;
    let answer = |token| AnswerPasskey {
        token,
        credential_id: credentials[0].clone(),
        assertion: assertion.clone(),
    };
    refused(page.web.call(&answer(second.token)).await);
    let session = page.web.call(&answer(first.token)).await.unwrap();

    // An order over everybody ends the session, and voids the passkey.
    declared(&place.staff(), "web-ky-2").await;
    let order = place.file("void.order");
    stdout(&place.run(["order", "draft", "void", "--incident", "1", "--out", &order]));
    place.sign_and_apply(&order);
    let check = page.web.call(&CheckSession { token: session.token }).await;
    assert!(check.is_err_and(|error| error.is(NO_SESSION)));
    for credential in &credentials {
        refused(page.sign_in(credential).await);
    }
    page.browser.close().await;
}

/// Root on `accounts` has its certificate and its tables, and writes into them. Only the customer's own
/// signature gets a ticket.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn root_on_accounts_signs_nobody_in() {
    let place = Place::with_estate().await;
    let _running = place.serve_all().await;
    let web = place.client(Accounts, "web-ky-1");
    let (_, session) = sign_up(&web).await;
    let [of_ada, of_root] = [(), ()].map(|()| SoftPasskey::generate("shop.example"));
    let credential_id = Base64Url(vec![7; 16]);
    let passkey = of_ada.public();
    let add = AddPasskey { session, credential_id: credential_id.clone(), passkey };
    web.call(&add).await.unwrap();

    let store = Store::open(&place.file("accounts/accounts.db").into()).await.unwrap();
    let KnownPasskey { record, passkey } = store.passkey(&credential_id).await.unwrap().unwrap();
    let keys = place.keys_as(Accounts);
    let (caller, secret) = ("web-ky-1".parse().unwrap(), Sha256::of(b"a secret of root"));
    let ask = keys_api::AskPasskey { caller, session: secret };
    let challenge = keys.call(&ask).await.unwrap().challenge;
    let until = SystemClock.now() + SignedDuration::from_hours(1);
    let check = |passkey: &Passkey, signer: &SoftPasskey| CheckPasskey {
        caller: ask.caller.clone(),
        record,
        passkey: passkey.clone(),
        session: NewSession { secret, until },
        assertion: signer.sign(&challenge),
    };
    let forged = Passkey { public_key: of_root.public().public_key, ..passkey.clone() };
    for call in [check(&passkey, &of_root), check(&forged, &of_root)] {
        assert!(keys.call(&call).await.unwrap().ticket.is_none());
    }
    assert!(keys.call(&check(&passkey, &of_ada)).await.unwrap().ticket.is_some());
}

/// Makes a customer who is signed in.
async fn sign_up(web: &Client) -> (CustomerNumber, Personal) {
    let email = Personal::new("ada@example.org");
    let create = CreateCustomer { profile: ada(email.clone()), password: Personal::new(PASSWORD) };
    let number = web.call(&create).await.unwrap();
    let open = OpenSession { email, password: Personal::new(PASSWORD) };
    (number, web.call(&open).await.unwrap().token)
}

/// The algorithms that the authenticator of Chromium has.
const ALGORITHMS: [PasskeyAlgorithm; 3] =
    [PasskeyAlgorithm::Es256, PasskeyAlgorithm::Eddsa, PasskeyAlgorithm::Rs256];
