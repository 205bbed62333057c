//! The bytes of notes, cosignatures, tiles and bundles, as C2SP specifies them. The expected values
//! were computed apart from this code: by Go's `note` package, and by Python from the
//! specifications.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use aws_lc_rs::digest::{SHA256, digest};
use cofferdam_core::{KeyBytes, Timestamp};
use cofferdam_tlog::notes::{NoteKey, NoteKind, cosigned_at, read_checkpoint};
use cofferdam_tlog::{HashFile, TilePath, bundle};

const ORIGIN: &str = "example.com/behind-the-sofa";
/// The seeds of the first two test vectors of RFC 8032, section 7.1.
const LOG_SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
const WITNESS_SEED: &str = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
/// The checkpoint in the example of c2sp.org/tlog-cosignature, signed and cosigned with these keys
/// at the time of the example.
const COSIGNED: &str = "example.com/behind-the-sofa\n20852163\n\
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
    — example.com/behind-the-sofa +PpSVFNUsAicB1wXCuc36HrmzCfBx1ATQpTulWd9U006OEpyCvIVj2pM8CIzKlzXWcwxI\
    O/VAQzkCO8DZUY5tlFX6QQ=\n\
    — witness.example.com/w1 6EmBcgAAAABkGFDLU5VmHzFyg1moo3QxI1Ge6wHfwylQEoWhcwJH/SvRJW3LjvpU4PIuE1VI\
    /0HWdoZ4oGL67Rl5yx89mAducLUyBQ==\n";
const COSIGNED_AT: i64 = 1_679_315_147;

fn key(kind: NoteKind, name: &str, seed: &str) -> NoteKey {
    let seed: [u8; 32] = hex::decode(seed).unwrap().try_into().unwrap();
    NoteKey::new(kind, name, &KeyBytes::new(seed)).unwrap()
}

/// The example in the documentation of Go's `golang.org/x/mod/sumdb/note`.
#[test]
fn a_note_is_signed_as_go_signs_it() {
    let seed = "810a1402d5146c8d84f2443330f54080ebf98ee17d9c74f6252fc5d5c7283173";
    let key = key(NoteKind::Log, "PeterNeumann", seed);
    assert_eq!(
        key.verifier(),
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    );
    let text = "If you think cryptography is the answer to your problem,\n\
                then you don't know what your problem is.\n";
    let signature = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXg\
                     KvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    assert_eq!(key.sign_text(text).unwrap(), format!("{text}\n{signature}"));
}

#[test]
fn a_checkpoint_is_signed_and_cosigned_as_specified() {
    let log = key(NoteKind::Log, ORIGIN, LOG_SEED);
    let witness = key(NoteKind::Witness, "witness.example.com/w1", WITNESS_SEED);
    assert_eq!(
        log.verifier(),
        "example.com/behind-the-sofa+f8fa5254+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"
    );
    assert_eq!(
        witness.verifier(),
        "witness.example.com/w1+e8498172+BD1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM"
    );
    let at = Timestamp::from_second(COSIGNED_AT).unwrap();
    let checkpoint = read_checkpoint(COSIGNED, &log.verifier()).unwrap();
    assert_eq!((checkpoint.origin(), checkpoint.size()), (ORIGIN, 20_852_163));
    assert_eq!(cosigned_at(COSIGNED, &witness.verifier()), Ok(at));
    let signed = log.checkpoint(checkpoint.size(), *checkpoint.hash()).unwrap();
    assert_eq!(witness.cosign(&signed, at).unwrap(), COSIGNED);
}

/// The signature covers the time: a cosignature can't be given another one.
#[test]
fn a_cosignature_of_another_time_is_refused() {
    let witness = key(NoteKind::Witness, "witness.example.com/w1", WITNESS_SEED).verifier();
    assert!(
        cosigned_at(&COSIGNED.replace("6EmBcgAAAABkGFDL", "6EmBcgAAAABkGFDK"), &witness).is_err()
    );
    assert!(cosigned_at(&COSIGNED.replace("20852163", "20852164"), &witness).is_err());
}

/// A log with the entries `entry 0` to `entry 599`.
fn entries() -> Vec<Vec<u8>> {
    (0..600).map(|number| format!("entry {number}").into_bytes()).collect()
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest(&SHA256, bytes))
}

#[test]
fn tiles_have_the_hashes_of_rfc_6962() {
    let dir = tempfile::tempdir().unwrap();
    let hashes = HashFile::open(dir.path().join("hashes")).unwrap();
    hashes.append(0, entries().iter().map(Vec::as_slice)).unwrap();
    let root = hashes.root(600).unwrap();
    assert_eq!(
        hex::encode(root.0),
        "e8a804af596789ed4f53942e294cfe44d5bed4c7140c7f0f5fa52c0c122232d6"
    );
    let tile = |path: &str| TilePath::parse(path).unwrap().hashes(&hashes).unwrap();
    assert_eq!(
        hex::encode(tile("0/000.p/2")),
        "773885a613489e24ce2cf76199d6a423f042e4bbf12d7eecee912ef276c65701\
         2dfb36c6f66cac361429cf46df868ab8242d3a6441f1099c8fb3f98ec5d108a4"
    );
    assert_eq!(
        hex::encode(tile("1/000.p/2")),
        "da6596d95369f5fef322ab8e4e0da3b0b50236aa9c8a3b1d246f7411c9e2e32e\
         af8345866548b5a3cd58f5654383ef704cf0ea8198271d2fa172765fea5cd6e3"
    );
    for (path, length, expected) in [
        ("0/000", 256, "b0f6ca2ff42508faf8c6bb4ea8bb9c74243b19d4174fdc4fd17bdad9099e605e"),
        ("0/002.p/88", 88, "ed05608d4fe01f6be650d6782fd5c38413664ab3c7e58b2ce06d07811ef7abbe"),
    ] {
        let bytes = tile(path);
        assert_eq!((bytes.len(), sha256(&bytes).as_str()), (length * 32, expected), "{path}");
    }
}

#[test]
fn a_bundle_has_each_entry_behind_its_length() {
    let long = vec![b'x'; 300];
    let bytes = bundle(&[b"abc".to_vec(), Vec::new(), long.clone()]);
    assert_eq!(bytes, [b"\0\x03abc\0\0\x01\x2c".as_slice(), &long].concat());
    let (from, count) = TilePath::parse("entries/000").unwrap().entries().unwrap();
    assert_eq!((from, count), (0, 256));
    let bytes = bundle(&entries()[..256]);
    let expected = "c378282cb2167eb29f7e0c483ef2ce284728c12286469737cf8c3dc71e412ff1";
    assert_eq!((bytes.len(), sha256(&bytes).as_str()), (2_706, expected));
    let last = TilePath::parse("entries/002.p/88").unwrap();
    assert_eq!(last.entries(), Some((512, 88)));
}
