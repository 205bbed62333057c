//! A relay's log: no input causes a panic, and every result occurs in the log.
#![no_main]

use cofferdam_mail::RelayLog;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut log = RelayLog::default();
    for line in data.split(|byte| *byte == b'\n') {
        if let Some(queued) = log.read(line) {
            let text = String::from_utf8_lossy(data);
            assert!(text.contains(&format!("message-id=<{}>", queued.message_id)));
            assert!(text.contains(&queued.queue_id) && queued.queue_id.len() <= 20);
        }
    }
});
