//! Checking a password. Every attempt takes the same steps, whether the address belongs to a
//! customer or not: one look-up, one Argon2id, one call to harden.

use cofferdam_core::{CallerName, KeyBytes, Personal, Record, Timestamp};
use cofferdam_wire::Problem;
use keys_api::HardenItem;

use crate::app::App;
use crate::at_rest;
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
    let known = at_rest::credential(app, &index).await?;
    let somebody = known.is_some();
    let KnownCredential { record, credential } = match known {
        Some(known) => known,
        None => nobody(app)?,
    };

    let hashes = hash(app, caller, &credential, password).await?;
    let item = |of: &Hash| HardenItem { record, hash: of.bytes().clone() };
    let halves = app.vault.halves();
    let (mut right, mut renewed) = (false, None);
    for (hash, verifier) in app.vault.harden(caller, hashes, item, Some(looked_up)).await? {
        match hash {
            Hash::AsStored(_) => {
                right = at_rest::is_verifier(halves, record, &credential.verifier, &verifier)?;
            }
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
        app.vault.check_halves(app.store.db()).await?;
        let verifier = at_rest::rest_verifier(halves, record, &verifier)?;
        let new = Credential { scheme, salt, verifier, set_at };
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
fn nobody(app: &App) -> Result<KnownCredential, Problem> {
    let (record, verifier) = (Record::NOBODY, KeyBytes::new(app.rng.bytes()));
    let verifier = at_rest::rest_verifier(app.vault.halves(), record, &verifier)?;
    let scheme = Scheme::Argon2id(Cost::NOW);
    let salt = password::fresh_salt(&*app.rng);
    let credential = Credential { scheme, salt, verifier, set_at: app.now() };
    Ok(KnownCredential { record, credential })
}
