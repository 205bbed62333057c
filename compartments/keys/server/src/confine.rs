//! The limits of the process while it serves.

use cofferdam_sandbox::{Sandbox, SandboxError, beside};

use crate::config::Config;
use crate::custody::Custody;
use crate::delivery::SinkConfig;

impl Config {
    /// The sandbox of a server with this configuration.
    pub fn sandbox(&self) -> Result<Sandbox, SandboxError> {
        let dirs = self.database.directory().into_iter();
        let dirs = dirs.chain([self.log.clone()]).chain(self.log_archive.clone());
        let mut sandbox = Sandbox::of_server(self.tls.paths(), self.listen)
            .writing(dirs)?
            .calling(self.database.url());
        sandbox = match &self.custody {
            Custody::File { root_key } => sandbox.reading([root_key.clone()]),
            Custody::Custodians { socket } => sandbox.writing([beside(socket)])?,
            Custody::Hsm(hsm) => {
                sandbox.connect.extend(&hsm.library_ports);
                sandbox
                    .reading([beside(&hsm.module), hsm.pin_file.clone()])
                    .writing(hsm.library_dirs.clone())?
            }
        };
        for sink in &self.alarms {
            sandbox.connect.extend(sink.port());
            if let SinkConfig::Webhook { secret_file, ca, .. } = sink {
                sandbox = sandbox.reading([secret_file.clone()]).reading(ca.clone());
            }
        }
        Ok(sandbox)
    }
}
