//! What the process may still reach once it serves.

use cofferdam_wire::{Sandbox, SandboxError, beside};

use crate::Config;

impl Config {
    /// The sandbox of a server with this configuration.
    pub fn sandbox(&self) -> Result<Sandbox, SandboxError> {
        let dirs = [self.log_copy.clone(), self.notice_dir.clone()];
        let mut sandbox = Sandbox::of_server(&self.tls, self.listen)
            .reading([beside(&self.staff_roster), beside(&self.witness_key)])
            .calling(self.keys.iter().map(|instance| &instance.url))
            .calling([&self.accounts, &self.payments, &self.relay])
            .calling(self.database.url());
        sandbox.bind.push(self.notice_listen.port());
        sandbox.writing(self.database.directory().into_iter().chain(dirs))
    }
}
