use cofferdam_core::{Clock as _, SeededRng, SystemClock};
use cofferdam_wire::{Identity, TlsFiles, key_of_chain};

use super::*;
use crate::Addresses;

fn estate(dir: &Path) -> Estate {
    make_certificates(dir, SystemClock.now()).unwrap();
    let addresses = Addresses::pick(&SeededRng::new(1)).unwrap();
    Estate { dir: dir.to_owned(), addresses }
}

#[test]
fn each_certificate_has_the_names_of_its_purpose_alone() {
    let dir = tempfile::tempdir().unwrap();
    let estate = estate(dir.path());
    let names = |at: &str| dns_names(&estate.dir.join(at).join("cert.pem")).unwrap();
    assert_eq!(names("callers/web-ky-1"), ["web-ky-1"]);
    assert_eq!(names("keys/tls"), ["keys", "keys.cofferdam.internal", "localhost"]);
    let response = ["response-1", "response.cofferdam.internal", "localhost"];
    assert_eq!(names("response/tls"), response);
    assert_eq!(renew_outdated(&estate, SystemClock.now()).unwrap(), [""; 0]);
}

#[test]
fn certificates_of_an_earlier_version_are_issued_again_by_the_same_authority() {
    let dir = tempfile::tempdir().unwrap();
    let estate = estate(dir.path());
    let keys = estate.dir.join("keys/tls");
    let web = estate.dir.join("callers/web-ky-1");
    // Both had the shape of the other's today: a caller was a server too, a compartment nameless.
    let authority = Authority::open(&estate.dir.join("ca"), SystemClock.now()).unwrap();
    authority.certify_caller(&caller("keys"), &keys).unwrap();
    authority.certify_compartment(Compartment::Accounts, &web).unwrap();
    let old = fs::read(web.join("key.pem")).unwrap();

    let files = |dir: &Path| TlsFiles {
        ca: estate.dir.join("ca/ca.pem"),
        cert: dir.join("cert.pem"),
        key: dir.join("key.pem"),
    };
    let refused = Identity::load_compartment(Compartment::Keys, &files(&keys)).unwrap_err();
    assert!(refused.to_string().contains("keys.cofferdam.internal"), "{refused}");
    assert_eq!(renew_outdated(&estate, SystemClock.now()).unwrap(), ["keys", "web-ky-1"]);
    assert!(Identity::load_compartment(Compartment::Keys, &files(&keys)).is_ok());
    assert_eq!(estate.identity(&caller("web-ky-1")).unwrap().name().as_str(), "web-ky-1");
    assert_ne!(fs::read(web.join("key.pem")).unwrap(), old, "the key is new too");
    assert_eq!(renew_outdated(&estate, SystemClock.now()).unwrap(), [""; 0]);
}

#[test]
fn a_renewed_caller_has_another_key() {
    let dir = tempfile::tempdir().unwrap();
    let estate = estate(dir.path());
    let web = caller("web-ky-1");
    let cert = estate.dir.join("callers/web-ky-1/cert.pem");
    let key = |cert: &Path| key_of_chain(&certificate_chain(cert).unwrap()).unwrap();
    let before = key(&cert);
    let old = renew_caller(&estate, &web, SystemClock.now()).unwrap();
    assert_eq!(key_of_chain(&old).unwrap(), before);
    assert_eq!(key(&cert.with_file_name(OLD_CERTIFICATE)), before);
    assert_ne!(key(&cert), before);
    assert!(estate.identity(&web).is_ok());
    assert!(renew_caller(&estate, &caller("web-ky-9"), SystemClock.now()).is_err());
}
