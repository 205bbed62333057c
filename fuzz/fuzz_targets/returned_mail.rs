//! Returned mail: no input causes a panic, and no result has an address.
#![no_main]

use cofferdam_mail::{Returned, read_returned};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let report = read_returned(data);
    let kinds = ["bounce", "delayed", "delivered", "complaint", "auto-reply", "other"];
    assert!(kinds.contains(&report.what.kind()));
    if let Returned::Bounced { status, reason, .. } | Returned::Delayed { status, reason } =
        report.what
    {
        assert!(reason.chars().count() <= 200 && !reason.contains('@'));
        assert!(reason.chars().all(|c| c == '…' || c == ' ' || c.is_ascii_graphic()));
        let parts: Vec<_> = status.split('.').collect();
        assert!(parts.len() == 3 && matches!(parts[0], "4" | "5"));
        assert!(parts.iter().all(|part| part.parse::<u16>().is_ok_and(|n| n < 1000)));
    }
    for known in [report.original_return_path, report.original_message_id].into_iter().flatten() {
        assert!(!known.is_empty() && known.len() <= 500);
        assert!(!known.contains(|c: char| c.is_whitespace() || c.is_control()));
    }
});
