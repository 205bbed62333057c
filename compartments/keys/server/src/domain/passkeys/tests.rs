use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use cofferdam_core::KeyBytes;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::voids::{Void, Whose};
use super::*;

const RECORD: Record = Record(7);
const PARTY: &str = "shop.example";
const SESSION: Sha256 = Sha256([5; 32]);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn ring() -> KeyRing {
    KeyRing::new(&KeyBytes::new([3; 32]), &KeyBytes::new([4; 32]))
}

fn group() -> CallerName {
    "shop".parse().unwrap()
}

/// A key that signs, as the authenticator of a customer has it.
enum Signer {
    Es256(EcdsaKeyPair),
    Eddsa(Ed25519KeyPair),
    Rs256(RsaKeyPair),
}

impl Signer {
    fn all() -> [Self; 3] {
        let ecdsa = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let (ed, rsa) = (Ed25519KeyPair::generate(), RsaKeyPair::generate(KeySize::Rsa2048));
        [Self::Es256(ecdsa), Self::Eddsa(ed.unwrap()), Self::Rs256(rsa.unwrap())]
    }

    fn one() -> Self {
        Self::Eddsa(Ed25519KeyPair::from_seed_unchecked(&[1; 32]).unwrap())
    }

    fn new_passkey(&self) -> NewPasskey {
        let (algorithm, key): (_, PublicKeyX509Der<'_>) = match self {
            Self::Es256(pair) => (PasskeyAlgorithm::Es256, pair.public_key().as_der().unwrap()),
            Self::Eddsa(pair) => (PasskeyAlgorithm::Eddsa, pair.public_key().as_der().unwrap()),
            Self::Rs256(pair) => (PasskeyAlgorithm::Rs256, pair.public_key().as_der().unwrap()),
        };
        let public_key = Base64Url(key.as_ref().to_vec());
        NewPasskey { public_key, algorithm, relying_party: PARTY.parse().unwrap() }
    }

    fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        let rng = SystemRandom::new();
        match self {
            Self::Es256(pair) => pair.sign(&rng, bytes).unwrap().as_ref().to_vec(),
            Self::Eddsa(pair) => pair.sign(bytes).as_ref().to_vec(),
            Self::Rs256(pair) => {
                let mut out = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &rng, bytes, &mut out).unwrap();
                out
            }
        }
    }
}

/// A sign-in that is right, before a test changes it.
struct SignIn {
    signer: Signer,
    record: Record,
    passkey: Passkey,
    client_data: Value,
    authenticator_data: Vec<u8>,
    session: Sha256,
    group: CallerName,
    now: Timestamp,
    voids: Voids,
}

impl SignIn {
    /// The passkey was set at 600, and the challenge made at 700.
    fn of(signer: Signer) -> Self {
        let passkey = certify(&ring(), RECORD, signer.new_passkey(), at(600)).unwrap();
        let group = group();
        let terms = ChallengeTerms { at: at(700), session: SESSION, group: &group };
        let client_data = json!({
            "type": "webauthn.get",
            "challenge": challenge(&ring(), &terms).challenge,
            "origin": format!("https://{PARTY}"),
            "crossOrigin": false,
        });
        Self {
            signer,
            record: RECORD,
            passkey,
            client_data,
            authenticator_data: [&Sha256::of(PARTY.as_bytes()).0[..], &[5, 0, 0, 0, 0]].concat(),
            session: SESSION,
            group,
            now: at(710),
            voids: Voids::default(),
        }
    }

    fn assertion(&self) -> Assertion {
        let client_data = serde_json::to_vec(&self.client_data).unwrap();
        let hash = Sha256::of(&client_data).0;
        let signature = self.signer.sign(&[self.authenticator_data.as_slice(), &hash].concat());
        Assertion {
            authenticator_data: Base64Url(self.authenticator_data.clone()),
            client_data: Base64Url(client_data),
            signature: Base64Url(signature),
        }
    }

    fn check_with(&self, assertion: &Assertion) -> Result<(), NotShown> {
        let Self { record, passkey, session, group, now, voids, .. } = self;
        let (record, session) = (*record, *session);
        check(&ring(), &Shown { record, passkey, assertion, session, group }, *now, voids)
    }

    fn check(&self) -> Result<(), NotShown> {
        self.check_with(&self.assertion())
    }
}

fn changed(change: impl FnOnce(&mut SignIn)) -> Result<(), NotShown> {
    let mut sign_in = SignIn::of(Signer::one());
    change(&mut sign_in);
    sign_in.check()
}

#[test]
fn a_customer_signs_in_with_each_algorithm() {
    for signer in Signer::all() {
        let sign_in = SignIn::of(signer);
        assert_eq!(sign_in.check(), Ok(()), "{:?}", sign_in.passkey.algorithm);
    }
}

#[test]
fn what_was_signed_must_be_a_challenge_for_this_session_at_a_page_of_the_relying_party() {
    use NotShown::{NotVerified, OtherChallenge, OtherPage, OtherParty, Statement};
    let unread = Err(Statement(BadStatement::AuthenticatorData));
    assert_eq!(changed(|_| {}), Ok(()));
    assert_eq!(changed(|of| of.client_data["origin"] = json!("https://www.shop.example")), Ok(()));
    assert_eq!(changed(|of| of.client_data["later"] = json!({"x": 1})), Ok(()));
    for (name, value) in [
        ("type", json!("webauthn.create")),
        ("origin", json!("https://shop.example.evil.example")),
        ("origin", json!("http://shop.example")),
        ("crossOrigin", json!(true)),
    ] {
        assert_eq!(changed(|of| of.client_data[name] = value), Err(OtherPage), "{name}");
    }
    let client_data = Err(Statement(BadStatement::ClientData));
    assert_eq!(changed(|of| of.client_data = json!({"type": "webauthn.get"})), client_data);
    for bad in ["", "AAAA"] {
        let refused = changed(|of| of.client_data["challenge"] = json!(bad));
        assert_eq!(refused, Err(OtherChallenge));
    }
    assert_eq!(changed(|of| of.session = Sha256([6; 32])), Err(OtherChallenge));
    assert_eq!(changed(|of| of.group = "stand".parse().unwrap()), Err(OtherChallenge));
    for (second, expected) in [(699, false), (700, true), (999, true), (1_000, false)] {
        let checked = changed(|of| of.now = at(second));
        assert_eq!(checked, if expected { Ok(()) } else { Err(OtherChallenge) }, "{second}");
    }
    for flags in [0x00, 0x01, 0x04] {
        assert_eq!(changed(|of| of.authenticator_data[32] = flags), Err(NotVerified), "{flags}");
    }
    assert_eq!(changed(|of| of.authenticator_data[0] ^= 1), Err(OtherParty));
    assert_eq!(changed(|of| of.authenticator_data.push(0)), unread);
    assert_eq!(changed(|of| of.authenticator_data.clear()), unread);
}

#[test]
fn a_passkey_belongs_to_one_customer_and_one_instant_and_a_void_order_covers_it() {
    use NotShown::{Foreign, Void as IsVoid};
    assert_eq!(changed(|of| of.record = Record(8)), Err(Foreign));
    assert_eq!(changed(|of| of.passkey.set_at = at(601)), Err(Foreign));
    let signer = || Signer::all().into_iter().next().unwrap();
    let swapped = changed(|of| {
        // Root on `accounts` puts a key of its own into the row, and signs with it.
        of.signer = signer();
        let NewPasskey { public_key, algorithm, .. } = of.signer.new_passkey();
        (of.passkey.public_key, of.passkey.algorithm) = (public_key, algorithm);
    });
    assert_eq!(swapped, Err(Foreign));
    let nobody = changed(|of| {
        let new = of.signer.new_passkey();
        of.passkey = certify(&ring(), Record::NOBODY, new, at(600)).unwrap();
        of.record = Record::NOBODY;
    });
    assert_eq!(nobody, Err(Foreign));
    for (until, expected) in [(599, Ok(())), (600, Err(IsVoid))] {
        let order = Void {
            id: Sha256([1; 32]),
            set_before: at(until),
            opened_before: at(until),
            whose: Whose::Everybody,
        };
        assert_eq!(changed(|of| of.voids = Voids::new(vec![order])), expected);
    }
}

/// Every bit of every input counts.
#[test]
fn no_bit_may_change() {
    for signer in Signer::all() {
        let mut sign_in = SignIn::of(signer);
        let good = sign_in.assertion();
        let parts: [fn(&mut Assertion) -> &mut Vec<u8>; 3] = [
            |of| &mut of.authenticator_data.0,
            |of| &mut of.client_data.0,
            |of| &mut of.signature.0,
        ];
        for part in parts {
            for bit in 0..part(&mut good.clone()).len() * 8 {
                let mut bad = good.clone();
                part(&mut bad)[bit / 8] ^= 1 << (bit % 8);
                assert!(sign_in.check_with(&bad).is_err(), "{bit}");
            }
        }
        for bit in 0..256 {
            let mac = sign_in.passkey.mac.clone();
            let mut bytes = *mac.expose();
            bytes[bit / 8] ^= 1 << (bit % 8);
            sign_in.passkey.mac = KeyBytes::new(bytes);
            assert_eq!(sign_in.check_with(&good), Err(NotShown::Foreign), "{bit}");
            sign_in.passkey.mac = mac;
        }
        for bit in 0..sign_in.passkey.public_key.0.len() * 8 {
            sign_in.passkey.public_key.0[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(sign_in.check_with(&good), Err(NotShown::Foreign), "{bit}");
            sign_in.passkey.public_key.0[bit / 8] ^= 1 << (bit % 8);
        }
        assert_eq!(sign_in.check_with(&good), Ok(()));
    }
}

#[test]
fn a_key_is_certified_in_the_one_form_of_its_algorithm() {
    let certified = |new| certify(&ring(), RECORD, new, at(600)).map(|_| ());
    for signer in Signer::all() {
        let good = signer.new_passkey();
        assert_eq!(certified(good.clone()), Ok(()));
        for algorithm in [PasskeyAlgorithm::Es256, PasskeyAlgorithm::Eddsa, PasskeyAlgorithm::Rs256]
        {
            if algorithm != good.algorithm {
                let other = NewPasskey { algorithm, ..good.clone() };
                assert_eq!(certified(other), Err(BadKey), "{:?}", good.algorithm);
            }
        }
        let raw: Vec<u8> = match &signer {
            Signer::Es256(pair) => pair.public_key().as_ref().to_vec(),
            Signer::Eddsa(pair) => pair.public_key().as_ref().to_vec(),
            Signer::Rs256(pair) => pair.public_key().as_ref().to_vec(),
        };
        let mut longer = good.public_key.0.clone();
        longer.push(0);
        for bad in [raw, longer, Vec::new(), vec![0x30; LONGEST_KEY + 1]] {
            let bad = NewPasskey { public_key: Base64Url(bad), ..good.clone() };
            assert_eq!(certified(bad), Err(BadKey));
        }
    }
}

proptest! {
    /// No two passkeys have one code: what is bound has one encoding.
    #[test]
    fn another_passkey_has_another_code(
        a in passkey_parts(), b in passkey_parts(),
    ) {
        let code = |(record, set_at, rs256, key, party): &Parts| {
            let algorithm = if *rs256 { PasskeyAlgorithm::Rs256 } else { PasskeyAlgorithm::Es256 };
            let relying_party: RelyingParty = party.parse().unwrap();
            let set_at = Timestamp::from_millisecond(*set_at).unwrap();
            let terms = PasskeyTerms {
                record: Record(*record), set_at, algorithm, public_key: key, relying_party: &relying_party,
            };
            *ring().passkey(&terms).expose()
        };
        prop_assert_eq!(a == b, code(&a) == code(&b));
    }

    #[test]
    fn no_input_panics_or_signs_in(
        authenticator_data in proptest::collection::vec(any::<u8>(), 0..80),
        client_data in proptest::collection::vec(any::<u8>(), 0..200),
        signature in proptest::collection::vec(any::<u8>(), 0..80),
    ) {
        let sign_in = SignIn::of(Signer::one());
        let assertion = Assertion {
            authenticator_data: Base64Url(authenticator_data),
            client_data: Base64Url(client_data),
            signature: Base64Url(signature),
        };
        prop_assert!(sign_in.check_with(&assertion).is_err());
    }
}

type Parts = (u32, i64, bool, Vec<u8>, &'static str);

fn passkey_parts() -> impl Strategy<Value = Parts> {
    let key = proptest::collection::vec(prop_oneof![Just(b'a'), Just(b'.')], 0..4);
    (0..2u32, 0..2i64, any::<bool>(), key, prop_oneof![Just("a.a"), Just("a.aa"), Just("aa.a")])
}

/// One of the test vectors of `WebAuthn` Level 3. The public key is the `SubjectPublicKeyInfo` of the COSE
/// key in the attestation object.
#[derive(Deserialize)]
struct Vector {
    title: String,
    algorithm: PasskeyAlgorithm,
    public_key: Base64Url,
    challenge: Base64Url,
    authenticator_data: Base64Url,
    client_data: Base64Url,
    signature: Base64Url,
}

#[test]
fn signatures_of_the_w3cs_test_vectors_verify() {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("w3c.json")).unwrap();
    assert_eq!(vectors.len(), 12);
    for of in vectors {
        let Vector { title, algorithm, public_key, challenge, .. } = of;
        let relying_party = "example.org".parse().unwrap();
        let new = NewPasskey { public_key, algorithm, relying_party };
        let passkey = certify(&ring(), RECORD, new, at(600)).unwrap();
        let (authenticator_data, client_data) = (of.authenticator_data, of.client_data);
        let assertion = Assertion { authenticator_data, client_data, signature: of.signature };
        assert_eq!(check_signature(&passkey, &assertion), Ok(()), "{title}");
        let mut changed = assertion.clone();
        *changed.client_data.0.last_mut().unwrap() ^= 1;
        assert_eq!(check_signature(&passkey, &changed), Err(NotShown::Signature), "{title}");

        let stated = ClientData::parse(&assertion.client_data.0).unwrap();
        assert_eq!((stated.challenge, stated.ceremony.as_str()), (challenge, "webauthn.get"));
        assert!(passkey.relying_party.has(&stated.origin), "{title}");
        let framed = title.contains("crossOrigin") || title.contains("topOrigin");
        assert_eq!(stated.cross_origin, framed, "{title}");
        let verified = assertion.authenticator_data.0[32] & 4 != 0;
        let expected = if verified { Ok(()) } else { Err(NotShown::NotVerified) };
        assert_eq!(check_authenticator(&passkey, &assertion), expected, "{title}");

        let (session, group, now) = (SESSION, group(), at(700));
        let shown = Shown {
            record: RECORD,
            passkey: &passkey,
            assertion: &assertion,
            session,
            group: &group,
        };
        let refused = check(&ring(), &shown, now, &Voids::default());
        let foreign = if framed { NotShown::OtherPage } else { NotShown::OtherChallenge };
        assert_eq!(refused, Err(foreign), "the challenge is not of `keys`: {title}");
    }
}
