//! The arguments of the measurement.

use std::path::PathBuf;

use clap::Parser;

/// Measures letters a second through the whole estate.
#[derive(Debug, Parser)]
pub struct Args {
    /// The binary under test
    #[arg(long, default_value = "target/release/cofferdam")]
    pub binary: PathBuf,
    /// The number of customers who get a letter
    #[arg(long, default_value_t = 100_000)]
    pub customers: u32,
    /// The number of connections to the relay
    #[arg(long, default_value_t = 16)]
    pub connections: u32,
    /// Send letters unsigned, as if the relay signed them
    #[arg(long)]
    pub relay_signs: bool,
    /// Let every letter bounce in the end, and check codes of letters
    #[arg(long)]
    pub comes_back: bool,
    /// Let one mail provider begin to refuse letters, and measure its pace and that of the others
    #[arg(long, conflicts_with = "comes_back")]
    pub flood: bool,
    /// Let Mailman 3 send one of the letters to this many of the customers, into the same sink,
    /// which then writes everything down
    #[arg(long, default_value_t = 0)]
    pub peer: u32,
    /// An empty PostgreSQL database for `response` [default: SQLite]
    #[arg(long)]
    pub database: Option<String>,
    /// A directory on the disk to measure [default: a temporary directory]
    #[arg(long)]
    pub dir: Option<PathBuf>,
}
