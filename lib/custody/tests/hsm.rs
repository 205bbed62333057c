//! The root key in SoftHSM2. The library reads its configuration from the environment of the
//! process, so every step runs in a child process: this binary again, with `SOFTHSM2_CONF`.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod softhsm;

use std::thread;

use cofferdam_core::{KeyBytes, SystemRng};
use cofferdam_custody::{HsmConfig, open_root, seal_root};
use cryptoki::context::Pkcs11;
use cryptoki::object::{Attribute, AttributeType};
use cryptoki::session::Session;
use softhsm::{SoftHsm, Step, in_token};

const ROOT: [u8; 32] = *b"a root key of thirty-two bytes..";

#[test]
fn what_one_process_seals_another_opens() {
    let hsm = SoftHsm::with_token();
    let sealed = hsm.run(&Step::Seal).unwrap();
    assert_eq!(sealed.len(), 12 + 32 + 16);
    assert_eq!(hsm.run(&Step::Open(sealed)).unwrap(), ROOT);
}

#[test]
fn a_second_seal_uses_the_same_key_and_another_iv() {
    let hsm = SoftHsm::with_token();
    let first = hsm.run(&Step::Seal).unwrap();
    let second = hsm.run(&Step::Seal).unwrap();
    assert_ne!(first[..12], second[..12]);
    for sealed in [first, second] {
        assert_eq!(hsm.run(&Step::Open(sealed)).unwrap(), ROOT);
    }
}

#[test]
fn one_process_seals_and_opens_many_times_and_from_many_threads() {
    SoftHsm::with_token().run(&Step::Crowd).unwrap();
}

#[test]
fn a_library_that_someone_else_started_is_used_and_not_ended() {
    SoftHsm::with_token().run(&Step::AlreadyStarted).unwrap();
}

#[test]
fn a_wrong_pin_is_named_and_not_shown() {
    let mut hsm = SoftHsm::with_token();
    hsm.pin = "917354".to_owned();
    let refused = hsm.run(&Step::Seal).unwrap_err();
    assert!(refused.contains("refuses the PIN in pin.txt"), "{refused}");
    assert!(!refused.contains("917354"), "{refused}");
}

#[test]
fn an_unknown_token_is_named_with_the_existing_ones() {
    let mut hsm = SoftHsm::with_token();
    hsm.config.token = "elsewhere".to_owned();
    let refused = hsm.run(&Step::Seal).unwrap_err();
    assert!(refused.contains(r#"no token "elsewhere""#), "{refused}");
    assert!(refused.contains(r#"["cofferdam"]"#), "{refused}");
}

#[test]
fn two_tokens_of_one_label_are_named() {
    let hsm = SoftHsm::with_token();
    hsm.own.init_token("cofferdam");
    let refused = hsm.run(&Step::Seal).unwrap_err();
    assert!(refused.contains(r#"several tokens are called "cofferdam""#), "{refused}");
}

#[test]
fn a_missing_library_is_named() {
    let mut hsm = SoftHsm::with_token();
    hsm.config.module = hsm.own.path("nothing.so");
    let refused = hsm.run(&Step::Seal).unwrap_err();
    assert!(refused.contains("nothing.so: can't be loaded"), "{refused}");
}

#[test]
fn a_library_that_does_not_start_is_named() {
    let hsm = SoftHsm::with_token();
    hsm.own.configure("objectstore.backend = none_such");
    let refused = hsm.run(&Step::Seal).unwrap_err();
    assert!(refused.contains("does not start (C_Initialize: "), "{refused}");
}

#[test]
fn opening_makes_no_key() {
    let hsm = SoftHsm::with_token();
    for _ in 0..2 {
        let refused = hsm.run(&Step::Open(vec![0; 60])).unwrap_err();
        assert!(refused.contains(r#"token "cofferdam" has no key "root""#), "{refused}");
    }
}

#[test]
fn two_keys_of_one_label_are_named() {
    let hsm = SoftHsm::with_token();
    hsm.run(&Step::MakeKey { extractable: false }).unwrap();
    hsm.run(&Step::MakeKey { extractable: false }).unwrap();
    for step in [Step::Seal, Step::Open(vec![0; 60])] {
        let refused = hsm.run(&step).unwrap_err();
        assert!(refused.contains(r#"several keys "root""#), "{refused}");
    }
}

#[test]
fn an_extractable_key_is_refused() {
    let hsm = SoftHsm::with_token();
    hsm.run(&Step::MakeKey { extractable: true }).unwrap();
    let refused = hsm.run(&Step::Seal).unwrap_err();
    assert!(refused.contains("is not a private, sensitive, non-extractable"), "{refused}");
}

#[test]
fn a_token_without_aes_gcm_is_named() {
    let hsm = SoftHsm::with_token();
    hsm.own.configure("slots.mechanisms = CKM_AES_KEY_GEN");
    let refused = hsm.run(&Step::Seal).unwrap_err();
    assert!(refused.contains("turn CKM_AES_KEY_GEN and CKM_AES_GCM on"), "{refused}");
}

#[test]
fn a_changed_byte_a_cut_and_another_tokens_key_are_refused() {
    let mut hsm = SoftHsm::with_token();
    let sealed = hsm.run(&Step::Seal).unwrap();
    hsm.run(&Step::OpenDamaged(sealed.clone())).unwrap();

    hsm.own.init_token("other");
    hsm.config.token = "other".to_owned();
    hsm.run(&Step::Seal).unwrap();
    let refused = hsm.run(&Step::Open(sealed)).unwrap_err();
    assert!(refused.contains(r#"in token "other" does not open the sealed root key"#), "{refused}");
}

#[test]
fn sealed_bytes_that_are_no_key_are_refused() {
    let hsm = SoftHsm::with_token();
    hsm.run(&Step::Seal).unwrap();
    let short = hsm.run(&Step::SealShort).unwrap();
    let refused = hsm.run(&Step::Open(short)).unwrap_err();
    assert!(refused.contains("holds 31 bytes instead of 32"), "{refused}");
}

#[test]
fn the_key_can_not_leave_the_token() {
    let hsm = SoftHsm::with_token();
    hsm.run(&Step::Seal).unwrap();
    hsm.run(&Step::ReadKey).unwrap();
}

/// The work of a child process; this is no test.
#[test]
#[ignore = "run by the other tests, in a process with SOFTHSM2_CONF"]
fn child() {
    softhsm::answer(|config, pin, step| match step {
        Step::Seal => seal(config, pin),
        Step::Open(sealed) => open(config, pin, &sealed),
        Step::OpenDamaged(sealed) => open_damaged(config, pin, &sealed),
        Step::Crowd => crowd(config, pin),
        Step::AlreadyStarted => already_started(config, pin),
        Step::MakeKey { extractable } => Ok(in_token(config, pin, |session| {
            softhsm::make_key(session, &config.key, extractable);
            Vec::new()
        })),
        Step::SealShort => {
            Ok(in_token(config, pin, |session| softhsm::seal_bytes(session, &config.key, &[7; 31])))
        }
        Step::ReadKey => Ok(in_token(config, pin, |session| {
            read_key(session, &config.key);
            Vec::new()
        })),
    });
}

/// The attributes of the key say that it can't leave. The sixth attribute, the key itself, is
/// withheld.
fn read_key(session: &Session, label: &str) {
    let types = [
        AttributeType::Extractable,
        AttributeType::Sensitive,
        AttributeType::NeverExtractable,
        AttributeType::AlwaysSensitive,
        AttributeType::Private,
        AttributeType::Value,
    ];
    let wanted = [
        Attribute::Extractable(false),
        Attribute::Sensitive(true),
        Attribute::NeverExtractable(true),
        Attribute::AlwaysSensitive(true),
        Attribute::Private(true),
    ];
    let key = softhsm::find_key(session, label);
    assert_eq!(session.get_attributes(key, &types).unwrap(), wanted);
}

/// The second round and the list of slots show that the first round did not end the library.
fn already_started(config: &HsmConfig, pin: &[u8]) -> Result<Vec<u8>, String> {
    let started = softhsm::start(config);
    for _ in 0..2 {
        let sealed = seal(config, pin)?;
        assert_eq!(open(config, pin, &sealed)?, ROOT);
    }
    assert!(!started.get_all_slots().unwrap().is_empty());
    Ok(Vec::new())
}

fn seal(config: &HsmConfig, pin: &[u8]) -> Result<Vec<u8>, String> {
    seal_root(config, pin, &KeyBytes::new(ROOT), &SystemRng).map_err(|e| format!("{e}\n{e:?}"))
}

fn open(config: &HsmConfig, pin: &[u8], sealed: &[u8]) -> Result<Vec<u8>, String> {
    open_root(config, pin, sealed)
        .map(|root| root.expose().to_vec())
        .map_err(|e| format!("{e}\n{e:?}"))
}

/// Changes every byte in turn, and cuts at every length.
fn open_damaged(config: &HsmConfig, pin: &[u8], sealed: &[u8]) -> Result<Vec<u8>, String> {
    let changed = (0..sealed.len()).map(|at| {
        let mut changed = sealed.to_vec();
        changed[at] ^= 1;
        changed
    });
    let cut = (0..sealed.len()).map(|len| sealed[..len].to_vec());
    for damaged in changed.chain(cut) {
        let refused = open(config, pin, &damaged).unwrap_err();
        assert!(refused.contains("does not open the sealed root key"), "{damaged:?}: {refused}");
    }
    open(config, pin, sealed)
}

fn crowd(config: &HsmConfig, pin: &[u8]) -> Result<Vec<u8>, String> {
    // Keeps the library loaded, so that only C_Finalize ends it.
    let _loaded = Pkcs11::new(&config.module).unwrap();
    let sealed = seal(config, pin)?;
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5 {
                    assert_eq!(open(config, pin, &sealed).unwrap(), ROOT);
                    let again = seal(config, pin).unwrap();
                    assert_eq!(open(config, pin, &again).unwrap(), ROOT);
                }
            });
        }
    });
    assert!(open(config, b"917354", &sealed).is_err(), "no login is left behind");
    // Fails if the library is still started.
    softhsm::start(config);
    Ok(Vec::new())
}
