//! Making an estate: directories, certificates, secrets and configuration files.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cofferdam_core::{Clock, Rng};
use cofferdam_custody::Quorum;
use cofferdam_mail::{DkimAlgorithm, generate_dkim_key};
use cofferdam_wire::write_secret;
use keys_api::{ApproverKey, ApproverSecret};
use keys_server::ceremony::{self, Decided};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::certificates::make_certificates;
use crate::configs::{self, DKIM_KEY, WITNESS};
use crate::open::ADDRESSES;
use crate::plan::APPROVERS;
use crate::{Addresses, EstateError, Plan, policy};

/// Makes an estate in `dir`, which must be missing or empty. The estate is made beside its place
/// and moved there at the end, so that an interrupted run leaves nothing half-done in `dir`.
pub async fn create(
    dir: &Path,
    plan: &Plan,
    clock: &dyn Clock,
    rng: &dyn Rng,
) -> Result<(), EstateError> {
    let dir = std::path::absolute(dir).map_err(EstateError::file(dir))?;
    if fs::read_dir(&dir).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(EstateError::NotEmpty(dir));
    }
    let mut draft = dir.clone().into_os_string();
    draft.push(format!(".making-{}", std::process::id()));
    let draft = Draft { dir: draft.into(), stands_in: dir };
    let made = match draft.fill(plan, clock, rng).await {
        Ok(()) => {
            fs::rename(&draft.dir, &draft.stands_in).map_err(EstateError::file(&draft.stands_in))
        }
        Err(e) => Err(e),
    };
    if made.is_err() {
        // A half-made estate is of no use. The returned error tells why it was not finished.
        let _ = fs::remove_dir_all(&draft.dir);
    }
    made
}

/// An estate that is being made.
struct Draft {
    /// The directory in which the estate is being made.
    dir: PathBuf,
    /// The directory to which the estate will be moved, and which its configuration files name.
    stands_in: PathBuf,
}

impl Draft {
    async fn fill(&self, plan: &Plan, clock: &dyn Clock, rng: &dyn Rng) -> Result<(), EstateError> {
        let (draft, dir) = (self.dir.as_path(), self.stands_in.as_path());
        for name in ["callers", "staff", "root-key", configs::HALVES, "mail"] {
            private_dir(draft.join(name))?;
        }
        make_certificates(draft, clock.now())?;
        write_secret(&draft.join("response/staff.csv"), STAFF.as_bytes())?;
        let dkim = generate_dkim_key(DkimAlgorithm::Rsa)?;
        write_secret(&draft.join("response").join(DKIM_KEY), dkim.as_bytes())?;
        let witness = make_witness(&draft.join("response/witness.key"), rng)?;

        let at = Addresses::pick(rng)?;
        let policy = policy::first(plan, make_approvers(&draft.join("staff"), rng)?);
        write_toml(&draft.join("keys/policy.toml"), &policy)?;
        let decided = Decided { policy, quorum: QUORUM, decoy_key: plan.decoy_key.clone() };
        let here = configs::keys(draft, plan, &at, &witness);
        let log_key = ceremony::init(&here, decided, rng).await?.log_key;
        write_toml(&draft.join("keys/keys.toml"), &configs::keys(dir, plan, &at, &witness))?;
        write_toml(&draft.join("accounts/accounts.toml"), &configs::accounts(dir, plan, &at))?;
        write_toml(&draft.join("payments/payments.toml"), &configs::payments(dir, &at))?;
        let response = configs::response(dir, plan, &at, log_key.clone());
        write_toml(&draft.join("response/response.toml"), &response)?;
        let here = configs::accounts(draft, plan, &at);
        accounts_server::make_missing_halves(&here, QUORUM, rng).await?;
        payments_server::make_missing_halves(&configs::payments(draft, &at), QUORUM, rng).await?;
        let here = configs::response(draft, plan, &at, log_key);
        response_server::make_missing_halves(&here, QUORUM, rng).await?;
        write_toml(&draft.join(ADDRESSES), &at)
    }
}

/// An estate on one machine keeps its secrets in files, so that nobody gets a share.
const QUORUM: Quorum = Quorum { custodians: 3, threshold: 2 };

fn write_toml<T: Serialize>(path: &Path, config: &T) -> Result<(), EstateError> {
    fs::write(path, toml::to_string(config)?).map_err(EstateError::file(path))
}

/// Makes a directory that only its owner can enter, and those above it.
pub fn private_dir(path: PathBuf) -> Result<PathBuf, EstateError> {
    let made = DirBuilder::new().mode(0o700).recursive(true).create(&path);
    made.map_err(EstateError::file(&path))?;
    Ok(path)
}

/// Makes two people's signing keys. Their passphrases are beside them, which is right only for an
/// estate on one machine.
fn make_approvers(dir: &Path, rng: &dyn Rng) -> Result<Vec<ApproverKey>, EstateError> {
    let make = |name: &str| {
        let secret = ApproverSecret::generate(name, rng);
        let passphrase = Zeroizing::new(hex::encode(rng.bytes::<16>()));
        let pem = secret.to_pem(passphrase.as_bytes(), rng)?;
        write_secret(&dir.join(format!("{name}.pem")), pem.as_bytes())?;
        write_secret(&dir.join(format!("{name}.passphrase")), passphrase.as_bytes())?;
        Ok(secret.public())
    };
    APPROVERS.into_iter().map(make).collect()
}

/// Writes the key that cosigns the log's checkpoints into a file, and returns its public half.
fn make_witness(file: &Path, rng: &dyn Rng) -> Result<String, EstateError> {
    let seed = Zeroizing::new(rng.bytes::<32>());
    write_secret(file, Zeroizing::new(STANDARD.encode(*seed)).as_bytes())?;
    Ok(response_server::logs::witness(WITNESS, file)?.verifier())
}

/// The staff of the example shop.
const STAFF: &str = include_str!("staff.csv");
