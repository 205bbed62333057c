//! A SoftHSM2 of one test: a hardware module in software.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use tempfile::TempDir;

/// The places where distributions put the library; `SOFTHSM2_MODULE` can name another one.
const MODULES: [&str; 3] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
];

/// A SoftHSM2 with its own directory of tokens, removed with this value.
#[derive(Debug)]
pub struct SoftHsm {
    dir: TempDir,
}

impl SoftHsm {
    /// The user PIN of every token.
    pub const PIN: &str = "482915";

    /// Makes a SoftHSM2 with one token of the name `token`.
    #[must_use]
    pub fn with_token(token: &str) -> Self {
        let hsm = Self { dir: tempfile::tempdir().unwrap() };
        fs::create_dir(hsm.path("tokens")).unwrap();
        hsm.configure("");
        hsm.init_token(token);
        hsm
    }

    /// The library, which a process loads.
    #[must_use]
    pub fn module() -> PathBuf {
        let told = env::var_os("SOFTHSM2_MODULE").map(PathBuf::from);
        told.or_else(|| MODULES.iter().map(PathBuf::from).find(|path| path.exists()))
            .expect("libsofthsm2.so is installed, or SOFTHSM2_MODULE says where it is")
    }

    /// The directory of the configuration and of the tokens.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A file in the directory.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    /// The variable by which a process finds the configuration, with its value.
    #[must_use]
    pub fn environment(&self) -> (&'static str, PathBuf) {
        ("SOFTHSM2_CONF", self.path("softhsm2.conf"))
    }

    /// Writes the configuration of the library, with `more` at its end.
    pub fn configure(&self, more: &str) {
        let tokens = self.path("tokens");
        let text =
            format!("directories.tokendir = {}\nlog.level = ERROR\n{more}\n", tokens.display());
        fs::write(self.environment().1, text).unwrap();
    }

    /// Makes a token.
    pub fn init_token(&self, label: &str) {
        let mut util = Command::new("softhsm2-util");
        util.envs([self.environment()]).args(["--init-token", "--free", "--label", label]);
        util.args(["--so-pin", "73519264", "--pin", Self::PIN]);
        let done = util.output().expect("softhsm2-util is installed");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}
