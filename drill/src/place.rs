//! The estate of a drill: fresh each time, and removed at the end unless it is kept.

use std::fs;
use std::path::{Path, PathBuf};

use cofferdam_core::{KeyBytes, Rng, SeededRng, SystemClock, SystemRng};
use estate::{Estate, Plan};
use tempfile::TempDir;

use crate::error::DrillError;
use crate::options::Options;
use crate::size::Size;

/// The directory of a drill's own files. An estate that has it was made by a drill and may be
/// removed.
const MARK: &str = "drill";

/// An estate made for a drill.
pub struct DrillEstate {
    /// The estate of the drill.
    pub estate: Estate,
    /// The directory in it with the drill's own files.
    pub own: PathBuf,
    _temporary: Option<TempDir>,
}

impl DrillEstate {
    /// Makes a fresh estate in the directory of the options, or in a temporary one. An estate of an
    /// earlier drill is removed first. Other contents of the directory stay, and are an error.
    pub async fn create(options: &Options, size: &Size) -> Result<Self, DrillError> {
        let (temporary, dir) = directory(options)?;
        if dir.join(MARK).is_dir() && Estate::exists(&dir) {
            fs::remove_dir_all(&dir)?;
        }
        let seeded = SeededRng::new(options.seed);
        let plan = Plan {
            decoy_one_in: size.decoy_one_in,
            // The seed decides the decoys. Every other secret is random.
            decoy_key: Some(KeyBytes::new((&seeded as &dyn Rng).bytes())),
            letters_relay: options.relay.clone(),
            web_release: size.budget(),
            presence: options.presence,
        };
        estate::create(&dir, &plan, &SystemClock, &SystemRng).await?;
        let own = dir.join(MARK);
        fs::create_dir(&own)?;
        Ok(Self { estate: Estate::open(&dir)?, own, _temporary: temporary })
    }
}

fn directory(options: &Options) -> Result<(Option<TempDir>, PathBuf), DrillError> {
    if let Some(dir) = &options.dir {
        return Ok((None, dir.clone()));
    }
    let mut temporary = tempfile::Builder::new().prefix("cofferdam-drill-").tempdir()?;
    temporary.disable_cleanup(options.keep);
    let dir: &Path = temporary.path();
    let estate = dir.join("estate");
    Ok((Some(temporary), estate))
}
