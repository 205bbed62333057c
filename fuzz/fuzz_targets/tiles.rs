//! Paths of tiles and frames of segments: a parsed path and parsed frames are written back
//! unchanged.
#![no_main]

use cofferdam_tlog::TilePath;
use cofferdam_tlog::frames::{self, NextFrame};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(path) = std::str::from_utf8(data)
        && let Some(tile) = TilePath::parse(path)
    {
        assert_eq!(tile.path(), path);
        for size in [0, 1, 255, 256, 65_536, 24_000_000, u64::MAX] {
            let _ = (tile.is_within(size), tile.entries());
        }
    }
    let mut rest = data;
    let mut copy = Vec::new();
    while let Ok(NextFrame::Entry(entry)) = frames::read(&mut rest) {
        frames::push(&mut copy, &entry);
    }
    assert!(data.starts_with(&copy), "the written frames differ from the parsed ones");
    let _ = frames::any_after(&data[..data.len().min(2_048)]);
});
