//! The faults, and how each is injected and taken back.

use std::fs;
use std::time::Duration;

use cofferdam_core::Rng;
use estate::Compartment;
use jiff::SignedDuration;

use crate::disk::SmallDisk;
use crate::site::Site;

/// The longest time in which the traffic runs between two faults.
const BETWEEN: Duration = Duration::from_millis(300);
/// The time for which the disk stays full.
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
    /// The database is gone at a start. The compartment must refuse to start.
    NoDatabase(Compartment),
    /// The disk is full for a while. Nothing is restarted.
    FullDisk,
}

impl Fault {
    /// Draws a fault; three in four are plain kills.
    pub fn draw(rng: &dyn Rng, full_disk: bool) -> Self {
        let [kind, which, a, b, c] = rng.bytes::<5>();
        let compartment = Compartment::ALL[usize::from(which) % Compartment::ALL.len()];
        let seconds = i64::from(u32::from_le_bytes([a, b, c, 0])) % (2 * DAY + 1) - DAY;
        match kind {
            0..24 if full_disk => Self::FullDisk,
            24..44 => Self::WrongClock(compartment, SignedDuration::from_secs(seconds)),
            44..64 => Self::NoDatabase(compartment),
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
            Self::NoDatabase(compartment) => without_database(site, compartment).await,
            Self::FullDisk => {
                let Some(disk) = disk else { return };
                disk.fill();
                tokio::time::sleep(FULL).await;
                disk.free();
            }
        }
    }
}

async fn run_for(rng: &dyn Rng) {
    let [share] = rng.bytes::<1>();
    tokio::time::sleep(BETWEEN * u32::from(share) / 255).await;
}

/// Moves the database away, checks that the compartment refuses to start, and puts it back.
async fn without_database(site: &mut Site, compartment: Compartment) {
    site.kill(compartment);
    let dir = site.dir(compartment);
    let name = format!("{compartment}.db");
    let files = ["", "-wal", "-shm"].map(|end| format!("{name}{end}"));
    let away = |file: &String| dir.join(format!("{file}.away"));
    for file in files.iter().filter(|file| dir.join(file).exists()) {
        fs::rename(dir.join(file), away(file)).unwrap();
    }
    let refused = site.refuses(compartment).await;
    assert!(refused, "{compartment} started without its database");
    for file in &files {
        // The refused start may have made an empty file.
        let _ = fs::remove_file(dir.join(file));
        if away(file).exists() {
            fs::rename(away(file), dir.join(file)).unwrap();
        }
    }
    site.serve(compartment, SignedDuration::ZERO).await;
}
