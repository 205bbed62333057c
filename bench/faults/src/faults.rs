//! The faults, and how each is injected and taken back.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cofferdam_core::Rng;
use estate::Compartment;
use jiff::SignedDuration;

use crate::disk::{ReadOnly, SmallDisk};
use crate::site::{Site, Start};

/// The longest time in which the traffic runs between two faults.
const BETWEEN: Duration = Duration::from_millis(300);
/// The time for which the disk stays full, or a directory read-only.
const FULL: Duration = Duration::from_millis(700);
/// The largest error of a clock, in seconds: one day.
const DAY: i64 = 86_400;

/// One fault.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// SIGKILL, and a start.
    Kill(Compartment),
    /// SIGKILL, a start with a wrong clock, and later one with the right clock.
    WrongClock(Compartment, SignedDuration),
    /// After a SIGKILL, one of the compartment's own files is gone. The compartment must refuse to
    /// start, or do without the file for good. The number chooses the file.
    NoFile(Compartment, u8),
    /// After a SIGKILL, the compartment can't write to its directory. It must refuse to start, or
    /// say that it can't work.
    ReadOnlyStart(Compartment),
    /// A running compartment can make no file in its directory for a while.
    ReadOnly(Compartment),
    /// The disk is full for a while. Nothing is restarted.
    FullDisk,
}

impl Fault {
    /// Draws a fault; three in five are plain kills. Some need root.
    pub fn draw(rng: &dyn Rng, root: bool) -> Self {
        let [kind, which, a, b, c] = rng.bytes::<5>();
        let compartment = Compartment::ALL[usize::from(which) % Compartment::ALL.len()];
        let seconds = i64::from(u32::from_le_bytes([a, b, c, 0])) % (2 * DAY + 1) - DAY;
        match kind {
            0..20 if root => Self::FullDisk,
            20..35 if root => Self::ReadOnlyStart(compartment),
            35..50 if root => Self::ReadOnly(compartment),
            50..75 => Self::WrongClock(compartment, SignedDuration::from_secs(seconds)),
            75..100 => Self::NoFile(compartment, a),
            _ => Self::Kill(compartment),
        }
    }

    /// Lets the traffic run for a moment, injects the fault and takes it back.
    pub async fn inject(self, site: &mut Site, disk: Option<&SmallDisk>, rng: &dyn Rng) {
        run_for(rng).await;
        match self {
            Self::Kill(compartment) => {
                site.kill(compartment);
                site.serve(compartment, SignedDuration::ZERO).await;
            }
            Self::WrongClock(compartment, shift) => {
                site.kill(compartment);
                site.serve(compartment, shift).await;
                run_for(rng).await;
                site.kill(compartment);
                site.serve(compartment, SignedDuration::ZERO).await;
            }
            Self::NoFile(compartment, which) => without_file(site, compartment, which).await,
            Self::ReadOnlyStart(compartment) => {
                site.kill(compartment);
                let read_only = ReadOnly::make(&site.dir(compartment));
                let started = site.try_start(compartment).await;
                assert!(started != Start::Serves, "{compartment} serves and can't write");
                site.kill(compartment);
                drop(read_only);
                site.serve(compartment, SignedDuration::ZERO).await;
            }
            Self::ReadOnly(compartment) => {
                let read_only = ReadOnly::make(&site.dir(compartment));
                tokio::time::sleep(FULL).await;
                drop(read_only);
            }
            Self::FullDisk => {
                let Some(disk) = disk else { return };
                disk.fill();
                tokio::time::sleep(FULL).await;
                disk.free();
            }
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill(of) => write!(f, "{of} is killed"),
            Self::WrongClock(of, shift) => write!(f, "the clock of {of} is wrong by {shift:#}"),
            Self::NoFile(of, which) => write!(f, "{of} misses a file ({which})"),
            Self::ReadOnlyStart(of) => write!(f, "{of} starts in a read-only directory"),
            Self::ReadOnly(of) => write!(f, "the directory of {of} is read-only"),
            Self::FullDisk => f.write_str("the disk is full"),
        }
    }
}

async fn run_for(rng: &dyn Rng) {
    let [share] = rng.bytes::<1>();
    tokio::time::sleep(BETWEEN * u32::from(share) / 255).await;
}

/// Moves a file away and starts the compartment. If it refuses, the file is put back. Otherwise the
/// file stays away, and the findings show whether something was lost with it.
async fn without_file(site: &mut Site, compartment: Compartment, which: u8) {
    site.kill(compartment);
    let mut files = Vec::new();
    own_files(&site.dir(compartment), &mut files);
    files.sort_unstable();
    let file = files[usize::from(which) % files.len()].clone();
    let away = file.with_added_extension("away");
    fs::rename(&file, &away).unwrap();
    let started = site.try_start(compartment).await;
    println!("  without {}: {started:?}", file.display());
    let database = file.file_name().is_some_and(|name| name == &*format!("{compartment}.db"));
    assert!(!database || started != Start::Serves, "{compartment} serves without its database");
    if started == Start::Serves {
        fs::remove_file(away).unwrap();
        return;
    }
    site.kill(compartment);
    // The refused start may have made an empty file.
    fs::rename(away, file).unwrap();
    site.serve(compartment, SignedDuration::ZERO).await;
}

/// The files of a compartment that hold what it did. Configuration, certificates and the log for
/// people are left out.
fn own_files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let end = path.extension().and_then(|end| end.to_str()).unwrap_or_default();
        if path.is_dir() {
            if !path.ends_with("tls") {
                own_files(&path, found);
            }
        } else if !["toml", "log", "csv", "pem", "away"].contains(&end) {
            found.push(path);
        }
    }
}
