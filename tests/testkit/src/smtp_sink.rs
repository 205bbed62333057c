//! Postfix's `smtp-sink`, which accepts all mail and can append it to a file.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A running sink. It stops with this value.
#[derive(Debug)]
pub struct SmtpSink(Child);

impl SmtpSink {
    /// Starts a sink at `address` that appends every message to the file `dump`, if there is one.
    #[must_use]
    pub fn start(address: SocketAddr, dump: Option<&Path>) -> Self {
        let mut command = Command::new("/usr/sbin/smtp-sink");
        // Started as root, the sink changes its user. Only the test's own user can write to the
        // test's directories.
        match dump {
            Some(file) => command.args(["-u", &user(), "-D"]).arg(file),
            None => command.args(["-u", "nobody"]),
        };
        let command = command.args([&address.to_string(), "1024"]).stderr(Stdio::null());
        let sink = Self(command.spawn().unwrap());
        while TcpStream::connect(address).is_err() {
            std::thread::sleep(Duration::from_millis(20));
        }
        sink
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The name of the user that runs the test.
fn user() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}
