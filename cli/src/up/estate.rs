//! Making an estate: directories, certificates, secrets and configuration files.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cofferdam_core::{Rng, SystemRng};
use cofferdam_mail::{DkimAlgorithm, generate_dkim_key};
use cofferdam_wire::write_secret;
use keys_api::{ApproverKey, ApproverSecret};
use keys_server::ceremony::{self, Decided};
use keys_server::custody::Quorum;
use serde::Serialize;
use zeroize::Zeroizing;

use super::authority::Authority;
use super::configs::{self, APPROVERS, CALLERS, Plan, WITNESS};
use crate::CommandError;

/// Makes an estate in `dir`, which must not exist or be empty. It is made beside its place and
/// moved there at the end, so that an interrupted run leaves nothing half-done in `dir`.
pub async fn create(dir: &Path, plan: &Plan) -> Result<(), CommandError> {
    let dir = std::path::absolute(dir)?;
    if fs::read_dir(&dir).is_ok_and(|mut entries| entries.next().is_some()) {
        let dir = dir.display();
        return Err(format!("{dir} is not empty; choose another --dir").into());
    }
    let mut draft = dir.clone().into_os_string();
    draft.push(format!(".making-{}", std::process::id()));
    let draft = PathBuf::from(draft);
    let made = match fill(&draft, &dir, plan).await {
        Ok(()) => fs::rename(&draft, &dir).map_err(CommandError::from),
        Err(e) => Err(e),
    };
    if made.is_err() {
        // What stands there is of no use to anybody; the error says why.
        let _ = fs::remove_dir_all(&draft);
    }
    made
}

/// Fills `draft`; the configuration speaks of `dir`, where it will stand.
async fn fill(draft: &Path, dir: &Path, plan: &Plan) -> Result<(), CommandError> {
    directories(draft)?;
    let authority = Authority::create(&draft.join("ca"))?;
    for caller in CALLERS {
        authority.certify(caller, &folder(draft, &format!("callers/{caller}"))?)?;
    }
    let identities = [
        ("keys", "keys"),
        ("accounts", "accounts"),
        ("payments", "payments"),
        ("response", "response-1"),
    ];
    for (compartment, identity) in identities {
        authority.certify(identity, &folder(draft, &format!("{compartment}/tls"))?)?;
    }
    let approvers = approvers(&draft.join("staff"))?;
    write_secret(&draft.join("response/staff.csv"), STAFF.as_bytes())?;

    let at =
        configs::addresses(&SystemRng).ok_or("no free ports of loopback from 20000 to 29999")?;
    let policy = configs::policy(plan, approvers);
    write_toml(&draft.join("keys/policy.toml"), &policy)?;
    let decided = Decided {
        policy,
        quorum: Quorum { custodians: 3, threshold: 2 },
        decoy_key: plan.decoy_key.clone(),
    };
    let witness = witness(&draft.join("response/witness.key"))?;
    let dkim = generate_dkim_key(DkimAlgorithm::Rsa)?;
    write_secret(&draft.join("response").join(configs::DKIM_KEY), dkim.as_bytes())?;
    let now = configs::keys(draft, plan, &at, &witness);
    let made = ceremony::init(&now, decided, &SystemRng).await?;
    write_toml(&draft.join("keys/keys.toml"), &configs::keys(dir, plan, &at, &witness))?;
    write_toml(&draft.join("accounts/accounts.toml"), &configs::accounts(dir, &at))?;
    write_toml(&draft.join("payments/payments.toml"), &configs::payments(dir, &at))?;
    write_toml(
        &draft.join("response/response.toml"),
        &configs::response(dir, plan, &at, made.log_key),
    )?;
    write_toml(&draft.join("estate.toml"), &at)
}

fn write_toml<T: Serialize>(path: &Path, config: &T) -> Result<(), CommandError> {
    Ok(fs::write(path, toml::to_string(config)?)?)
}

fn directories(draft: &Path) -> Result<(), CommandError> {
    private_dir(draft)?;
    let names = ["ca", "callers", "staff", "keys", "root-key", "accounts", "payments", "response"];
    for name in names.into_iter().chain(["mail"]) {
        private_dir(&draft.join(name))?;
    }
    Ok(())
}

fn folder(draft: &Path, name: &str) -> Result<PathBuf, CommandError> {
    let path = draft.join(name);
    private_dir(&path)?;
    Ok(path)
}

fn private_dir(path: &Path) -> Result<(), CommandError> {
    DirBuilder::new()
        .mode(0o700)
        .recursive(true)
        .create(path)
        .map_err(|e| format!("{}: {e}", path.display()).into())
}

/// Two people's signing keys, as files; the passphrases beside them are for an estate on one
/// machine alone.
fn approvers(dir: &Path) -> Result<Vec<ApproverKey>, CommandError> {
    let make = |name: &str| {
        let secret = ApproverSecret::generate(name, &SystemRng);
        let passphrase = Zeroizing::new(hex::encode((&SystemRng as &dyn Rng).bytes::<16>()));
        let pem = secret.to_pem(passphrase.as_bytes(), &SystemRng)?;
        write_secret(&dir.join(format!("{name}.pem")), pem.as_bytes())?;
        write_secret(&dir.join(format!("{name}.passphrase")), passphrase.as_bytes())?;
        Ok(secret.public())
    };
    APPROVERS.into_iter().map(make).collect()
}

/// The key that cosigns the log's checkpoints, in a file; its public half.
fn witness(file: &Path) -> Result<String, CommandError> {
    let seed = Zeroizing::new((&SystemRng as &dyn Rng).bytes::<32>());
    write_secret(file, Zeroizing::new(STANDARD.encode(*seed)).as_bytes())?;
    Ok(response_server::logs::witness(WITNESS, file)?.verifier())
}

/// The staff of the example shop.
const STAFF: &str = include_str!("staff.csv");
