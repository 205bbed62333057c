//! Configurations and secrets that make a compartment refuse to start.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use estate::Compartment;

use crate::support::{Place, assert_refused, run};

#[tokio::test]
async fn a_bad_configuration_names_file_and_key() {
    let place = Place::with_estate().await;
    for compartment in Compartment::ALL.map(Compartment::as_str) {
        let file = place.dir.join(compartment).join(format!("{compartment}.toml"));
        let path = file.to_str().unwrap();
        let good = fs::read_to_string(&file).unwrap();
        for (bad, word) in [
            (format!("colour = \"blue\"\n{good}"), "colour"),
            (good.replacen("listen = \"127.0.0.1", "listen = \"nowhere", 1), "listen"),
        ] {
            fs::write(&file, bad).unwrap();
            let output = run([compartment, "serve", "--config", path]);
            assert_refused(&output, path);
            assert_refused(&output, word);
        }
    }
}

#[tokio::test]
async fn a_secret_that_others_can_read_is_refused() {
    let place = Place::with_estate().await;
    for (compartment, secret) in
        [("keys", "root-key/root.key"), ("accounts", "accounts/tls/key.pem")]
    {
        let file = place.dir.join(secret);
        fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        let config = place.dir.join(compartment).join(format!("{compartment}.toml"));
        let output = run([compartment, "serve", "--config", config.to_str().unwrap()]);
        assert_refused(&output, secret);
        assert_refused(&output, "chmod 600");
    }
}
