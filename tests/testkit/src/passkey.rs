//! An authenticator in software.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use cofferdam_core::{Assertion, Base64Url, NewPasskey, PasskeyAlgorithm, RelyingParty, Sha256};
use serde_json::json;

/// A passkey of somebody whose authenticator verifies them.
pub struct SoftPasskey {
    pair: EcdsaKeyPair,
    relying_party: RelyingParty,
}

impl SoftPasskey {
    /// Makes a passkey for a domain.
    #[must_use]
    pub fn generate(relying_party: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        Self { pair, relying_party: relying_party.parse().unwrap() }
    }

    /// The public part.
    #[must_use]
    pub fn public(&self) -> NewPasskey {
        let key: PublicKeyX509Der<'_> = self.pair.public_key().as_der().unwrap();
        NewPasskey {
            public_key: Base64Url(key.as_ref().to_vec()),
            algorithm: PasskeyAlgorithm::Es256,
            relying_party: self.relying_party.clone(),
        }
    }

    /// Signs a challenge on the page of the domain itself.
    #[must_use]
    pub fn sign(&self, challenge: &Base64Url) -> Assertion {
        let party = self.relying_party.as_str();
        let client_data = serde_json::to_vec(&json!({
            "type": "webauthn.get",
            "challenge": challenge,
            "origin": format!("https://{party}"),
        }));
        let (client_data, rng) = (client_data.unwrap(), SystemRandom::new());
        // The person was there and verified; the counter is 0.
        let authenticator_data = [&Sha256::of(party.as_bytes()).0[..], &[5, 0, 0, 0, 0]].concat();
        let signed = [authenticator_data.as_slice(), &Sha256::of(&client_data).0].concat();
        let signature = self.pair.sign(&rng, &signed).unwrap().as_ref().to_vec();
        Assertion {
            authenticator_data: Base64Url(authenticator_data),
            client_data: Base64Url(client_data),
            signature: Base64Url(signature),
        }
    }
}
