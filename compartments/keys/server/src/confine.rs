//! The limits of the process while it serves.

use cofferdam_custody::Reach;
use cofferdam_sandbox::{Sandbox, SandboxError};

use crate::config::Config;
use crate::delivery::SinkConfig;

impl Config {
    /// The sandbox of a server with this configuration.
    pub fn sandbox(&self) -> Result<Sandbox, SandboxError> {
        let dirs = self.database.directory().into_iter();
        let dirs = dirs.chain([self.log.clone()]).chain(self.log_archive.clone());
        let mut sandbox = Sandbox::of_server(self.tls.paths(), self.listen)
            .writing(dirs)?
            .calling(self.database.url());
        let Reach { read, write, connect } = self.custody.reach();
        sandbox = sandbox.reading(read).writing(write)?.connecting(connect);
        for sink in &self.alarms {
            sandbox.connect.extend(sink.port());
            if let SinkConfig::Webhook { secret_file, ca, .. } = sink {
                sandbox = sandbox.reading([secret_file.clone()]).reading(ca.clone());
            }
        }
        Ok(sandbox)
    }
}
