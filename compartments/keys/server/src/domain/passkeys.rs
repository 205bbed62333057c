//! Passkeys: `keys` certifies public keys and verifies what they sign (`WebAuthn` Level 2, section 7.2).

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    VerificationAlgorithm,
};
use cofferdam_core::{
    Assertion, Base64Url, CallerName, NewPasskey, PasskeyAlgorithm, Record, RelyingParty, Sha256,
    Timestamp,
};
use jiff::SignedDuration;
use keys_api::{AuthenticatorData, BadStatement, ClientData, Passkey, PasskeyChallenge};
use subtle::ConstantTimeEq;

use super::derive::KeyRing;
use super::voids::Voids;

/// The time for which a challenge is good.
const CHALLENGE_LASTS: SignedDuration = SignedDuration::from_mins(5);
/// The most bytes of a public key: more than RSA with 8,192 bits takes.
const LONGEST_KEY: usize = 2_048;

/// Everything that the code of a passkey covers.
pub struct PasskeyTerms<'a> {
    /// The customer whose passkey it is.
    pub record: Record,
    /// The instant at which it was set.
    pub set_at: Timestamp,
    /// The algorithm of its signatures.
    pub algorithm: PasskeyAlgorithm,
    /// The DER of the public key.
    pub public_key: &'a [u8],
    /// The domain for which it was made.
    pub relying_party: &'a RelyingParty,
}

/// Everything that a challenge is bound to.
pub struct ChallengeTerms<'a> {
    /// The instant at which it was made.
    pub at: Timestamp,
    /// SHA-256 of the secret of the session to open.
    pub session: Sha256,
    /// The group of callers at which the customer signs in.
    pub group: &'a CallerName,
}

/// A public key that `keys` does not certify.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the public key is no SubjectPublicKeyInfo of its algorithm")]
pub struct BadKey;

/// A passkey that opens no session. Compartments and callers learn no reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotShown {
    /// `keys` certified no such passkey of the customer.
    #[error("no such passkey was certified for this customer")]
    Foreign,
    /// A void order covers the passkey.
    #[error("a void order covers the passkey")]
    Void,
    /// A statement can't be read.
    #[error(transparent)]
    Statement(#[from] BadStatement),
    /// Something else was signed than a challenge for a page of the relying party itself.
    #[error("a page of another origin asked, or not for a signature")]
    OtherPage,
    /// The challenge is not for this session and group, or too old.
    #[error("no such challenge was made for this session and group within five minutes")]
    OtherChallenge,
    /// The authenticator signed for another domain.
    #[error("the authenticator signed for another relying party")]
    OtherParty,
    /// The authenticator does not know that its person was there.
    #[error("the authenticator did not verify its person")]
    NotVerified,
    /// The signature is another key's, or of something else.
    #[error("the signature does not verify")]
    Signature,
}

/// A passkey with a signature, as a compartment brings it.
pub struct Shown<'a> {
    /// The customer whom the compartment names.
    pub record: Record,
    /// The passkey, as the compartment stores it.
    pub passkey: &'a Passkey,
    /// The signature.
    pub assertion: &'a Assertion,
    /// SHA-256 of the secret of the session to open.
    pub session: Sha256,
    /// The group of callers at which the customer signs in.
    pub group: &'a CallerName,
}

/// Certifies the public key of a customer, who set it at `now`, in whole milliseconds.
pub fn certify(
    ring: &KeyRing,
    record: Record,
    new: NewPasskey,
    now: Timestamp,
) -> Result<Passkey, BadKey> {
    let NewPasskey { public_key, algorithm, relying_party } = new;
    parse_key(algorithm, &public_key.0)?;
    let mac = ring.passkey(&PasskeyTerms {
        record,
        set_at: now,
        algorithm,
        public_key: &public_key.0,
        relying_party: &relying_party,
    });
    Ok(Passkey { public_key, algorithm, relying_party, set_at: now, mac })
}

/// Makes a challenge at `now`, in whole milliseconds.
pub fn challenge(ring: &KeyRing, terms: &ChallengeTerms<'_>) -> PasskeyChallenge {
    let code = ring.challenge(terms);
    let at = terms.at.as_millisecond().to_be_bytes();
    PasskeyChallenge { challenge: Base64Url([at.as_slice(), code.expose()].concat()) }
}

/// Checks that the customer signed, just now and for this session. Every step is taken whatever an earlier
/// one found, so that the time tells no more than the refusal does.
pub fn check(
    ring: &KeyRing,
    shown: &Shown<'_>,
    now: Timestamp,
    voids: &Voids,
) -> Result<(), NotShown> {
    let Shown { record, passkey, assertion, .. } = shown;
    let certified = check_mac(ring, *record, passkey);
    let void = voids.void_password(*record, passkey.set_at);
    let browser = check_browser(ring, shown, now);
    let authenticator = check_authenticator(passkey, assertion);
    let signed = check_signature(passkey, assertion);
    certified?;
    if void {
        return Err(NotShown::Void);
    }
    browser.and(authenticator).and(signed)
}

fn check_mac(ring: &KeyRing, record: Record, passkey: &Passkey) -> Result<(), NotShown> {
    let expected = ring.passkey(&PasskeyTerms {
        record,
        set_at: passkey.set_at,
        algorithm: passkey.algorithm,
        public_key: &passkey.public_key.0,
        relying_party: &passkey.relying_party,
    });
    let same = bool::from(expected.expose().ct_eq(passkey.mac.expose()));
    if same && record != Record::NOBODY { Ok(()) } else { Err(NotShown::Foreign) }
}

/// Checks the browser's statement: the ceremony, the page, and the challenge.
fn check_browser(ring: &KeyRing, shown: &Shown<'_>, now: Timestamp) -> Result<(), NotShown> {
    let stated = ClientData::parse(&shown.assertion.client_data.0)?;
    let page = shown.passkey.relying_party.has(&stated.origin) && !stated.cross_origin;
    if stated.ceremony != "webauthn.get" || !page {
        return Err(NotShown::OtherPage);
    }
    let challenge = stated.challenge.0.split_first_chunk();
    let (at, code) = challenge.ok_or(NotShown::OtherChallenge)?;
    let at = Timestamp::from_millisecond(i64::from_be_bytes(*at));
    let at = at.map_err(|_| NotShown::OtherChallenge)?;
    let terms = ChallengeTerms { at, session: shown.session, group: shown.group };
    let same = bool::from(ring.challenge(&terms).expose().as_slice().ct_eq(code));
    let age = now.duration_since(at);
    let recent = !age.is_negative() && age < CHALLENGE_LASTS;
    if same && recent { Ok(()) } else { Err(NotShown::OtherChallenge) }
}

/// Checks the authenticator's statement: the domain and the person.
fn check_authenticator(passkey: &Passkey, assertion: &Assertion) -> Result<(), NotShown> {
    let stated = AuthenticatorData::parse(&assertion.authenticator_data.0)?;
    if stated.relying_party != Sha256::of(passkey.relying_party.as_str().as_bytes()) {
        return Err(NotShown::OtherParty);
    }
    if stated.user_present && stated.user_verified { Ok(()) } else { Err(NotShown::NotVerified) }
}

fn check_signature(passkey: &Passkey, assertion: &Assertion) -> Result<(), NotShown> {
    let key = parse_key(passkey.algorithm, &passkey.public_key.0);
    let client_data = Sha256::of(&assertion.client_data.0);
    let signed = [assertion.authenticator_data.0.as_slice(), &client_data.0].concat();
    let key = key.map_err(|BadKey| NotShown::Signature)?;
    key.verify_sig(&signed, &assertion.signature.0).map_err(|_| NotShown::Signature)
}

/// Parses a public key, which has one form only: the DER that it would be written as.
fn parse_key(algorithm: PasskeyAlgorithm, der: &[u8]) -> Result<ParsedPublicKey, BadKey> {
    if der.len() > LONGEST_KEY {
        return Err(BadKey);
    }
    let algorithm: &'static dyn VerificationAlgorithm = match algorithm {
        PasskeyAlgorithm::Es256 => &ECDSA_P256_SHA256_ASN1,
        PasskeyAlgorithm::Eddsa => &ED25519,
        PasskeyAlgorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
    };
    // The library takes raw keys as well, which would be another form of the same key.
    let key = ParsedPublicKey::new(algorithm, der).map_err(|_| BadKey)?;
    let written: PublicKeyX509Der<'_> = key.as_der().map_err(|_| BadKey)?;
    if written.as_ref() == der { Ok(key) } else { Err(BadKey) }
}

#[cfg(test)]
mod tests;
