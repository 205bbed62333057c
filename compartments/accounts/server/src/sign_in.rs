//! Checking a password. Every attempt takes the same steps, whether the address belongs to a
//! customer or not: one look-up, one Argon2id, one call to harden.

use cofferdam_core::{CallerName, KeyBytes, Personal, Record, Timestamp};
use cofferdam_wire::Problem;
use keys_api::HardenItem;
use subtle::ConstantTimeEq;

use crate::app::App;
use crate::domain::address;
use crate::domain::password::{self, Cost, Hashed, Scheme};
use crate::store::{Credential, KnownCredential};

/// A customer with the right password, which is not void.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// The customer's record number.
    pub record: Record,
    /// The instant at which the password was set.
    pub set_at: Timestamp,
}

/// Checks `password`. There is one refusal, after the same work, for an unknown address, a wrong
/// password and a void one: a caller that tries passwords does not learn which of them are right.
pub async fn verify(
    app: &App,
    caller: &CallerName,
    email: &Personal,
    password: &Personal,
) -> Result<Verified, Problem> {
    if !password::is_hashable(password) {
        return Err(Problem::bad_request("the password is too long"));
    }
    let (index, looked_up) = app.vault.index_one(caller, address::digest(email)).await?;
    let known = app.store.credential(index.expose()).await?;
    let somebody = known.is_some();
    let KnownCredential { record, credential } = known.unwrap_or_else(|| nobody(app));

    let hashes = hash(app, caller, &credential, password).await?;
    let item = |of: &Hash| HardenItem { record, hash: of.bytes().clone() };
    let (mut right, mut renewed) = (false, None);
    for (hash, verifier) in app.vault.harden(caller, hashes, item, Some(looked_up)).await? {
        match hash {
            Hash::AsStored(_) => right = verifier.expose().ct_eq(&credential.verifier).into(),
            Hash::Renewed(hashed) => renewed = Some((hashed, verifier)),
        }
    }
    let void = app.orders()?.voids(record, credential.set_at);
    if !somebody || !right || void {
        return Err(refusal());
    }
    if let Some((Hashed { scheme, salt, .. }, verifier)) = renewed {
        // The password is the same, so a void order still covers it.
        let set_at = credential.set_at;
        let new = Credential { scheme, salt, verifier: *verifier.expose(), set_at };
        app.store.rehash(record, &credential, &new).await?;
    }
    Ok(Verified { record, set_at: credential.set_at })
}

/// The only refusal of a sign-in.
#[must_use]
pub fn refusal() -> Problem {
    Problem::new(accounts_api::BAD_CREDENTIALS, "nothing more is said")
}

/// A hash of the typed password.
enum Hash {
    /// A hash by the scheme of the stored credential.
    AsStored(KeyBytes),
    /// A hash by the scheme of new passwords, to replace a legacy hash.
    Renewed(Hashed),
}

impl Hash {
    const fn bytes(&self) -> &KeyBytes {
        match self {
            Self::AsStored(bytes) => bytes,
            Self::Renewed(hashed) => &hashed.hash,
        }
    }
}

/// Hashes by the credential's scheme and, if that is a legacy scheme, also by that of new
/// passwords.
async fn hash(
    app: &App,
    caller: &CallerName,
    credential: &Credential,
    password: &Personal,
) -> Result<Vec<Hash>, Problem> {
    let stored =
        app.hasher.hash(caller, credential.scheme, credential.salt.clone(), password).await?;
    let mut hashes = vec![Hash::AsStored(stored)];
    if matches!(credential.scheme, Scheme::Legacy(_)) {
        hashes.push(Hash::Renewed(app.hasher.hash_new(caller, password, &*app.rng).await?));
    }
    Ok(hashes)
}

/// The credential against which an unknown address is checked.
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
