//! The body of every call, as JSON and as postcard, and the entries of the log: a parsed value is
//! written and parsed back unchanged.
#![no_main]

use keys_api::{
    ApproveVoidOrder, ChangeEpoch, ChangePolicy, ClaimDecoys, CloseWarrant, CosignCheckpoint, Entry, EraseRecords,
    FreezeCaller, AskPasskey, CheckPasskey, CheckPassword, EnrolPasskey, EnrolPasswords, IndexAddresses, ListCallers, LowerBudget, OpenWarrant, ProveEntry,
    ReadAlarms, ReadCheckpoint, ReadEntries, ReadEpochs, ReadPolicy, ReleaseKeys, ReportMail,
};
use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use serde::de::DeserializeOwned;

fn round_trip<T: Serialize + DeserializeOwned>(json: bool, bytes: &[u8]) {
    let write = |value: &T| match json {
        true => serde_json::to_vec(value).unwrap(),
        false => postcard::to_stdvec(value).unwrap(),
    };
    let read = |bytes: &[u8]| -> Option<T> {
        match json {
            true => serde_json::from_slice(bytes).ok(),
            false => postcard::from_bytes(bytes).ok(),
        }
    };
    if let Some(value) = read(bytes) {
        let once = write(&value);
        let again = read(&once).expect("what was written can be read");
        assert_eq!(once, write(&again));
    }
}

fuzz_target!(|data: &[u8]| {
    let [which, form, body @ ..] = data else { return };
    let json = form % 2 == 0;
    match which % 26 {
        0 => round_trip::<ReleaseKeys>(json, body),
        1 => round_trip::<EraseRecords>(json, body),
        2 => round_trip::<EnrolPasswords>(json, body),
        3 => round_trip::<IndexAddresses>(json, body),
        4 => round_trip::<ClaimDecoys>(json, body),
        5 => round_trip::<FreezeCaller>(json, body),
        6 => round_trip::<ListCallers>(json, body),
        7 => round_trip::<ReadPolicy>(json, body),
        8 => {
            round_trip::<ChangePolicy>(json, body);
            if let Ok(call) = serde_json::from_slice::<ChangePolicy>(body) {
                let _ = call.policy.order.check();
                let _ = call.policy.verify(&call.policy.order.approvers);
            }
        }
        9 => round_trip::<ReadEpochs>(json, body),
        10 => round_trip::<ChangeEpoch>(json, body),
        11 => round_trip::<OpenWarrant>(json, body),
        12 => round_trip::<CloseWarrant>(json, body),
        13 => round_trip::<ReadAlarms>(json, body),
        14 => round_trip::<ReadCheckpoint>(json, body),
        15 => round_trip::<ReadEntries>(json, body),
        16 => round_trip::<ProveEntry>(json, body),
        17 => round_trip::<CosignCheckpoint>(json, body),
        18 => round_trip::<ReportMail>(json, body),
        19 => round_trip::<ApproveVoidOrder>(json, body),
        20 => round_trip::<LowerBudget>(json, body),
        21 => round_trip::<CheckPassword>(json, body),
        22 => round_trip::<EnrolPasskey>(json, body),
        23 => round_trip::<AskPasskey>(json, body),
        24 => round_trip::<CheckPasskey>(json, body),
        _ => {
            if let Ok(entry) = Entry::decode(body) {
                assert_eq!(Entry::decode(&entry.encode()), Ok(entry));
            }
        }
    }
});
