//! Look-up indexes and verifiers, which rest under the compartment's half of keys.

use std::collections::BTreeMap;

use cofferdam_core::{KeyBytes, Record};
use cofferdam_wire::Problem;
use keys_client::{AtRest, Halves, Resting, VaultError};

use crate::app::App;
use crate::domain::address::EmailIndex;
use crate::store::KnownCredential;

/// Finds the customer with an address.
pub async fn find(app: &App, index: &KeyBytes) -> Result<Option<Record>, Problem> {
    Ok(find_all(app, &[*index.expose()]).await?.into_values().next())
}

/// Finds the customers with these addresses. An address without a customer is left out.
pub async fn find_all(
    app: &App,
    indexes: &[EmailIndex],
) -> Result<BTreeMap<EmailIndex, Record>, Problem> {
    let mut asked = BTreeMap::new();
    for index in indexes {
        for form in app.vault.halves().forms(&KeyBytes::new(*index))? {
            asked.insert(form.bytes, *index);
        }
    }
    let forms: Vec<_> = asked.keys().cloned().collect();
    let found = app.store.find_all(&forms).await?;
    let known = found.into_iter().filter_map(|(form, record)| Some((*asked.get(&form)?, record)));
    Ok(known.collect())
}

/// Finds the credential of the customer with an address.
pub async fn credential(app: &App, index: &KeyBytes) -> Result<Option<KnownCredential>, Problem> {
    let forms = app.vault.halves().forms(index)?;
    let forms: Vec<_> = forms.into_iter().map(|form| form.bytes).collect();
    Ok(app.store.credential(&forms).await?)
}

/// Encrypts a verifier under the newest half.
pub fn rest_verifier(
    halves: &Halves,
    record: Record,
    verifier: &KeyBytes,
) -> Result<AtRest, VaultError> {
    halves.rest(Resting::Verifier(record), verifier)
}

/// Decrypts a stored verifier.
pub fn open_verifier(
    halves: &Halves,
    record: Record,
    stored: &AtRest,
) -> Result<KeyBytes, VaultError> {
    halves.open(Resting::Verifier(record), stored)
}
