//! `cofferdam letters post`: the list of those whom no e-mail reached, for a printer.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::process::ExitCode;

use aws_lc_rs::digest::{SHA256, digest};
use clap::{Args, Subcommand};
use cofferdam_core::{Clock, SystemClock, SystemRng};
use keys_api::Signed;
use response_api::{DraftPost, OpenPost, PostPerson, ReadPost};

use super::One;
use crate::CommandError;
use crate::incident::{StepError, letters};
use crate::keys::order::{OrderFile, Wanted};
use crate::output::{self, Progress};

/// `cofferdam letters post`
#[derive(Debug, Subcommand)]
pub enum PostCommand {
    /// The order that two people sign, to read the addresses of those whom no e-mail reached
    Draft(DraftPostArgs),
    /// Write the list under the order that two people signed
    Export(ExportPostArgs),
}

/// `cofferdam letters post draft`
#[derive(Debug, Args)]
pub struct DraftPostArgs {
    #[command(flatten)]
    one: One,
    /// The order for two people to sign, a new file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// `cofferdam letters post export`
#[derive(Debug, Args)]
pub struct ExportPostArgs {
    #[command(flatten)]
    one: One,
    /// The order with two signatures
    order: PathBuf,
    /// The list, a new CSV file that only its owner can read
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Runs a command.
pub async fn run(command: PostCommand) -> Result<ExitCode, CommandError> {
    match command {
        PostCommand::Draft(args) => draft(args).await,
        PostCommand::Export(args) => export(args).await,
    }
}

async fn draft(args: DraftPostArgs) -> Result<ExitCode, CommandError> {
    super::check_new(&args.out)?;
    let call = DraftPost { letter: args.one.letter };
    let terms = args.one.common.client()?.call(&call).await.map_err(StepError::plain)?;
    if terms.records == 0 {
        output::note("the letter reached everybody: there is nobody to write to by post");
        return Ok(ExitCode::SUCCESS);
    }
    let records = terms.records;
    let order = letters::warrant(terms, SystemClock.now(), &SystemRng);
    let wanted = Wanted::Warrant(Signed { order, signatures: Vec::new() });
    OrderFile { wanted }.write(&args.out)?;
    let (letter, out) = (args.one.letter, args.out.display());
    output::note(&format!(
        "{records} people were not reached. Two approvers sign: cofferdam staff sign {out} \
         --approver NAME=KEYFILE; then: cofferdam letters post export {letter} {out} --out LIST.csv"
    ));
    Ok(ExitCode::SUCCESS)
}

async fn export(args: ExportPostArgs) -> Result<ExitCode, CommandError> {
    super::check_new(&args.out)?;
    let Wanted::Warrant(signed) = OrderFile::read(&args.order)?.wanted else {
        return Err(format!("{} is for no letter", args.order.display()).into());
    };
    let people = u64::from(signed.order.records);
    let (letter, client) = (args.one.letter, args.one.common.client()?);
    let call = OpenPost { letter, warrant: serde_json::to_value(signed)? };
    let warrant = client.call(&call).await.map_err(StepError::plain)?.warrant;
    let mut list = List::create(&args.out)?;
    let mut bar = Progress::new("people", people);
    let (mut from, mut without) = (Some(0), 0);
    while let Some(first) = from {
        let call = ReadPost { letter, warrant: warrant.clone(), from: first };
        let page = client.call(&call).await.map_err(StepError::plain)?;
        for person in &page.people {
            list.add(person)?;
        }
        without += u64::from(page.without);
        from = page.next;
        bar.set(list.written + list.same + without);
    }
    bar.finish();
    let (written, same) = (list.written, list.same);
    list.finish()?;
    output::note(&format!(
        "{written} in {}, {same} more at the same name and address, {without} decoys or without \
         an address",
        args.out.display()
    ));
    Ok(ExitCode::SUCCESS)
}

/// The list as it is written: a household that has two accounts gets one letter.
struct List {
    rows: csv::Writer<File>,
    seen: HashSet<[u8; 16]>,
    written: u64,
    same: u64,
}

impl List {
    fn create(path: &std::path::Path) -> Result<Self, CommandError> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let file = file.map_err(|e| format!("{}: {e}", path.display()))?;
        let mut rows = csv::Writer::from_writer(file);
        rows.write_record(["person", "language", "name", "address"])?;
        Ok(Self { rows, seen: HashSet::new(), written: 0, same: 0 })
    }

    fn add(&mut self, of: &PostPerson) -> Result<(), CommandError> {
        if !self.seen.insert(same_as(of.name.expose(), of.address.expose())) {
            self.same += 1;
            return Ok(());
        }
        self.written += 1;
        let person = of.person.to_string();
        let columns = [person.as_str(), &of.language, of.name.expose(), of.address.expose()];
        self.rows.write_record(columns.map(harmless))?;
        Ok(())
    }

    fn finish(mut self) -> Result<(), CommandError> {
        self.rows.flush()?;
        let file = self.rows.into_inner().map_err(|e| e.to_string())?;
        file.sync_all()?;
        Ok(())
    }
}

/// What is the same for two who get one letter: letter case, blanks and punctuation aside.
fn same_as(name: &str, address: &str) -> [u8; 16] {
    let mut plain = String::with_capacity(name.len() + address.len());
    for text in [name, address] {
        let letters = text.chars().filter(|c| c.is_alphanumeric());
        plain.extend(letters.flat_map(char::to_lowercase));
        plain.push('\n');
    }
    let mut hash = [0; 16];
    hash.copy_from_slice(&digest(&SHA256, plain.as_bytes()).as_ref()[..16]);
    hash
}

/// A name is anybody's to choose: no spreadsheet is to take it for a formula.
fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use cofferdam_core::Personal;

    use super::*;

    #[test]
    fn a_household_gets_one_letter_and_no_formula() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("list.csv");
        let mut list = List::create(&path).unwrap();
        let person = |person, name: &str, address: &str| PostPerson {
            person,
            language: "en".to_owned(),
            name: Personal::new(name),
            address: Personal::new(address),
        };
        list.add(&person(1, "Ada Lovelace", "12 St James's Sq., London")).unwrap();
        list.add(&person(2, "ADA LOVELACE", "12 St James's  Sq, London")).unwrap();
        list.add(&person(3, "=cmd()", "1 Road")).unwrap();
        assert_eq!((list.written, list.same), (2, 1));
        list.finish().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("3,en,'=cmd(),1 Road"), "{text}");
        assert!(List::create(&path).is_err(), "nothing is written over");
    }
}
