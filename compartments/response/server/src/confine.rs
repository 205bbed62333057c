//! The sandbox of the process once it serves.

use std::path::PathBuf;

use cofferdam_custody::Reach;
use cofferdam_sandbox::{Sandbox, SandboxError, beside};
use keys_client::reach_of_halves;

use crate::mailroom::BOOT_ID;
use crate::{Config, GateConfig};

impl Config {
    /// The sandbox of a server with this configuration.
    pub fn sandbox(&self) -> Result<Sandbox, SandboxError> {
        let letters = &self.letters;
        let dirs = [self.log_copy.clone(), self.notice_dir.clone(), letters.state.clone()];
        let mut sandbox = Sandbox::of_server(self.tls.paths(), self.listen)
            .reading([beside(&self.staff_list), beside(&self.witness_key), PathBuf::from(BOOT_ID)])
            .reading(letters.texts.clone())
            .reading(letters.dkim.iter().map(|key| key.key_file.clone()))
            .reading(letters.relays.iter().filter_map(|relay| relay.authority.clone()))
            .reading(letters.relays.iter().filter_map(|relay| relay.password_file.clone()))
            .calling(self.keys.iter().map(|instance| &instance.url))
            .calling(self.accounts.iter().chain(&self.payments))
            .calling(letters.relays.iter().map(|relay| &relay.address))
            .calling(self.database.url());
        sandbox.bind.push(self.notice_listen.port());
        sandbox.bind.extend(letters.return_listen.map(|address| address.port()));
        if let GateConfig::Checked { resolver, .. } = &letters.gate {
            // An answer that is too long for UDP comes over TCP.
            sandbox.connect.push(resolver.map_or(53, |address| address.port()));
        }
        let Reach { read, write, connect } = reach_of_halves(&self.halves);
        let sandbox = sandbox.reading(read).connecting(connect);
        sandbox.writing(self.database.directory().into_iter().chain(dirs).chain(write))
    }
}
