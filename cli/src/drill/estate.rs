//! The estate of a drill: fresh each time, and gone at the end unless it is to be kept.

use std::fs;
use std::path::{Path, PathBuf};

use cofferdam_core::{KeyBytes, Rng, SeededRng};
use tempfile::TempDir;

use super::size::Size;
use crate::CommandError;
use crate::connect::Estate;
use crate::up::{self, Plan};

/// Says that a directory is a drill's, and may be made anew.
const MARK: &str = "drill";

/// An estate made for a drill.
pub struct DrillEstate {
    /// The estate.
    pub estate: Estate,
    /// The drill's own files in it.
    pub own: PathBuf,
    temporary: Option<TempDir>,
}

impl DrillEstate {
    /// Makes a fresh estate in `dir`, or in a temporary directory. What an earlier drill left in
    /// `dir` goes; anything else stays, and is an error.
    pub async fn create(
        dir: Option<&Path>,
        size: &Size,
        seed: u64,
        letters_relay: Option<String>,
    ) -> Result<Self, CommandError> {
        let temporary = match dir {
            Some(_) => None,
            None => Some(tempfile::Builder::new().prefix("cofferdam-drill-").tempdir()?),
        };
        let dir = match (&temporary, dir) {
            (Some(temporary), _) => temporary.path().join("estate"),
            (None, Some(dir)) => dir.to_owned(),
            (None, None) => return Err("there is no directory for the estate".into()),
        };
        if dir.join(MARK).is_dir() && dir.join("estate.toml").exists() {
            fs::remove_dir_all(&dir)?;
        }
        let plan = Plan {
            decoy_one_in: size.decoy_one_in,
            // Which records are decoys follows from the seed; every other secret is random.
            decoy_key: Some(KeyBytes::new((&SeededRng::new(seed) as &dyn Rng).bytes())),
            letters_relay,
            web_release: size.budget(),
        };
        up::create(&dir, &plan).await?;
        let own = dir.join(MARK);
        fs::create_dir(&own)?;
        Ok(Self { estate: Estate::open(&dir)?, own, temporary })
    }

    /// Keeps the directory.
    pub fn keep(&mut self) {
        if let Some(temporary) = &mut self.temporary {
            temporary.disable_cleanup(true);
        }
    }
}
