//! A second instance of a compartment of an estate.

use std::fs;
use std::path::Path;
use std::process::Command;

use cofferdam_core::Compartment;

use crate::free_address;

/// Gives a second instance of a compartment a directory in `estate`, addresses and, if it is one of
/// `keys`, a log of its own. Returns the directory's name and the URL.
#[must_use]
pub fn second_instance(estate: &Path, compartment: Compartment) -> (String, String) {
    let dir = format!("{compartment}-2");
    let (first, second) = (estate.join(compartment.as_str()), estate.join(&dir));
    let copied = Command::new("cp").arg("-a").args([&first, &second]).status();
    assert!(copied.unwrap().success());
    let file = second.join(format!("{compartment}.toml"));
    let text = fs::read_to_string(&file).unwrap();
    let text = text.replace(&format!("/{compartment}/"), &format!("/{dir}/"));
    let mut config: toml::Table = text.parse().unwrap();
    let listen = free_address();
    config["listen"] = listen.to_string().into();
    if let Some(notice) = config.get_mut("notice_listen") {
        *notice = free_address().to_string().into();
    }
    if let Some(origin) = config.get_mut("log_origin") {
        *origin = "keys-2.cofferdam.example/log".into();
    }
    fs::write(&file, config.to_string()).unwrap();
    (dir, format!("https://localhost:{}", listen.port()))
}

/// Makes the halves of a stopped compartment, which has a new database, with the binary under test.
pub fn make_halves(binary: &Path, compartment: Compartment, config: &Path) {
    let mut init = Command::new(binary);
    let made = init.args([compartment.as_str(), "init", "--config"]).arg(config).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}
