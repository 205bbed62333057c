//! `cofferdam evidence export`

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use cofferdam_bag::BagWriter;
use cofferdam_core::{Clock, Field, Record, SystemClock};
use cofferdam_wire::Client;
use response_api::{
    Exposure, Grounds, IncidentId, KeysView, LetterStatus, Level, MakeReport, ReadExposure,
    ReadGrounds, ReadKeys, ReadLedger, ReadScoped, Report, SealBag, bag_name,
};
use roaring::RoaringBitmap;
use serde::Serialize;

use super::{EntryLine, names};
use crate::CommandError;
use crate::incident::{Common, StepError, incident_number, journal};
use crate::output::Progress;

/// Ledger rows a page.
const ROWS: u32 = 10_000;

/// `cofferdam evidence export`
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The incident's number, which must have been scoped
    #[arg(value_parser = incident_number)]
    incident: IncidentId,
    /// The bag's directory, which must not exist
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    common: Common,
}

/// Runs the command.
pub async fn run(args: ExportArgs) -> Result<ExitCode, CommandError> {
    let client = args.common.client()?;
    let made = export(&client, args.incident, &args.out).await?;
    args.common.print(&made, |made| {
        let out = args.out.display();
        vec![
            format!("{out}: sealed, with {} entries of the log", made.entries),
            format!("verify it with: cofferdam evidence verify {out} --key {}", made.key),
        ]
    })?;
    Ok(ExitCode::SUCCESS)
}

/// A bag that was written.
#[derive(Debug, Serialize)]
pub struct Made {
    /// The key that verifies it.
    pub key: String,
    /// Entries of the logs in it.
    pub entries: u64,
}

/// Writes the bag of an incident.
pub async fn export(
    client: &Client,
    incident: IncidentId,
    out: &Path,
) -> Result<Made, CommandError> {
    let mut bag = BagWriter::create(out)?;
    let report = call(client, &MakeReport { incident }).await?;
    let exposure = report.exposure.clone().ok_or_else(|| {
        format!("incident {incident} has not been scoped; run: cofferdam incident scope {incident}")
    })?;
    let grounds = call(client, &ReadGrounds { incident }).await?;
    told(&mut bag, &report, &grounds)?;
    exposed(&mut bag, client, incident).await?;
    let entries = logs(&mut bag, client, incident, &exposure).await?;
    for letter in &report.letters {
        ledger(&mut bag, client, letter).await?;
    }
    for (name, view) in [
        (names::POLICY, KeysView::Policy),
        (names::CALLERS, KeysView::Callers),
        (names::EPOCHS, KeysView::Epochs),
    ] {
        json(&mut bag, name, &call(client, &ReadKeys { view }).await?)?;
    }
    // Last, so that it tells of the export itself.
    let mut lines = String::new();
    for entry in journal::journal(client, incident).await? {
        lines.push_str(&entry.line());
        lines.push('\n');
    }
    bag.add(names::JOURNAL, lines.as_bytes())?;
    let info = [
        ("Source-Organization", grounds.organization.clone()),
        ("Bagging-Date", SystemClock.now().strftime("%Y-%m-%d").to_string()),
        ("Bag-Software-Agent", format!("cofferdam {}", env!("CARGO_PKG_VERSION"))),
    ];
    let unsigned = bag.close(&bag_name(incident), &info)?;
    let statement = unsigned.statement().to_owned();
    let note = call(client, &SealBag { incident, statement }).await?;
    unsigned.seal(&note)?;
    Ok(Made { key: grounds.bag_key, entries })
}

async fn call<C: cofferdam_core::Call>(client: &Client, call: &C) -> Result<C::Answer, StepError> {
    client.call(call).await.map_err(StepError::plain)
}

fn json<T: Serialize>(bag: &mut BagWriter, name: &str, value: &T) -> Result<(), CommandError> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    Ok(bag.add(name, &text)?)
}

/// What is told of the incident in words and numbers.
fn told(bag: &mut BagWriter, report: &Report, grounds: &Grounds) -> Result<(), CommandError> {
    json(bag, names::INCIDENT, &report.incident)?;
    json(bag, names::EXPOSURE, &report.exposure)?;
    json(bag, names::ALARMS, &report.alarms)?;
    json(bag, names::LETTERS, &report.letters)?;
    bag.add(names::REPORT, report.html.as_bytes())?;
    if let Some(notice) = &grounds.notice {
        bag.add(names::NOTICE, notice.as_bytes())?;
    }
    let keys = Grounds { notice: None, ..grounds.clone() };
    json(bag, names::KEYS, &keys)
}

/// Who is exposed: the bitmaps, and a table of them.
async fn exposed(
    bag: &mut BagWriter,
    client: &Client,
    incident: IncidentId,
) -> Result<(), CommandError> {
    let mut all = Vec::new();
    for level in Level::ALL {
        for field in Field::ALL.iter().copied() {
            let answer = call(client, &ReadExposure { incident, level, field }).await?;
            let read: io::Result<_> = RoaringBitmap::deserialize_from(answer.roaring.as_slice());
            let records = read?;
            if !records.is_empty() {
                bag.add(&names::bitmap(level.as_str(), field.as_str()), &answer.roaring)?;
                all.push((level, field, records));
            }
        }
    }
    let mut table = bag.file(names::TABLE)?;
    writeln!(table, "record,field,level")?;
    for (level, field, records) in &all {
        for record in records {
            let record = Record(record);
            writeln!(table, "{record},{field},{}", level.as_str())?;
        }
    }
    Ok(table.end()?)
}

/// The logs' checkpoints, and each entry that the exposure rests on with its proof.
async fn logs(
    bag: &mut BagWriter,
    client: &Client,
    incident: IncidentId,
    exposure: &Exposure,
) -> Result<u64, CommandError> {
    let mut written = 0;
    for (log, proof) in exposure.logs.iter().enumerate() {
        bag.add(&names::checkpoint(log), proof.checkpoint.as_bytes())?;
        if let Some(cosigned) = &proof.cosigned {
            bag.add(&names::cosigned(log), cosigned.as_bytes())?;
        }
        let mut bar = Progress::new("entries of the log", proof.size);
        let mut file = bag.file(&names::entries(log))?;
        let (mut next, number) = (Some(0), u32::try_from(log)?);
        while let Some(from) = next {
            let page = call(client, &ReadScoped { incident, log: number, from }).await?;
            for scoped in &page.entries {
                let line = EntryLine {
                    index: scoped.index,
                    entry: STANDARD.encode(&scoped.entry),
                    proof: scoped.proof.iter().map(|hash| STANDARD.encode(hash)).collect(),
                };
                serde_json::to_writer(&mut file, &line)?;
                writeln!(file)?;
                written += 1;
            }
            next = page.next;
            bar.set(next.unwrap_or(proof.size));
        }
        file.end()?;
        bar.finish();
    }
    Ok(written)
}

/// One row a person: how the letter to that person stands.
async fn ledger(
    bag: &mut BagWriter,
    client: &Client,
    letter: &LetterStatus,
) -> Result<(), CommandError> {
    let mut file = bag.file(&names::ledger(letter.letter.0))?;
    let mut rows = csv::Writer::from_writer(&mut file);
    rows.write_record(["person", "state", "fields", "message_id", "outcome", "at"])?;
    let mut from = 0;
    loop {
        let page =
            call(client, &ReadLedger { letter: letter.letter, from, limit: ROWS, state: None })
                .await?;
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
