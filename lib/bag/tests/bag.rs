//! Bags as an auditor gets them: verification names every change.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed step is a failed test")]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use cofferdam_bag::{BagError, BagWriter, Fault, Verified, verify};
use cofferdam_core::{Rng, SeededRng};
use signed_note::{Note, StandardSigner};
use tempfile::TempDir;

/// A key pair from the documentation of Go's note package.
const SIGNER: &str =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const VERIFIER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

fn sign(text: &str) -> Result<String, String> {
    let mut note = Note::new(text.as_bytes(), &[]).map_err(|e| e.to_string())?;
    let signer = StandardSigner::new(SIGNER).map_err(|e| e.to_string())?;
    note.add_sigs(&[&signer]).map_err(|e| e.to_string())?;
    String::from_utf8(note.to_bytes()).map_err(|e| e.to_string())
}

fn sealed_bag(files: &[(&str, Vec<u8>)]) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("bag");
    let mut bag = BagWriter::create(&place).unwrap();
    for (name, content) in files {
        let mut file = bag.file(name).unwrap();
        for chunk in content.chunks(1_000) {
            file.write_all(chunk).unwrap();
        }
        file.end().unwrap();
    }
    let info = [("Source-Organization", "Example Shop".to_owned())];
    let bag = bag.close("incident 7", &info).unwrap();
    let note = sign(bag.statement()).unwrap();
    assert_eq!(bag.seal(&note).unwrap(), place);
    (dir, place)
}

fn small_bag() -> (TempDir, PathBuf) {
    let file = |name, text: &str| (name, text.as_bytes().to_vec());
    sealed_bag(&[
        file("journal.jsonl", "{\"number\":1}\n"),
        file("exposure/read.csv", "record,fields\n7,name\n"),
        file("exposure/empty.csv", ""),
        file("log/a 100%/checkpoint", "keys.example/log\n7\nabc=\n"),
        file("log/entries.jsonl", "{\"index\":0}\n{\"index\":1}\n"),
        file("notice.html", "<p>We are sorry.</p>\n"),
    ])
}

fn check(dir: &Path) -> Result<Verified, Vec<Fault>> {
    verify(dir, &[VERIFIER.to_owned()], &mut |_, _| {}).unwrap()
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// Asserts that verification blames the file at `path`. `change` says what the test did to it.
fn assert_named(dir: &Path, path: &Path, change: &str) {
    let name = path.strip_prefix(dir).unwrap().to_str().unwrap();
    let Err(faults) = check(dir) else { panic!("{change} of {name} is not seen") };
    assert!(faults.iter().any(|fault| fault.path() == name), "{change} of {name}: {faults:?}");
}

#[test]
fn cofferdam_and_sha256sum_verify_a_bag() {
    let (_dir, bag) = small_bag();
    let verified = check(&bag).unwrap();
    assert_eq!((verified.name.as_str(), verified.signer.as_str()), ("incident 7", "PeterNeumann"));
    assert_eq!(verified.files, 6);
    for manifest in ["manifest-sha256.txt", "tagmanifest-sha256.txt"] {
        // A manifest encodes percent signs, but coreutils takes paths literally.
        let text = fs::read_to_string(bag.join(manifest)).unwrap().replace("%25", "%");
        let plain = bag.with_extension("sums");
        fs::write(&plain, text).unwrap();
        let mut sums = Command::new("sha256sum");
        sums.args(["--check", "--strict", "--quiet"]).arg(plain).current_dir(&bag);
        assert!(sums.status().unwrap().success(), "{manifest}");
    }
}

#[test]
fn a_change_to_any_byte_of_any_file_is_named() {
    let (_dir, bag) = small_bag();
    for path in files(&bag) {
        let good = fs::read(&path).unwrap();
        for at in 0..good.len() {
            for bits in [1, 0x20, 0x80] {
                let mut bad = good.clone();
                bad[at] ^= bits;
                fs::write(&path, &bad).unwrap();
                assert_named(&bag, &path, &format!("byte {at} ^ {bits:#x}"));
            }
        }
        for bad in [[good.as_slice(), b"\n"].concat(), [good.as_slice(), b"x"].concat()] {
            fs::write(&path, &bad).unwrap();
            assert_named(&bag, &path, "a byte more");
        }
        if let Some((_, shorter)) = good.split_last() {
            fs::write(&path, shorter).unwrap();
            assert_named(&bag, &path, "a byte less");
        }
        fs::write(&path, &good).unwrap();
    }
    assert!(check(&bag).is_ok());
}

#[test]
fn a_removed_renamed_swapped_added_or_linked_file_is_named() {
    let (dir, bag) = small_bag();
    let aside = dir.path().join("aside");
    for path in files(&bag) {
        fs::rename(&path, &aside).unwrap();
        assert_named(&bag, &path, "removal");
        symlink(&aside, &path).unwrap();
        assert_named(&bag, &path, "a link in its place");
        fs::remove_file(&path).unwrap();
        let renamed = path.with_file_name("renamed");
        fs::rename(&aside, &renamed).unwrap();
        assert_named(&bag, &path, "another name");
        if !path.ends_with("manifest-sha256.txt") {
            assert_named(&bag, &renamed, "another name");
        }
        fs::rename(&renamed, &path).unwrap();
    }
    let (journal, notice) = (bag.join("data/journal.jsonl"), bag.join("data/notice.html"));
    let swap = || {
        fs::rename(&journal, &aside).unwrap();
        fs::rename(&notice, &journal).unwrap();
        fs::rename(&aside, &notice).unwrap();
    };
    swap();
    assert_named(&bag, &journal, "a swap");
    assert_named(&bag, &notice, "a swap");
    swap();

    for added in ["data/more.txt", "more.txt", "data/log/more"] {
        fs::write(bag.join(added), "x").unwrap();
        assert_named(&bag, &bag.join(added), "an addition");
        fs::remove_file(bag.join(added)).unwrap();
    }
    fs::create_dir(bag.join("data/empty")).unwrap();
    assert_named(&bag, &bag.join("data/empty"), "an empty directory");
    fs::remove_dir(bag.join("data/empty")).unwrap();
    assert!(check(&bag).is_ok());
}

#[test]
fn a_flipped_bit_in_a_big_bag_is_named() {
    let rng = SeededRng::new(7);
    let below =
        |n: usize| usize::try_from(u64::from_be_bytes((&rng as &dyn Rng).bytes())).unwrap() % n;
    let noise: Vec<u8> = (0..2 << 20).flat_map(|_| (&rng as &dyn Rng).bytes::<4>()).collect();
    let names: Vec<String> = (0..4).map(|n| format!("part/{n}")).collect();
    let parts: Vec<_> = names.iter().map(|name| (name.as_str(), noise.clone())).collect();
    let (_dir, bag) = sealed_bag(&parts);
    assert!(check(&bag).is_ok());
    let all = files(&bag);
    for _ in 0..25 {
        let path = &all[below(all.len())];
        let mut bytes = fs::read(path).unwrap();
        let at = below(bytes.len());
        let bit = 1 << below(8);
        bytes[at] ^= bit;
        fs::write(path, &bytes).unwrap();
        assert_named(&bag, path, &format!("byte {at}"));
        bytes[at] ^= bit;
        fs::write(path, &bytes).unwrap();
    }
}

#[test]
fn a_bag_that_no_trusted_key_signed_is_refused() {
    let (_dir, bag) = small_bag();
    let other = "other+00000000+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".to_owned();
    assert!(matches!(verify(&bag, &[other], &mut |_, _| {}), Err(BagError::Key(_))));
    let faults = verify(&bag, &[], &mut |_, _| {}).unwrap().unwrap_err();
    assert!(matches!(faults.as_slice(), [Fault::Signature(_)]), "{faults:?}");
}

#[test]
fn an_unfinished_bag_is_removed_and_a_finished_one_is_not_overwritten() {
    let (dir, bag) = small_bag();
    assert!(matches!(BagWriter::create(&bag), Err(BagError::Exists(_))));
    let place = dir.path().join("other");
    let mut writer = BagWriter::create(&place).unwrap();
    writer.add("x", b"x").unwrap();
    assert!(matches!(writer.add("x", b"x"), Err(BagError::Name(_))));
    assert!(matches!(writer.add("../x", b"x"), Err(BagError::Name(_))));
    drop(writer);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}
