//! Postfix's `smtp-sink`: takes everything, and writes it down when told to.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The sink; it ends with this value.
#[derive(Debug)]
pub struct SmtpSink(Child);

impl SmtpSink {
    /// Starts it at `address`; what arrives is appended to the file `dump`.
    #[must_use]
    pub fn start(address: SocketAddr, dump: Option<&Path>) -> Self {
        let mut command = Command::new("/usr/sbin/smtp-sink");
        // Nobody but ourselves may write into our directories.
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

/// Who we are: `smtp-sink` wants to be told.
fn user() -> String {
    let said = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(said.stdout).unwrap().trim_end().to_owned()
}
