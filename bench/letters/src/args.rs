//! The arguments of the measurement.

use std::path::PathBuf;

use clap::Parser;

/// Measures letters.
#[derive(Debug, Parser)]
pub struct Args {
    /// The binary under test
    #[arg(long, default_value = "target/release/cofferdam")]
    pub binary: PathBuf,
    /// How many customers are written to
    #[arg(long, default_value_t = 100_000)]
    pub customers: u32,
    /// How many connections the relay gets
    #[arg(long, default_value_t = 16)]
    pub connections: u32,
    /// Letters leave unsigned, as if the relay signed them
    #[arg(long)]
    pub relay_signs: bool,
    /// Every letter bounces in the end, and codes of letters are checked
    #[arg(long)]
    pub comes_back: bool,
    /// One mail provider begins to refuse letters: how soon it gets fewer, and what the others get
    #[arg(long, conflicts_with = "comes_back")]
    pub flood: bool,
    /// Mailman 3 sends one of the letters to this many of the customers, into the same sink, which
    /// then writes everything down
    #[arg(long, default_value_t = 0)]
    pub peer: u32,
    /// An empty PostgreSQL database for `response` [default: SQLite]
    #[arg(long)]
    pub database: Option<String>,
    /// A directory on the disk to measure
    #[arg(long)]
    pub dir: Option<PathBuf>,
}
