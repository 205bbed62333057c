//! What a compartment refuses to start with.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use crate::support::{Place, run, said};

#[tokio::test]
async fn a_bad_configuration_names_file_and_key() {
    let place = Place::new();
    place.make();
    for compartment in ["keys", "accounts", "payments", "response"] {
        let file = place.dir.join(compartment).join(format!("{compartment}.toml"));
        let path = file.to_str().unwrap();
        let good = fs::read_to_string(&file).unwrap();
        for (bad, word) in [
            (format!("colour = \"blue\"\n{good}"), "colour"),
            (good.replacen("listen = \"127.0.0.1", "listen = \"nowhere", 1), "listen"),
        ] {
            fs::write(&file, bad).unwrap();
            let output = run([compartment, "serve", "--config", path]);
            let said = said(&output);
            assert!(!output.status.success(), "{compartment} started with a bad {word}");
            assert!(said.contains(path) && said.contains(word), "{said}");
        }
    }
}

#[tokio::test]
async fn a_secret_that_others_can_read_is_refused() {
    let place = Place::new();
    place.make();
    for (compartment, secret) in
        [("keys", "root-key/root.key"), ("accounts", "accounts/tls/key.pem")]
    {
        let file = place.dir.join(secret);
        fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        let config = place.dir.join(compartment).join(format!("{compartment}.toml"));
        let output = run([compartment, "serve", "--config", config.to_str().unwrap()]);
        let said = said(&output);
        assert!(!output.status.success(), "{compartment} started with an open secret");
        assert!(said.contains(secret) && said.contains("chmod 600"), "{said}");
    }
}
