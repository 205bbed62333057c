//! An append is on the disk when it returns.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::env::consts::ARCH;

use cofferdam_tlog::{Day, Segments, TlogError};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};

/// Lets every sync of this thread fail, as on a broken disk.
fn break_syncs() {
    let calls = [libc::SYS_fsync, libc::SYS_fdatasync].map(|call| (call, Vec::new()));
    let answer = SeccompAction::Errno(libc::EIO.cast_unsigned());
    let allow = SeccompAction::Allow;
    let filter = SeccompFilter::new(calls.into(), allow, answer, ARCH.try_into().unwrap());
    let filter: BpfProgram = filter.unwrap().try_into().unwrap();
    apply_filter(&filter).unwrap();
}

#[test]
fn an_append_that_can_t_be_synced_fails() {
    // The filter ends with the thread.
    let appending = std::thread::spawn(|| {
        let dir = tempfile::tempdir().unwrap();
        let segments = Segments::open(dir.path(), None).unwrap();
        segments.append(0, Day(0), &[b"first"]).unwrap();
        break_syncs();
        segments.append(1, Day(0), &[b"second"])
    });
    let failed = appending.join().unwrap();
    let cause = matches!(&failed, Err(TlogError::Io { source, .. })
        if source.raw_os_error() == Some(libc::EIO));
    assert!(cause, "{failed:?}");
}
