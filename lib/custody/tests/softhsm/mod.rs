//! A SoftHSM2 of one test, and child processes that use it.

#![expect(clippy::expect_used, reason = "a test that can't go on fails")]

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

use cofferdam_custody::HsmConfig;
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::{Attribute, ObjectHandle};
use cryptoki::session::{Session, UserType};
use serde::{Deserialize, Serialize};

/// The variable with the orders of a child.
const ORDERS: &str = "COFFERDAM_HSM_TEST";

/// A step of a child. It answers with bytes, or with the text and the `Debug` of an error.
#[derive(Debug, Serialize, Deserialize)]
pub enum Step {
    Seal,
    Open(Vec<u8>),
    OpenDamaged(Vec<u8>),
    Crowd,
    AlreadyStarted,
    MakeKey { extractable: bool },
    SealShort,
    ReadKey,
}

type Answer = Result<Vec<u8>, String>;

/// A SoftHSM2 with the configuration under test.
pub struct SoftHsm {
    pub config: HsmConfig,
    pub pin: String,
    pub own: testkit::SoftHsm,
}

impl SoftHsm {
    /// A SoftHSM2 with one token, `cofferdam`.
    pub fn with_token() -> Self {
        let config = HsmConfig {
            module: testkit::SoftHsm::module(),
            token: "cofferdam".to_owned(),
            key: "root".to_owned(),
            pin_file: "pin.txt".into(),
            library_dirs: Vec::new(),
            library_ports: Vec::new(),
        };
        let pin = testkit::SoftHsm::PIN.to_owned();
        Self { config, pin, own: testkit::SoftHsm::with_token("cofferdam") }
    }

    /// Runs `step` in a child process.
    pub fn run(&self, step: &Step) -> Answer {
        let orders = serde_json::to_vec(&(&self.config, &self.pin, step)).unwrap();
        fs::write(self.own.path("orders"), orders).unwrap();
        let child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "child", "--ignored", "--nocapture"])
            .envs([self.own.environment()])
            .env(ORDERS, self.own.dir())
            .output()
            .unwrap();
        let shown = String::from_utf8_lossy(&child.stderr);
        assert!(child.status.success(), "the child ended with {}: {shown}", child.status);
        let answer = fs::read(self.own.path("answer")).expect("the child answers");
        fs::remove_file(self.own.path("answer")).unwrap();
        serde_json::from_slice(&answer).unwrap()
    }
}

/// Runs the step of this child process and answers.
pub fn answer(work: impl FnOnce(&HsmConfig, &[u8], Step) -> Answer) {
    let dir = PathBuf::from(env::var_os(ORDERS).expect("only the other tests run this one"));
    let orders = fs::read(dir.join("orders")).unwrap();
    let (config, pin, step): (HsmConfig, String, Step) = serde_json::from_slice(&orders).unwrap();
    let answer = work(&config, pin.as_bytes(), step);
    fs::write(dir.join("answer"), serde_json::to_vec(&answer).unwrap()).unwrap();
}

/// Starts the library and does not end it.
pub fn start(config: &HsmConfig) -> Pkcs11 {
    let pkcs11 = Pkcs11::new(&config.module).unwrap();
    pkcs11.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
    pkcs11
}

/// Works with the token directly, without the code under test.
pub fn in_token(config: &HsmConfig, pin: &[u8], work: impl FnOnce(&Session) -> Vec<u8>) -> Vec<u8> {
    let pkcs11 = start(config);
    let slots = pkcs11.get_slots_with_initialized_token().unwrap();
    let session = pkcs11.open_rw_session(slots[0]).unwrap();
    let pin = String::from_utf8(pin.to_vec()).unwrap();
    session.login(UserType::User, Some(&pin.into())).unwrap();
    let answer = work(&session);
    session.close().unwrap();
    pkcs11.finalize().unwrap();
    answer
}

pub fn make_key(session: &Session, label: &str, extractable: bool) {
    let template = [
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(extractable),
        Attribute::ValueLen(32.into()),
        Attribute::Label(label.as_bytes().to_vec()),
    ];
    session.generate_key(&Mechanism::AesKeyGen, &template).unwrap();
}

pub fn find_key(session: &Session, label: &str) -> ObjectHandle {
    let found = session.find_objects(&[Attribute::Label(label.as_bytes().to_vec())]).unwrap();
    assert_eq!(found.len(), 1);
    found[0]
}

/// Seals any number of bytes as the root key is sealed.
pub fn seal_bytes(session: &Session, label: &str, bytes: &[u8]) -> Vec<u8> {
    let mut iv = [9; 12];
    let params = GcmParams::new(&mut iv, b"cofferdam root key v1", 128.into()).unwrap();
    let key = find_key(session, label);
    let body = session.encrypt(&Mechanism::AesGcm(params), key, bytes).unwrap();
    [&[9; 12], body.as_slice()].concat()
}
