//! Custodians' shares as typed: a parsed share is written and parsed back unchanged.
#![no_main]

use cofferdam_custody::Share;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(share) = text.parse::<Share>()
    {
        assert!(share.to_text().parse::<Share>().is_ok_and(|parsed| parsed == share));
    }
});
