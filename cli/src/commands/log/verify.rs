//! `cofferdam log verify`

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use cofferdam_core::Timestamp;
use cofferdam_tlog::notes::{cosigned_at, read_checkpoint};
use cofferdam_tlog::{Hash, HashFile, Segments, TlogError};
use keys_api::Entry;
use schemars::JsonSchema;
use serde::Serialize;

use crate::options::{CommandError, OutputArgs};
use crate::output::{self, Progress};
use crate::words;

/// `cofferdam log verify`
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The directory of the log, or of a copy
    dir: PathBuf,
    /// The log's verifier key
    #[arg(long, value_name = "VKEY")]
    key: String,
    /// The witness's verifier key; if it is given, the cosigned checkpoint is checked as well
    #[arg(long, value_name = "VKEY")]
    witness: Option<String>,
    /// The directory to which old segments were moved
    #[arg(long, value_name = "DIR")]
    archive: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

/// The result for a log whose entries make the signed tree.
#[derive(Serialize, JsonSchema)]
pub struct VerifiedLog {
    /// The number of entries in the log.
    entries: u64,
    /// The instant of the last entry.
    last: Timestamp,
    /// The number of entries that the checkpoint signed by the log covers.
    signed: u64,
    /// The root of the signed tree, hexadecimal.
    root: String,
    /// The entries that the witness cosigned, if its key was given.
    cosigned: Option<Cosigned>,
}

/// The entries that the witness cosigned.
#[derive(Serialize, JsonSchema)]
struct Cosigned {
    /// The number of entries under the cosigned checkpoint.
    entries: u64,
    /// The instant of the cosignature.
    at: Timestamp,
}

/// The number of entries that are hashed together.
const BATCH: usize = 4_096;

/// Checks every entry, and the signed notes over the entries.
pub fn run(args: &VerifyArgs) -> Result<ExitCode, CommandError> {
    let segments = Segments::open(&args.dir, args.archive.as_deref())?;
    let scratch = tempfile::tempdir()?;
    let hashes = HashFile::open(scratch.path().join("hashes"))?;
    let (entries, last) = rebuild(&segments, &hashes)?;
    let (signed, root) = check(&args.dir, "checkpoint", &args.key, entries, &hashes)?;
    let cosigned = match &args.witness {
        Some(witness) => Some(check_cosigned(args, witness, entries, &hashes)?),
        None => None,
    };
    let verified = VerifiedLog { entries, last, signed, root: hex::encode(root.0), cosigned };
    args.output.print(&verified, lines)?;
    Ok(ExitCode::SUCCESS)
}

fn lines(of: &VerifiedLog) -> Vec<String> {
    let [entries, signed] = [of.entries, of.signed].map(words::number);
    let mut out = vec![
        format!("{entries} entries, the last at {}", of.last),
        format!("signed: {signed} entries, root {}", of.root),
    ];
    out.extend(
        of.cosigned.as_ref().map(|seen| {
            format!("cosigned: {} entries, at {}", words::number(seen.entries), seen.at)
        }),
    );
    out
}

fn check_cosigned(
    args: &VerifyArgs,
    witness: &str,
    size: u64,
    hashes: &HashFile,
) -> Result<Cosigned, CommandError> {
    let (entries, _) = check(&args.dir, "cosigned", &args.key, size, hashes)?;
    let text = fs::read_to_string(args.dir.join("cosigned"))?;
    let at = cosigned_at(&text, witness)
        .map_err(|e| format!("the witness did not cosign this log: {e}"))?;
    Ok(Cosigned { entries, at })
}

/// Hashes every entry, and checks that `keys` could have written it. Returns the number of entries
/// and the instant of the last one.
fn rebuild(segments: &Segments, hashes: &HashFile) -> Result<(u64, Timestamp), CommandError> {
    let mut bar = Progress::new("entries checked");
    let mut batch: Vec<Vec<u8>> = Vec::with_capacity(BATCH);
    let mut last = Timestamp::UNIX_EPOCH;
    let scanned = segments.scan(0, &mut |index, bytes| {
        let entry = Entry::decode(&bytes).map_err(|e| Wrong::Entry(index, e.to_string()))?;
        last = entry.at;
        batch.push(bytes);
        if batch.len() == BATCH {
            hashes.append(index + 1 - BATCH as u64, batch.iter().map(Vec::as_slice))?;
            batch.clear();
            bar.set(index, 0);
        }
        Ok::<_, Wrong>(())
    })?;
    hashes.append(scanned.size - batch.len() as u64, batch.iter().map(Vec::as_slice))?;
    drop(bar);
    if scanned.torn > 0 {
        output::note(&format!("{} bytes of a torn entry stand at the end", scanned.torn));
    }
    Ok((scanned.size, last))
}

/// An entry that can't be checked.
#[derive(Debug, thiserror::Error)]
enum Wrong {
    #[error(transparent)]
    File(#[from] TlogError),
    #[error("keys did not write entry {0}: {1}")]
    Entry(u64, String),
}

/// Checks a note's signature, and that the first entries make its tree. Returns the size and the
/// root of that tree.
fn check(
    dir: &Path,
    name: &str,
    key: &str,
    size: u64,
    hashes: &HashFile,
) -> Result<(u64, Hash), CommandError> {
    let path = dir.join(name);
    let note = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let checkpoint = read_checkpoint(&note, key)
        .map_err(|e| format!("{} can't be verified: {e}", path.display()))?;
    if checkpoint.size() > size {
        let what = format!(
            "{} vouches for {} entries, and there are {size}",
            path.display(),
            checkpoint.size()
        );
        return Err(what.into());
    }
    if hashes.root(checkpoint.size())? != *checkpoint.hash() {
        let what = format!("one of the first {} entries is not what was signed", checkpoint.size());
        return Err(what.into());
    }
    Ok((checkpoint.size(), *checkpoint.hash()))
}
