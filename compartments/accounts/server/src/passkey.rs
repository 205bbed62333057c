//! Signing in with a passkey. Every attempt takes the same steps, whether the passkey belongs to a customer
//! or not: one look-up, and one verification in `keys`.

use cofferdam_core::{
    Assertion, Base64Url, CallerName, KeyBytes, PasskeyAlgorithm, Record, RelyingParty,
};
use cofferdam_wire::Problem;
use keys_api::{NewSession, Passkey};
use keys_client::ShownPasskey;

use crate::app::App;
use crate::sign_in::{Verified, refusal};
use crate::store::KnownPasskey;

/// The key against which the signatures of unknown passkeys are verified: the base point of P-256 (SEC 2,
/// section 2.4.2) as a `SubjectPublicKeyInfo`. Everybody can sign for it, and it is nobody's.
const STAND_IN: &str = "3059301306072a8648ce3d020106082a8648ce3d030107034200\
     046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
     4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

/// Has `keys` verify what a passkey signed, and gets the ticket of `session`. There is one refusal, after
/// the same work, for an unknown passkey, another signature and a void passkey.
pub async fn verify(
    app: &App,
    caller: &CallerName,
    credential_id: &Base64Url,
    assertion: Assertion,
    session: NewSession,
) -> Result<Verified, Problem> {
    let known = app.store.passkey(credential_id).await?;
    let somebody = known.is_some();
    let KnownPasskey { record, passkey } = known.unwrap_or_else(|| nobody(app));
    let set_at = passkey.set_at;
    let shown = ShownPasskey { record, passkey, assertion };
    let ticket = app.vault.check_passkey(caller, shown, session).await?;
    let void = app.orders()?.voids(record, set_at);
    let ticket = ticket.filter(|_| somebody && !void).ok_or_else(refusal)?;
    Ok(Verified { record, set_at, ticket: Some(ticket) })
}

/// The passkey that stands in for an unknown one.
fn nobody(app: &App) -> KnownPasskey {
    let passkey = Passkey {
        public_key: Base64Url(hex::decode(STAND_IN).unwrap_or_default()),
        algorithm: PasskeyAlgorithm::Es256,
        relying_party: RelyingParty::localhost(),
        set_at: app.now(),
        mac: KeyBytes::new(app.rng.bytes()),
    };
    KnownPasskey { record: Record::NOBODY, passkey }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ParsedPublicKey};

    use super::STAND_IN;

    #[test]
    fn the_key_of_nobody_is_a_key() {
        let der = hex::decode(STAND_IN).unwrap();
        assert!(ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, der).is_ok());
    }
}
