//! Checking a password. Every attempt takes the same steps, whether the address belongs to a
//! customer or not: one look-up, one Argon2id, one comparison in `keys`.

use cofferdam_core::{CallerName, KeyBytes, Personal, Record, Timestamp};
use cofferdam_wire::Problem;
use keys_api::{NewSession, PresenceTicket, RightPassword, Verifier};
use keys_client::Typed;

use crate::app::App;
use crate::at_rest;
use crate::domain::address;
use crate::domain::password::{self, Cost, Hashed, Scheme};
use crate::store::{Credential, KnownCredential};

/// A customer with the right password, which is not void.
#[derive(Debug)]
pub struct Verified {
    /// The customer's record number.
    pub record: Record,
    /// The instant at which the password was set.
    pub set_at: Timestamp,
    /// The ticket of the session that was asked for.
    pub ticket: Option<PresenceTicket>,
}

/// Checks `password`, and gets a ticket for `session`. There is one refusal, after the same work, for an
/// unknown address, a wrong password and a void one: a caller that tries passwords does not learn which of
/// them are right.
pub async fn verify(
    app: &App,
    caller: &CallerName,
    email: &Personal,
    password: &Personal,
    session: Option<NewSession>,
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

    let Hashes { stored: hash, renewed } = hash(app, caller, &credential, password).await?;
    let bytes = at_rest::open_verifier(app.vault.halves(), record, &credential.verifier)?;
    let stored = Verifier { bytes, set_at: credential.set_at };
    let renew = renewed.as_ref().map(|of| of.hash.clone());
    let typed = Typed { record, hash, renew, stored };
    let right = app.vault.check_password(caller, typed, session, looked_up).await?;
    let void = app.orders()?.voids(record, credential.set_at);
    let Some(RightPassword { renewed: verifier, ticket }) = right.filter(|_| somebody && !void)
    else {
        return Err(refusal());
    };
    let mut set_at = credential.set_at;
    if let Some(verifier) = verifier {
        set_at = verifier.set_at;
        renew_credential(app, record, &credential, renewed, verifier).await?;
    }
    Ok(Verified { record, set_at, ticket })
}

/// Replaces a credential by one with a newer verifier, and of the newer scheme that `renewed` is of.
async fn renew_credential(
    app: &App,
    record: Record,
    old: &Credential,
    renewed: Option<Hashed>,
    verifier: Verifier,
) -> Result<(), Problem> {
    let (scheme, salt) =
        renewed.map_or_else(|| (old.scheme, old.salt.clone()), |of| (of.scheme, of.salt));
    app.vault.check_halves(app.store.db()).await?;
    let Verifier { bytes, set_at } = verifier;
    let verifier = at_rest::rest_verifier(app.vault.halves(), record, &bytes)?;
    Ok(app.store.rehash(record, old, &Credential { scheme, salt, verifier, set_at }).await?)
}

/// The only refusal of a sign-in.
#[must_use]
pub fn refusal() -> Problem {
    Problem::new(accounts_api::BAD_CREDENTIALS, "nothing more is said")
}

/// The hashes of the typed password.
struct Hashes {
    /// The hash by the scheme of the stored credential.
    stored: KeyBytes,
    /// The hash by the scheme of new passwords, to replace a legacy hash.
    renewed: Option<Hashed>,
}

/// Hashes by the credential's scheme and, if that is a legacy scheme, also by that of new
/// passwords.
async fn hash(
    app: &App,
    caller: &CallerName,
    credential: &Credential,
    password: &Personal,
) -> Result<Hashes, Problem> {
    let stored =
        app.hasher.hash(caller, credential.scheme, credential.salt.clone(), password).await?;
    let renewed = match credential.scheme {
        Scheme::Legacy(_) => Some(app.hasher.hash_new(caller, password, &*app.rng).await?),
        Scheme::Argon2id(_) => None,
    };
    Ok(Hashes { stored, renewed })
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
