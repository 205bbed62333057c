//! The room on the disks that a compartment writes to.

use std::path::PathBuf;

use nix::sys::statvfs::statvfs;

/// The directories that a compartment writes to, and the least room that each should have.
#[derive(Debug, Clone)]
pub struct DiskWatch {
    dirs: Vec<PathBuf>,
    least_free_mib: u64,
}

/// A disk with less room than it should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LowDisk {
    /// The directory on the disk.
    pub dir: PathBuf,
    /// The room that is left, in MiB.
    pub free_mib: u64,
}

impl DiskWatch {
    /// The room in MiB that a disk should have, unless the configuration says otherwise.
    #[must_use]
    pub const fn least_free_mib() -> u64 {
        1_024
    }

    /// Watches the disks of `dirs`.
    #[must_use]
    pub fn new(dirs: impl IntoIterator<Item = PathBuf>, least_free_mib: u64) -> Self {
        Self { dirs: dirs.into_iter().collect(), least_free_mib }
    }

    /// Measures every disk, notes the figures for Prometheus, and returns the disks with too little
    /// room. A directory that is not there yet is left out.
    #[must_use]
    pub fn low(&self) -> Vec<LowDisk> {
        let free = |dir: &PathBuf| {
            let disk = statvfs(dir).ok()?;
            let free_mib = disk.blocks_available().saturating_mul(disk.fragment_size()) >> 20;
            #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
            metrics::gauge!("cofferdam_disk_free_mib", "dir" => dir.display().to_string())
                .set(free_mib as f64);
            Some(LowDisk { dir: dir.clone(), free_mib })
        };
        self.dirs
            .iter()
            .filter_map(free)
            .filter(|disk| disk.free_mib < self.least_free_mib)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_with_less_room_than_it_should_have_is_low() {
        let dirs = || [std::env::temp_dir(), PathBuf::from("/nowhere/at/all")];
        let low = DiskWatch::new(dirs(), u64::MAX).low();
        assert_eq!(low.len(), 1, "{low:?}");
        assert_eq!(low[0].dir, std::env::temp_dir());
        assert_eq!(DiskWatch::new(dirs(), 0).low(), []);
    }
}
