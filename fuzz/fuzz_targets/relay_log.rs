//! A relay's log: any lines are read without a panic, and what is told of them stood there.
#![no_main]

use cofferdam_mail::RelayLog;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut log = RelayLog::default();
    for line in data.split(|byte| *byte == b'\n') {
        if let Some(taken) = log.read(line) {
            let text = String::from_utf8_lossy(data);
            assert!(text.contains(&format!("message-id=<{}>", taken.message_id)));
            assert!(text.contains(&taken.queue_id) && taken.queue_id.len() <= 20);
        }
    }
});
