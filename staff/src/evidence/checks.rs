//! Checks of the contents of a bag: the journal is the one that the logs anchor, the checkpoints are
//! signed, each entry stands in the log, and the exposure contains everything that the entries show.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cofferdam_core::{JournalHead, Sha256};
use cofferdam_tlog::notes::{cosigned_at, read_checkpoint};
use cofferdam_tlog::{Checkpoint, Hash, check_record, record_hash};
use keys_api::{Entry, Event};
use response_api::{
    ExposedPeople, Exposure, Grounds, Incident, IncidentId, JournalEntry, Level, check_journal,
};
use response_exposure::{FallenHosts, Findings, LogKind, release_log_window};
use roaring::RoaringBitmap;
use serde::de::DeserializeOwned;

use super::error::EvidenceError;
use super::files::{self, EntryLine};
use crate::Progress;

/// The checked contents of a bag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// The checks that passed, a line each.
    pub checked: Vec<String>,
    /// The numbers of the journal's entries that no log anchors. Only `response` vouches for them.
    pub not_anchored: Vec<u32>,
}

/// Checks a bag with a verified seal. `progress` sees the number of entries checked so far.
pub fn check(bag: &Path, progress: Progress<'_>) -> Result<Contents, EvidenceError> {
    let data = bag.join("data");
    let incident: Incident = read(&data, files::INCIDENT)?;
    let exposure: Exposure = read(&data, files::EXPOSURE)?;
    let grounds: Grounds = read(&data, files::KEYS)?;
    let anchors = anchors(&data, incident.incident, &grounds.log_keys)?;
    let (line, not_anchored) = journal(&data, &anchors)?;
    let mut checked = vec![line];
    let hosts = FallenHosts::of(&incident);
    let mut findings = Findings::default();
    for (log, key) in grounds.log_keys.iter().enumerate().take(exposure.logs.len()) {
        let checkpoint = checkpoint(&data, log, key, &grounds.witness_key, &mut checked)?;
        // The bag does not say whether the clock of `keys` was moved. Where only that clock tells an
        // instant, the longest window is taken: it contains the one that counted.
        let sightings = exposure.logs[log].sightings.unwrap_or_default();
        let window = release_log_window(&incident, &sightings, true);
        let name = files::entries(log);
        let mut count = 0;
        let entries = proved_entries(&data, &name, &checkpoint, &mut |number, entry| {
            count += 1;
            progress(count, 0);
            findings.add_entry(LogKind::Release, (number, entry), &hosts, window)
        })?;
        checked.push(format!("log {log}: {entries} entries, each proved to stand in the tree"));
    }
    for log in &exposure.access_logs {
        // The bag names the shop's own files by their digests. The shop keeps them.
        checked.push(format!("access log {}: {} accesses, not in the bag", log.log, log.accesses));
    }
    checked.extend(people(&data, &exposure)?);
    let fields = contained(&data, &findings)?;
    checked.push(format!("exposure: it holds what the entries show, {fields} fields of records"));
    Ok(Contents { checked, not_anchored })
}

fn read<T: DeserializeOwned>(data: &Path, name: &str) -> Result<T, EvidenceError> {
    serde_json::from_str(&text(data, name)?).map_err(EvidenceError::broken(name))
}

fn text(data: &Path, name: &str) -> Result<String, EvidenceError> {
    fs::read_to_string(data.join(name)).map_err(EvidenceError::broken(name))
}

/// Reads the anchors of the incident's journal. Each is proved to stand in its log. A bag from before
/// there were anchors has none.
fn anchors(
    data: &Path,
    incident: IncidentId,
    keys: &[String],
) -> Result<Vec<JournalHead>, EvidenceError> {
    let mut all = Vec::new();
    for (log, key) in keys.iter().enumerate() {
        let name = files::anchors_checkpoint(log);
        if !data.join(&name).exists() {
            continue;
        }
        let checkpoint =
            read_checkpoint(&text(data, &name)?, key).map_err(EvidenceError::broken(&name))?;
        let name = files::anchors(log);
        proved_entries(data, &name, &checkpoint, &mut |_, entry| {
            let anchor = anchor_of(entry, incident);
            all.extend(anchor);
            anchor.is_some()
        })?;
    }
    Ok(all)
}

/// The anchor of the incident's journal in a log entry.
fn anchor_of(entry: &[u8], incident: IncidentId) -> Option<JournalHead> {
    match Entry::decode(entry).ok()?.event {
        Event::JournalAnchored { journal, length, head, .. } if journal == incident.0 => {
            Some(JournalHead { length, head: Sha256(head) })
        }
        _ => None,
    }
}

/// Checks the journal against its chain and its anchors. Returns the numbers of the entries behind
/// the last anchor.
fn journal(data: &Path, anchors: &[JournalHead]) -> Result<(String, Vec<u32>), EvidenceError> {
    let name = files::JOURNAL;
    let mut entries: Vec<JournalEntry> = Vec::new();
    for (number, line) in (1..).zip(text(data, name)?.lines()) {
        let place = format!("{name}, line {number}");
        entries.push(serde_json::from_str(line).map_err(EvidenceError::broken(&place))?);
    }
    let anchored = check_journal(&entries, anchors)?;
    let not_anchored = entries.iter().map(|entry| entry.number).filter(|of| *of > anchored);
    let line = format!(
        "journal: {} entries, the chain is whole, {} anchors hold the first {anchored}",
        entries.len(),
        anchors.len()
    );
    Ok((line, not_anchored.collect()))
}

/// Checks that the people exposed are those of the exposure, each with one place. A bag from before
/// these numbers has none.
fn people(data: &Path, exposure: &Exposure) -> Result<Option<String>, EvidenceError> {
    let name = files::PEOPLE;
    if !data.join(name).exists() {
        return Ok(None);
    }
    let Some(of) = read::<Option<ExposedPeople>>(data, name)? else { return Ok(None) };
    if of.exposed != exposure.exposed() || of.told + of.session_only + of.gone != of.exposed {
        return Err(EvidenceError::broken(name)("the numbers are not those of the exposure"));
    }
    Ok(Some(format!("people: {} exposed, {} told, {} gone", of.exposed, of.told, of.gone)))
}

/// Reads the checkpoint that the proofs lead to, signed by the log and cosigned by the witness.
fn checkpoint(
    data: &Path,
    log: usize,
    key: &str,
    witness: &str,
    checked: &mut Vec<String>,
) -> Result<Checkpoint, EvidenceError> {
    let name = files::checkpoint(log);
    let checkpoint =
        read_checkpoint(&text(data, &name)?, key).map_err(EvidenceError::broken(&name))?;
    let name = files::cosigned(log);
    let cosigned = text(data, &name)?;
    let at = cosigned_at(&cosigned, witness).map_err(EvidenceError::broken(&name))?;
    let seen = read_checkpoint(&cosigned, key).map_err(EvidenceError::broken(&name))?;
    if seen.size() == checkpoint.size() && seen.hash() != checkpoint.hash() {
        return Err(EvidenceError::broken(&name)("another tree of the same size was cosigned"));
    }
    checked.push(format!(
        "log {log}: {} entries signed, {} of them cosigned at {at}",
        checkpoint.size(),
        seen.size().min(checkpoint.size())
    ));
    Ok(checkpoint)
}

/// Checks the proof of each entry of a file and hands the entry to `take`, which refuses an entry that
/// makes no sense. Returns the number of entries.
fn proved_entries(
    data: &Path,
    name: &str,
    checkpoint: &Checkpoint,
    take: &mut dyn FnMut(u64, &[u8]) -> bool,
) -> Result<u64, EvidenceError> {
    let file = File::open(data.join(name)).map_err(EvidenceError::broken(name))?;
    let (mut count, mut before) = (0, None);
    for (number, line) in (1_u64..).zip(BufReader::new(file).lines()) {
        let place = format!("{name}, line {number}");
        let line = line.map_err(EvidenceError::broken(&place))?;
        let line: EntryLine = serde_json::from_str(&line).map_err(EvidenceError::broken(&place))?;
        if before.is_some_and(|before| line.index <= before) {
            return Err(EvidenceError::broken(&place)("the entries do not ascend"));
        }
        before = Some(line.index);
        let entry = proved(&line, checkpoint).map_err(EvidenceError::broken(&place))?;
        if !take(line.index, &entry) {
            return Err(EvidenceError::broken(&place)("the entry makes no sense"));
        }
        count = number;
    }
    Ok(count)
}

/// Returns the entry of a line, if its proof leads to the checkpoint.
fn proved(line: &EntryLine, checkpoint: &Checkpoint) -> Result<Vec<u8>, String> {
    let entry = STANDARD.decode(&line.entry).map_err(|e| e.to_string())?;
    let hash = |text: &String| STANDARD.decode(text).ok().and_then(|h| h.try_into().ok());
    let proof: Option<Vec<Hash>> = line.proof.iter().map(|text| hash(text).map(Hash)).collect();
    let proof = proof.ok_or("a hash of the proof can't be read")?;
    let (size, root) = (checkpoint.size(), *checkpoint.hash());
    check_record(&proof, size, root, line.index, record_hash(&entry))
        .map_err(|_| "the entry does not stand in the tree")?;
    Ok(entry)
}

/// Checks that the exposure contains everything that the entries show. Returns the number of pairs
/// of a record and a field in it.
fn contained(data: &Path, findings: &Findings) -> Result<u64, EvidenceError> {
    let mut all = 0;
    for level in [Level::Read, Level::Presented, Level::KnownUnset] {
        for (field, records) in findings.levels.at(level) {
            let name = files::bitmap(level.as_str(), field.as_str());
            let bytes = fs::read(data.join(&name)).map_err(EvidenceError::broken(&name))?;
            let kept = RoaringBitmap::deserialize_from(bytes.as_slice())
                .map_err(EvidenceError::broken(&name))?;
            let missing = (records - kept).len();
            if missing > 0 {
                let reason = format!("the log shows {missing} records that are not here");
                return Err(EvidenceError::broken(&name)(reason));
            }
            all += records.len();
        }
    }
    Ok(all)
}
