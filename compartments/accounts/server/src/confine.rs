//! The limits of the process while it serves.

use cofferdam_custody::Reach;
use cofferdam_sandbox::{Sandbox, SandboxError};
use keys_client::reach_of_halves;

use crate::Config;

impl Config {
    /// The sandbox of a server with this configuration.
    pub fn sandbox(&self) -> Result<Sandbox, SandboxError> {
        let sandbox = Sandbox::of_server(self.tls.paths(), self.listen)
            .calling(&self.keys)
            .calling(self.database.url())
            .calling([&self.relay]);
        let Reach { read, write, connect } = reach_of_halves(&self.halves);
        let sandbox = sandbox.reading(read).connecting(connect);
        sandbox.writing(self.database.directory().into_iter().chain(write))
    }
}
