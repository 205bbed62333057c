//! A log that can't be written.

use std::fs::File;
use std::process::Command;

use cofferdam_wire::{LogFormat, init_logging};

#[test]
fn a_process_whose_log_is_on_a_full_disk_goes_on() {
    // Every write to this device fails for want of space.
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "writes_a_line", "--ignored", "--nocapture"]).stderr(full);
    assert!(child.status().unwrap().success(), "a line that can't be written ended the process");
}

#[test]
#[ignore = "the other test starts it in a process of its own"]
fn writes_a_line() {
    init_logging(LogFormat::Text);
    tracing::error!("a line");
}
