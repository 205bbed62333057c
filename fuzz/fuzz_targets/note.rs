//! Signed notes: only a note that the key signed verifies.
#![no_main]

use std::sync::LazyLock;

use cofferdam_core::KeyBytes;
use cofferdam_tlog::notes::{NoteKey, NoteKind, cosigned_at, is_verifier, read_checkpoint};
use cofferdam_tlog::{EMPTY_HASH, Hash};
use libfuzzer_sys::fuzz_target;

static LOG: LazyLock<NoteKey> = LazyLock::new(|| key(NoteKind::Log, "keys.example/log", 1));
static WITNESS: LazyLock<NoteKey> = LazyLock::new(|| key(NoteKind::Witness, "response.example", 2));

fn key(kind: NoteKind, name: &str, seed: u8) -> NoteKey {
    NoteKey::new(kind, name, &KeyBytes::new([seed; 32])).unwrap()
}

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (note, verifier) = text.split_once('\0').unwrap_or((text, ""));
    for kind in [NoteKind::Log, NoteKind::Witness] {
        let _ = is_verifier(verifier, kind);
    }
    let _ = read_checkpoint(note, verifier);
    let _ = cosigned_at(note, verifier);

    // If a signed note with changed bytes still verifies, it must state the tree that was signed.
    let signed = LOG.checkpoint(7, EMPTY_HASH).unwrap();
    let mut changed =
        WITNESS.cosign(&signed, "2012-01-15T04:00:00Z".parse().unwrap()).unwrap().into_bytes();
    for pair in data.as_chunks::<2>().0.iter().take(4) {
        let at = usize::from(pair[0]) * changed.len() / 256;
        changed[at] ^= pair[1];
    }
    if let Ok(note) = std::str::from_utf8(&changed) {
        if let Ok(checkpoint) = read_checkpoint(note, &LOG.verifier()) {
            assert_eq!((checkpoint.size(), *checkpoint.hash()), (7, Hash(EMPTY_HASH.0)));
        }
        if let Ok(at) = cosigned_at(note, &WITNESS.verifier()) {
            assert_eq!(at.to_string(), "2012-01-15T04:00:00Z");
        }
    }
});
