//! A small file system that can be filled, and directories that can't be written to.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Enough for the estate and its logs. A full disk is reached within a second.
const SIZE: &str = "size=400m";

/// A `tmpfs` under the directory of the estate. It is unmounted with this value.
pub struct SmallDisk {
    at: PathBuf,
}

impl SmallDisk {
    /// Mounts the file system. Needs root.
    pub fn mount(at: &Path) -> Self {
        let mut mount = Command::new("mount");
        let mounted = mount.args(["-t", "tmpfs", "-o", SIZE, "tmpfs"]).arg(at).status().unwrap();
        assert!(mounted.success(), "a tmpfs can't be mounted: run as root, or use --no-mounts");
        Self { at: at.to_owned() }
    }

    /// Leaves no byte free.
    pub fn fill(&self) {
        let zeros = vec![0; 1 << 20];
        let mut file = fs::File::create(self.filler()).unwrap();
        for size in [zeros.len(), 4_096] {
            while std::io::Write::write_all(&mut file, &zeros[..size]).is_ok() {}
        }
    }

    /// Frees what `fill` took.
    pub fn free(&self) {
        fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> PathBuf {
        self.at.join("filler")
    }
}

/// A directory that nobody can write to, for as long as this value lives. What is open stays open.
pub struct ReadOnly {
    dir: PathBuf,
}

impl ReadOnly {
    /// Mounts a directory onto itself, without the right to write. Needs root.
    pub fn make(dir: &Path) -> Self {
        let mount = |args: &[&str]| {
            let mounted = Command::new("mount").args(args).arg(dir).arg(dir).status().unwrap();
            assert!(mounted.success(), "{} can't be mounted read-only", dir.display());
        };
        mount(&["--bind"]);
        mount(&["-o", "remount,bind,ro"]);
        Self { dir: dir.to_owned() }
    }
}

impl Drop for ReadOnly {
    fn drop(&mut self) {
        unmount(&self.dir);
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        unmount(&self.at);
    }
}

/// A lazy unmount succeeds while processes still end.
fn unmount(at: &Path) {
    let _ = Command::new("umount").arg("-l").arg(at).status();
}
