//! What a bag says must hold together: the journal's chain, the checkpoints' signatures, each
//! entry's proof, and the exposure against the entries.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cofferdam_tlog::notes::{cosigned_at, read_checkpoint};
use cofferdam_tlog::{Checkpoint, Hash, check_record, record_hash};
use response_api::{Exposure, Grounds, Incident, JournalEntry, Level, broken_journal};
use response_server::scope::{Fallen, Found, LogKind, Window};
use roaring::RoaringBitmap;
use serde::de::DeserializeOwned;

use super::{EntryLine, names};
use crate::CommandError;
use crate::output::Progress;

/// So much longer is a window when a clock was moved: an hour at each end, as `response` does it.
const MARGIN_MS: i64 = 3_600_000;

/// What was checked, in lines.
pub fn check(bag: &Path) -> Result<Vec<String>, CommandError> {
    let data = bag.join("data");
    let incident: Incident = read(&data, names::INCIDENT)?;
    let exposure: Exposure = read(&data, names::EXPOSURE)?;
    let grounds: Grounds = read(&data, names::KEYS)?;
    let mut said = vec![journal(&data)?];
    let fallen = Fallen::of(&incident);
    let window = Window::new(incident.from, incident.to).widened(MARGIN_MS);
    let mut found = Found::default();
    for (log, key) in grounds.log_keys.iter().enumerate().take(exposure.logs.len()) {
        let checkpoint = checkpoint(&data, log, key, &grounds.witness_key, &mut said)?;
        let entries = entries(&data, log, &checkpoint, &mut |entry| {
            found.take_entry(LogKind::Release, entry, &fallen, window)
        })?;
        said.push(format!("log {log}: {entries} entries, each proved to stand in the tree"));
    }
    for log in &exposure.access_logs {
        // The shop's own file is the shop's to keep: the bag names it by its digest.
        said.push(format!("access log {}: {} accesses, not in the bag", log.log, log.accesses));
    }
    let fields = within(&data, &found)?;
    said.push(format!("exposure: it holds what the entries show, {fields} fields of records"));
    Ok(said)
}

fn read<T: DeserializeOwned>(data: &Path, name: &str) -> Result<T, CommandError> {
    serde_json::from_str(&text(data, name)?).map_err(|e| format!("data/{name}: {e}").into())
}

fn text(data: &Path, name: &str) -> Result<String, String> {
    fs::read_to_string(data.join(name)).map_err(|e| format!("data/{name}: {e}"))
}

fn journal(data: &Path) -> Result<String, CommandError> {
    let name = names::JOURNAL;
    let mut entries: Vec<JournalEntry> = Vec::new();
    for (number, line) in (1..).zip(text(data, name)?.lines()) {
        let entry = serde_json::from_str(line);
        entries.push(entry.map_err(|e| format!("data/{name}, line {number}: {e}"))?);
    }
    match broken_journal(&entries) {
        Some(number) => Err(format!("data/{name}: the chain is broken at entry {number}").into()),
        None => Ok(format!("journal: {} entries, the chain is whole", entries.len())),
    }
}

/// The checkpoint that the proofs lead to, signed by the log and cosigned by the witness.
fn checkpoint(
    data: &Path,
    log: usize,
    key: &str,
    witness: &str,
    said: &mut Vec<String>,
) -> Result<Checkpoint, CommandError> {
    let name = names::checkpoint(log);
    let checkpoint =
        read_checkpoint(&text(data, &name)?, key).map_err(|e| format!("data/{name}: {e}"))?;
    let name = names::cosigned(log);
    let cosigned = text(data, &name)?;
    let at = cosigned_at(&cosigned, witness).map_err(|e| format!("data/{name}: {e}"))?;
    let seen = read_checkpoint(&cosigned, key).map_err(|e| format!("data/{name}: {e}"))?;
    if seen.size() == checkpoint.size() && seen.hash() != checkpoint.hash() {
        return Err(format!("data/{name}: another tree of the same size was cosigned").into());
    }
    said.push(format!(
        "log {log}: {} entries signed, {} of them cosigned at {at}",
        checkpoint.size(),
        seen.size().min(checkpoint.size())
    ));
    Ok(checkpoint)
}

/// Checks each entry's proof, and shows it; how many there are.
fn entries(
    data: &Path,
    log: usize,
    checkpoint: &Checkpoint,
    take: &mut dyn FnMut(&[u8]) -> bool,
) -> Result<u64, CommandError> {
    let name = names::entries(log);
    let file = File::open(data.join(&name)).map_err(|e| format!("data/{name}: {e}"))?;
    let mut bar = Progress::new("entries checked", 0);
    let (mut count, mut before) = (0, None);
    for (number, line) in (1_u64..).zip(BufReader::new(file).lines()) {
        let bad = |what: &str| CommandError::from(format!("data/{name}, line {number}: {what}"));
        let line: EntryLine = serde_json::from_str(&line?).map_err(|e| bad(&e.to_string()))?;
        if before.is_some_and(|before| line.index <= before) {
            return Err(bad("the entries do not ascend"));
        }
        before = Some(line.index);
        let entry = STANDARD.decode(&line.entry).map_err(|e| bad(&e.to_string()))?;
        let hash = |text: &String| STANDARD.decode(text).ok().and_then(|h| h.try_into().ok());
        let proof: Option<Vec<Hash>> = line.proof.iter().map(|t| hash(t).map(Hash)).collect();
        let proof = proof.ok_or_else(|| bad("a hash is none"))?;
        let (size, root) = (checkpoint.size(), *checkpoint.hash());
        check_record(&proof, size, root, line.index, record_hash(&entry))
            .map_err(|_| bad("the entry does not stand in the tree"))?;
        if !take(&entry) {
            return Err(bad("the entry makes no sense"));
        }
        count = number;
        bar.set(count);
    }
    bar.finish();
    Ok(count)
}

/// What the entries show must be in the exposure; how much it is.
fn within(data: &Path, found: &Found) -> Result<u64, CommandError> {
    let mut all = 0;
    for (level, of) in [(Level::Read, &found.read), (Level::Presented, &found.presented)] {
        for (field, records) in of {
            let name = names::bitmap(level.as_str(), field.as_str());
            let bytes = fs::read(data.join(&name)).map_err(|e| format!("data/{name}: {e}"))?;
            let kept = RoaringBitmap::deserialize_from(bytes.as_slice())
                .map_err(|e| format!("data/{name}: {e}"))?;
            let missing = (records - kept).len();
            if missing > 0 {
                let what =
                    format!("data/{name}: the log shows {missing} records that are not here");
                return Err(what.into());
            }
            all += records.len();
        }
    }
    Ok(all)
}
