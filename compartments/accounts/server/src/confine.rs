//! The limits of the process while it serves.

use cofferdam_sandbox::{Sandbox, SandboxError};

use crate::Config;

impl Config {
    /// The sandbox of a server with this configuration.
    pub fn sandbox(&self) -> Result<Sandbox, SandboxError> {
        let sandbox = Sandbox::of_server(self.tls.paths(), self.listen)
            .calling(&self.keys)
            .calling(self.database.url())
            .calling([&self.relay]);
        sandbox.writing(self.database.directory())
    }
}
