//! `cofferdam log export`

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use cofferdam_tlog::notes::read_checkpoint;
use cofferdam_tlog::{HashFile, Segments, TilePath, bundle};
use schemars::JsonSchema;
use serde::Serialize;

use crate::options::{CommandError, OutputArgs, check_new};
use crate::output::Progress;
use crate::words;

/// `cofferdam log export`
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The directory of the log, or of a copy
    dir: PathBuf,
    /// The directory for the tiles; it must not exist
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The log's verifier key
    #[arg(long, value_name = "VKEY")]
    key: String,
    /// The directory to which old segments were moved
    #[arg(long, value_name = "DIR")]
    archive: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

/// The result of writing a log as tiles.
#[derive(Serialize, JsonSchema)]
pub struct ExportedLog {
    /// The number of entries that the tiles hold.
    entries: u64,
    /// The number of tiles that were written.
    tiles: u64,
}

/// Writes a checkpoint and the tiles of its tree. A cosigned checkpoint is preferred to a merely
/// signed one.
pub fn run(args: &ExportArgs) -> Result<ExitCode, CommandError> {
    check_new(&args.out)?;
    let note = fs::read_to_string(args.dir.join("cosigned"))
        .or_else(|_| fs::read_to_string(args.dir.join("checkpoint")))
        .map_err(|e| format!("{} has no checkpoint: {e}", args.dir.display()))?;
    let entries = read_checkpoint(&note, &args.key)?.size();
    let segments = Segments::open(&args.dir, args.archive.as_deref())?;
    let hashes = HashFile::open(args.dir.join("hashes"))?;
    let mut bar = Progress::new("tiles written");
    let mut tiles = 0;
    for tile in TilePath::all(entries) {
        let bytes = match tile.entries() {
            Some((from, count)) => bundle(&segments.read(from, entries, count)?),
            None => tile.hashes(&hashes)?,
        };
        write(&args.out.join("tile").join(tile.path()), &bytes)?;
        tiles += 1;
        bar.set(tiles, 0);
    }
    drop(bar);
    write(&args.out.join("checkpoint"), note.as_bytes())?;
    args.output.print(&ExportedLog { entries, tiles }, |done| {
        let [entries, tiles] = [done.entries, done.tiles].map(words::number);
        vec![format!("{entries} entries in {tiles} tiles in {}", args.out.display())]
    })?;
    Ok(ExitCode::SUCCESS)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), CommandError> {
    let failed = |e: std::io::Error| format!("{}: {e}", path.display());
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).map_err(failed)?;
    }
    Ok(fs::write(path, bytes).map_err(failed)?)
}
