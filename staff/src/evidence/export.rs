//! Writing the bag of an incident.

use std::io::{self, Write};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cofferdam_bag::{BagFile, BagWriter};
use cofferdam_core::{Field, Record, Timestamp};
use cofferdam_wire::Client;
use response_api::{
    EvidenceEntry, Exposure, Grounds, IncidentId, LetterStatus, Level, ListAnchors, ListCallers,
    ListEpochs, ListEvidence, MakeReport, ReadExposure, ReadGrounds, ReadJournal, ReadLedger,
    ReadPolicy, Report, SealBag, bag_name,
};
use roaring::RoaringBitmap;
use schemars::JsonSchema;
use serde::Serialize;

use super::error::EvidenceError;
use super::files::{self, EntryLine};
use crate::Progress;
use crate::step::call;

/// The number of ledger rows in a page.
const ROWS: u32 = 10_000;

/// A bag that was written and sealed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Exported {
    /// The key that verifies the seal.
    pub key: String,
    /// The number of log entries in the bag.
    pub entries: u64,
}

/// Writes the bag of an incident to `out`, which must not exist, and has `response` seal it.
/// `progress` sees how far each log is read.
pub async fn export(
    client: &Client,
    incident: IncidentId,
    out: &Path,
    now: Timestamp,
    progress: Progress<'_>,
) -> Result<Exported, EvidenceError> {
    let mut bag = BagWriter::create(out)?;
    let report = call(client, &MakeReport { incident }).await?;
    let exposure = report.exposure.clone().ok_or(EvidenceError::NotScoped(incident))?;
    let grounds = call(client, &ReadGrounds { incident }).await?;
    add_account(&mut bag, &report, &grounds)?;
    add_exposed(&mut bag, client, incident).await?;
    let entries = add_logs(&mut bag, client, incident, &exposure, progress).await?;
    for letter in &report.letters {
        add_ledger(&mut bag, client, letter).await?;
    }
    add_json(&mut bag, files::POLICY, &call(client, &ReadPolicy {}).await?)?;
    add_json(&mut bag, files::CALLERS, &call(client, &ListCallers {}).await?)?;
    add_json(&mut bag, files::EPOCHS, &call(client, &ListEpochs {}).await?)?;
    // The anchors come before the journal, which then has every anchored entry.
    add_anchors(&mut bag, client, incident, grounds.log_keys.len()).await?;
    // The journal is written last, so that it names the export itself.
    let mut lines = String::new();
    for entry in call(client, &ReadJournal { incident }).await? {
        lines.push_str(&entry.line());
        lines.push('\n');
    }
    bag.add(files::JOURNAL, lines.as_bytes())?;
    let info = [
        ("Source-Organization", grounds.organization.clone()),
        ("Bagging-Date", now.strftime("%Y-%m-%d").to_string()),
        ("Bag-Software-Agent", format!("cofferdam {}", env!("CARGO_PKG_VERSION"))),
    ];
    let unsigned = bag.close(&bag_name(incident), &info)?;
    let statement = unsigned.statement().to_owned();
    let note = call(client, &SealBag { incident, statement }).await?;
    unsigned.seal(&note)?;
    Ok(Exported { key: grounds.bag_key, entries })
}

fn add_json<T: Serialize>(bag: &mut BagWriter, name: &str, value: &T) -> Result<(), EvidenceError> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    Ok(bag.add(name, &text)?)
}

/// Adds the incident in words and numbers.
fn add_account(
    bag: &mut BagWriter,
    report: &Report,
    grounds: &Grounds,
) -> Result<(), EvidenceError> {
    add_json(bag, files::INCIDENT, &report.incident)?;
    add_json(bag, files::EXPOSURE, &report.exposure)?;
    add_json(bag, files::PEOPLE, &report.people)?;
    add_json(bag, files::ALARMS, &report.alarms)?;
    add_json(bag, files::LETTERS, &report.letters)?;
    bag.add(files::REPORT, report.html.as_bytes())?;
    if let Some(notice) = &grounds.notice {
        bag.add(files::NOTICE, notice.as_bytes())?;
    }
    let keys = Grounds { notice: None, ..grounds.clone() };
    add_json(bag, files::KEYS, &keys)
}

/// Adds the people exposed: a bitmap for each level and field, and all of them as a table.
async fn add_exposed(
    bag: &mut BagWriter,
    client: &Client,
    incident: IncidentId,
) -> Result<(), EvidenceError> {
    let mut all = Vec::new();
    for level in Level::ALL {
        for field in Field::ALL.iter().copied() {
            let answer = call(client, &ReadExposure { incident, level, field }).await?;
            let read: io::Result<_> = RoaringBitmap::deserialize_from(answer.roaring.as_slice());
            let records = read?;
            if !records.is_empty() {
                bag.add(&files::bitmap(level.as_str(), field.as_str()), &answer.roaring)?;
                all.push((level, field, records));
            }
        }
    }
    let mut table = bag.file(files::TABLE)?;
    writeln!(table, "record,field,level")?;
    for (level, field, records) in &all {
        for record in records {
            let record = Record(record);
            writeln!(table, "{record},{field},{}", level.as_str())?;
        }
    }
    Ok(table.end()?)
}

/// Adds the checkpoints of the logs, and each entry that the exposure rests on, with its proof.
/// Returns the number of entries.
async fn add_logs(
    bag: &mut BagWriter,
    client: &Client,
    incident: IncidentId,
    exposure: &Exposure,
    progress: Progress<'_>,
) -> Result<u64, EvidenceError> {
    let mut written = 0;
    for (log, number) in (0..exposure.logs.len()).zip(0_u32..) {
        let proof = &exposure.logs[log];
        bag.add(&files::checkpoint(log), proof.checkpoint.as_bytes())?;
        if let Some(cosigned) = &proof.cosigned {
            bag.add(&files::cosigned(log), cosigned.as_bytes())?;
        }
        let mut file = bag.file(&files::entries(log))?;
        let mut next = Some(0);
        while let Some(from) = next {
            let page = call(client, &ListEvidence { incident, log: number, from }).await?;
            add_entries(&mut file, &page.entries)?;
            written += page.entries.len() as u64;
            next = page.next;
            progress(next.unwrap_or(proof.size), proof.size);
        }
        file.end()?;
    }
    Ok(written)
}

/// Writes log entries with their proofs, a line each.
fn add_entries(file: &mut BagFile<'_>, entries: &[EvidenceEntry]) -> Result<(), EvidenceError> {
    for proved in entries {
        let line = EntryLine {
            index: proved.index,
            entry: STANDARD.encode(&proved.entry),
            proof: proved.proof.iter().map(|hash| STANDARD.encode(hash)).collect(),
        };
        serde_json::to_writer(&mut *file, &line)?;
        writeln!(file)?;
    }
    Ok(())
}

/// Adds the anchors of the incident's journal in each log, with their proofs.
async fn add_anchors(
    bag: &mut BagWriter,
    client: &Client,
    incident: IncidentId,
    logs: usize,
) -> Result<(), EvidenceError> {
    for (log, number) in (0..logs).zip(0_u32..) {
        let mut asked = ListAnchors { incident, log: number, from: 0, size: None };
        let mut page = call(client, &asked).await?;
        let Some(checkpoint) = page.checkpoint.take() else { continue };
        bag.add(&files::anchors_checkpoint(log), checkpoint.as_bytes())?;
        let mut file = bag.file(&files::anchors(log))?;
        add_entries(&mut file, &page.anchors)?;
        while let Some(from) = page.next {
            (asked.from, asked.size) = (from, Some(page.size));
            page = call(client, &asked).await?;
            add_entries(&mut file, &page.anchors)?;
        }
        file.end()?;
    }
    Ok(())
}

/// Adds the ledger of a letter: one row a person, with the outcome.
async fn add_ledger(
    bag: &mut BagWriter,
    client: &Client,
    letter: &LetterStatus,
) -> Result<(), EvidenceError> {
    let letter = letter.letter;
    let mut file = bag.file(&files::ledger(letter.0))?;
    let mut rows = csv::Writer::from_writer(&mut file);
    rows.write_record(["person", "state", "fields", "message_id", "outcome", "at"])?;
    let mut from = 0;
    loop {
        let page = call(client, &ReadLedger { letter, from, limit: ROWS, state: None }).await?;
        let Some(last) = page.last() else { break };
        from = last.person.saturating_add(1);
        for row in page {
            let fields: Vec<_> = row.fields.iter().map(Field::as_str).collect();
            rows.write_record([
                row.person.to_string(),
                row.state.as_str().to_owned(),
                fields.join(" "),
                row.message_id,
                row.outcome.unwrap_or_default(),
                row.at.to_string(),
            ])?;
        }
    }
    rows.flush()?;
    drop(rows);
    Ok(file.end()?)
}
