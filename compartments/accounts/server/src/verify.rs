//! Checking a password. Every attempt takes the same steps, whether the address is somebody's or
//! not and whatever the hash: one look-up, one Argon2id, one call to harden.

use cofferdam_core::{CallerName, KeyBytes, Personal, Record, Timestamp};
use cofferdam_wire::Problem;
use keys_api::HardenItem;
use subtle::ConstantTimeEq;

use crate::app::App;
use crate::domain::address;
use crate::domain::password::{self, Cost, Scheme};
use crate::store::{Credential, KnownCredential};

/// The owner of a password that was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Who.
    pub record: Record,
    /// When the password was set.
    pub set_at: Timestamp,
}

/// Checks `password`. Only one that is right is told to be void: a wrong one learns nothing.
pub async fn verify(
    app: &App,
    caller: &CallerName,
    email: &Personal,
    password: &Personal,
) -> Result<Verified, Problem> {
    if !password::is_hashable(password) {
        return Err(Problem::bad_request("the password is too long"));
    }
    let index = app.keys.index_one(caller, address::digest(email)).await?;
    let known = app.store.credential(&index).await?;
    let somebody = known.is_some();
    let KnownCredential { record, credential } = known.unwrap_or_else(|| nobody(app));

    let (hash, fresh) = hash_both(app, &credential, password).await?;
    let mut items = vec![HardenItem { record, hash }];
    items.extend(fresh.iter().map(|f| HardenItem { record, hash: f.hash.clone() }));
    let verifiers = app.keys.harden(caller, items).await?;
    let right = verifiers[0].expose().ct_eq(&credential.verifier);
    if !(somebody && bool::from(right)) {
        return Err(Problem::new(accounts_api::BAD_CREDENTIALS, "nothing more is said"));
    }
    let verified = Verified { record, set_at: credential.set_at };
    check_void(app, verified).await?;
    if let (Some(fresh), Some(verifier)) = (fresh, verifiers.get(1)) {
        let new = Credential {
            scheme: fresh.scheme,
            salt: fresh.salt,
            verifier: *verifier.expose(),
            // The password is the one that it was: a void order still covers it.
            set_at: credential.set_at,
        };
        let done = app.store.rehash(record, &credential, &new).await;
        done?;
    }
    Ok(verified)
}

async fn check_void(app: &App, verified: Verified) -> Result<(), Problem> {
    if app.orders.read().await.voids(verified.record, verified.set_at) {
        Err(voided())
    } else {
        Ok(())
    }
}

/// The password was right and is void.
#[must_use]
pub fn voided() -> Problem {
    Problem::new(accounts_api::CREDENTIAL_VOIDED, "set a new password through a reset")
}

/// Hashes as the credential says, and when that is a legacy scheme also as it should be from now
/// on.
async fn hash_both(
    app: &App,
    credential: &Credential,
    password: &Personal,
) -> Result<(KeyBytes, Option<password::Hashed>), Problem> {
    let hash = app.hasher.hash(credential.scheme, credential.salt.clone(), password).await?;
    if matches!(credential.scheme, Scheme::Argon2id(_)) {
        return Ok((hash, None));
    }
    Ok((hash, Some(app.hasher.hash_new(password, &*app.rng).await?)))
}

/// What an unknown address is checked against.
fn nobody(app: &App) -> KnownCredential {
    KnownCredential {
        record: Record::NOBODY,
        credential: Credential {
            scheme: Scheme::Argon2id(Cost::NOW),
            salt: password::fresh_salt(&*app.rng),
            verifier: app.rng.bytes(),
            set_at: app.now(),
        },
    }
}
