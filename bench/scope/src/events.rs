//! The synthetic log.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use cofferdam_core::{CallerName, Domain, Epoch, Field, FieldSet, Operation, Record, Timestamp};
use cofferdam_index::Detail;
use cofferdam_tlog::{Day, HashFile, Segments, index};
use fake::rand::rngs::ChaCha8Rng;
use fake::rand::{RngExt, SeedableRng};
use keys_api::{Entry, Event, RecordList, summarize};

use crate::Args;

/// The number of app servers.
pub const CALLERS: u32 = 20;
/// The app server that falls.
pub const FALLEN: &str = "web-07";
/// The first day of the log: 2012-01-01, in days since 1970.
const FIRST_DAY: i32 = 15_340;
const DAY_MS: u64 = 86_400_000;
/// The number of entries that are written at once, as by the log's own writer.
const BATCH: usize = 4_096;

/// A synthetic event of the log.
pub struct Happened {
    /// The instant, in milliseconds since 1970.
    pub at_ms: i64,
    /// The number of the app server.
    pub caller: u32,
    /// Whether a password was typed; otherwise fields were released.
    pub typed: bool,
    /// The fields that were released, unless a password was typed.
    pub fields: FieldSet,
    /// The record of the customer.
    pub record: u32,
}

/// The events of a day, in order.
pub fn of_day(args: &Args, day: u32) -> impl Iterator<Item = Happened> {
    let (customers, events) = (args.customers, args.events);
    let mut rng = ChaCha8Rng::seed_from_u64(u64::from(day));
    let start = i64::from(FIRST_DAY + i32::try_from(day).unwrap()) * DAY_MS.cast_signed();
    (0..events).map(move |n| {
        // Four in five events are about one customer in five.
        let hot = rng.random_ratio(4, 5);
        let record = rng.random_range(0..if hot { customers / 5 } else { customers });
        let offset = u64::from(n) * DAY_MS / u64::from(events);
        Happened {
            at_ms: start + offset.cast_signed(),
            caller: rng.random_range(0..CALLERS),
            typed: rng.random_ratio(1, 10),
            fields: filled(record),
            record,
        }
    })
}

/// The fields of a profile that a customer has filled.
fn filled(record: u32) -> FieldSet {
    let mut fields = FieldSet::EMPTY.with(Field::Name).with(Field::Email);
    for (field, one_in) in [(Field::Phone, 2), (Field::ShippingAddress, 3), (Field::CardLast4, 5)] {
        if !record.is_multiple_of(one_in) {
            fields = fields.with(field);
        }
    }
    fields
}

/// The name of an app server.
pub fn caller(number: u32) -> String {
    format!("web-{number:02}")
}

/// The directory of the log.
pub fn log_dir(dir: &Path) -> PathBuf {
    dir.join("log")
}

/// Writes the log, unless it exists.
pub fn write(args: &Args) {
    let dir = log_dir(&args.dir);
    if dir.exists() {
        return;
    }
    let segments = Segments::open(&dir, None).unwrap();
    let hashes = HashFile::open(dir.join("hashes")).unwrap();
    let names: Vec<CallerName> = (0..CALLERS).map(|n| caller(n).parse().unwrap()).collect();
    let via: CallerName = "accounts".parse().unwrap();
    let (mut size, started) = (0_u64, Instant::now());
    for day in 0..args.days {
        let mut batch = Vec::with_capacity(BATCH);
        let number = Day(FIRST_DAY + i32::try_from(day).unwrap());
        let mut flush = |batch: &mut Vec<Vec<u8>>| {
            let bytes: Vec<&[u8]> = batch.iter().map(Vec::as_slice).collect();
            segments.append(size, number, &bytes).unwrap();
            hashes.append(size, bytes.iter().copied()).unwrap();
            size += batch.len() as u64;
            batch.clear();
        };
        for event in of_day(args, day) {
            batch.push(entry(&event, &names, &via).encode());
            if batch.len() == BATCH {
                flush(&mut batch);
            }
        }
        flush(&mut batch);
    }
    println!(
        "log: {:>12.0} entries a second written",
        size as f64 / started.elapsed().as_secs_f64()
    );
}

/// Makes the indexes that are missing.
pub fn index(args: &Args) {
    let dir = log_dir(&args.dir);
    let segments = Segments::open(&dir, None).unwrap();
    let (mut made, started) = (0_u64, Instant::now());
    for name in segments.names() {
        if index::load(&dir, name, &|_| false, &|_| Detail::Head).is_none() {
            let built = index::build(&segments, name, summarize).unwrap();
            index::save(&built, &dir, name).unwrap();
            made += u64::from(args.events);
        }
    }
    if made > 0 {
        let seconds = started.elapsed().as_secs_f64();
        println!("log: {:>12.0} entries a second indexed", made as f64 / seconds);
    }
}

fn entry(event: &Happened, names: &[CallerName], via: &CallerName) -> Entry {
    let caller = names[event.caller as usize].clone();
    let records = RecordList::new(vec![Record(event.record)]);
    let via = via.clone();
    let what = if event.typed {
        Event::Hardened { caller, via, records }
    } else {
        Event::Released {
            caller,
            via,
            domain: Domain::Accounts,
            operation: Operation::Release,
            fields: event.fields,
            epoch: Epoch(0),
            records,
            warrant: None,
        }
    };
    Entry { at: Timestamp::from_millisecond(event.at_ms).unwrap(), event: what }
}

/// The window: `args.window` days at the log's end, which begin and end within an hour.
pub fn window(args: &Args) -> (Timestamp, Timestamp) {
    let first = i64::from(FIRST_DAY + i32::try_from(args.days - args.window).unwrap());
    let from = first * DAY_MS.cast_signed() - 5 * 3_600_000 + 17 * 60_000;
    let to = from + i64::from(args.window) * DAY_MS.cast_signed();
    let at = |ms| Timestamp::from_millisecond(ms).unwrap();
    (at(from), at(to))
}

/// The megabytes of the log, and those of its indexes.
pub fn sizes(dir: &Path) -> (u64, u64) {
    let (mut log, mut index) = (0, 0);
    for file in fs::read_dir(log_dir(dir)).unwrap() {
        let file = file.unwrap();
        let size = file.metadata().unwrap().len();
        if file.file_name().to_string_lossy().ends_with(".index") {
            index += size;
        } else {
            log += size;
        }
    }
    (log / 1_000_000, index / 1_000_000)
}

/// Writes the events of a day as CSV for the peer.
pub fn write_csv(args: &Args, day: u32, file: &Path) {
    let mut out = BufWriter::with_capacity(1 << 20, fs::File::create(file).unwrap());
    for Happened { at_ms, caller: at, typed, fields, record } in of_day(args, day) {
        let operation = if typed { "harden" } else { "release" };
        let bits = if typed { 0 } else { fields.bits() };
        writeln!(out, "{at_ms},{},accounts,{operation},{bits},{record}", caller(at)).unwrap();
    }
    out.flush().unwrap();
}
