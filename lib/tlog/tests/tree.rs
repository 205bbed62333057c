//! The hashes of the tree on a disk, and files that are replaced as a whole.

use std::fs;

use cofferdam_tlog::{HashFile, check_record, check_tree, record_hash, replace_file};

fn entries(count: u64) -> Vec<Vec<u8>> {
    (0..count).map(|n| format!("entry {n}").into_bytes()).collect()
}

#[test]
fn proofs_hold_however_the_entries_came_in() {
    let dir = tempfile::tempdir().unwrap();
    let hashes = HashFile::open(dir.path().join("hashes")).unwrap();
    let all = entries(50);
    let mut size = 0;
    for step in [1, 2, 7, 30, 10] {
        let some = &all[size..size + step];
        hashes.append(size as u64, some.iter().map(Vec::as_slice)).unwrap();
        size += step;
    }
    let at_once = HashFile::open(dir.path().join("at_once")).unwrap();
    at_once.append(0, all.iter().map(Vec::as_slice)).unwrap();
    let root = hashes.root(50).unwrap();
    assert_eq!(root, at_once.root(50).unwrap());
    for since in 1..=50 {
        let before = hashes.root(since).unwrap();
        let proof = hashes.consistency(since, 50).unwrap();
        assert!(check_tree(&proof, 50, root, since, before).is_ok(), "{since}");
    }
    for (index, entry) in (0..).zip(&all) {
        let leaf = hashes.leaf(index).unwrap();
        assert_eq!(leaf, record_hash(entry));
        let proof = hashes.inclusion(index, 50).unwrap();
        assert!(check_record(&proof, 50, root, index, leaf).is_ok(), "{index}");
    }
}

#[test]
fn a_file_reaches_as_far_as_it_was_written_and_not_cut() {
    let dir = tempfile::tempdir().unwrap();
    let hashes = HashFile::open(dir.path().join("hashes")).unwrap();
    let all = entries(20);
    assert!(hashes.reaches(0) && !hashes.reaches(1));
    hashes.append(0, all.iter().map(Vec::as_slice)).unwrap();
    let root = hashes.root(20).unwrap();
    assert!(hashes.reaches(19) && hashes.reaches(20) && !hashes.reaches(21));
    hashes.truncate(11).unwrap();
    assert!(hashes.reaches(11) && !hashes.reaches(12));
    assert!(hashes.leaf(11).is_err());
    hashes.append(11, all[11..].iter().map(Vec::as_slice)).unwrap();
    assert_eq!(hashes.root(20).unwrap(), root);
    let again = HashFile::open(dir.path().join("hashes")).unwrap();
    assert_eq!(again.root(20).unwrap(), root);
}

#[test]
fn a_file_is_replaced_as_a_whole() {
    let dir = tempfile::tempdir().unwrap();
    for content in ["a long first content", "second"] {
        replace_file(dir.path(), "note", content.as_bytes()).unwrap();
        assert_eq!(fs::read_to_string(dir.path().join("note")).unwrap(), content);
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}
