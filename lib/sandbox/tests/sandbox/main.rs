//! A process that has entered the sandbox can't reach anything outside and can still do its work.
//!
//! Each test starts this program again as a probe that tries one action: once free, where the
//! action must succeed, and once locked in. `harness = false`, because a probe must have a single
//! thread.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed step is a failed test")]
#![allow(clippy::print_stdout, reason = "a probe answers its test on standard output")]

mod probe;
mod room;

use libtest_mimic::{Arguments, Trial};
use probe::Probe;
use room::{Outcome, Room};
use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(code) = probe::run_if_asked() {
        return code;
    }
    let refusals = REFUSED.iter().map(|(name, probe)| trial(name, || refused_inside(*probe)));
    let works = WORKS.iter().map(|(name, probe)| trial(name, || works_inside(*probe)));
    let others = OTHERS.iter().map(|(name, test)| trial(name, test));
    let all = refusals.chain(works).chain(others).collect();
    libtest_mimic::run(&Arguments::from_args(), all).exit_code()
}

/// Actions that succeed in a free process and are refused in one that is locked in.
const REFUSED: &[(&str, Probe)] = &[
    ("reading_a_neighbours_file_is_refused", Probe::ReadNeighbour),
    ("listing_a_neighbours_directory_is_refused", Probe::ListNeighbour),
    ("writing_outside_is_refused", Probe::WriteOutside),
    ("moving_a_file_outside_is_refused", Probe::MoveOutside),
    ("removing_a_file_outside_is_refused", Probe::RemoveOutside),
    ("linking_a_neighbours_file_is_refused", Probe::LinkNeighbour),
    ("writing_a_read_only_file_is_refused", Probe::WriteReadOnly),
    ("replacing_the_process_by_a_program_is_refused", Probe::Exec),
    ("starting_a_program_is_refused", Probe::Spawn),
    ("forking_is_refused", Probe::Fork),
    ("connecting_to_another_tcp_port_is_refused", Probe::ConnectOther),
    ("binding_another_tcp_port_is_refused", Probe::Bind),
    ("connecting_by_fast_open_is_refused", Probe::FastOpen),
    ("connecting_by_multipath_tcp_is_refused", Probe::Multipath),
    ("opening_a_netlink_socket_is_refused", Probe::Netlink),
    ("connecting_to_a_neighbours_abstract_socket_is_refused", Probe::AbstractSocket),
    ("reading_another_process_through_proc_is_refused", Probe::ReadProcMem),
    ("reading_another_process_by_system_call_is_refused", Probe::ReadVm),
    ("tracing_another_process_is_refused", Probe::Trace),
    ("signalling_another_process_is_refused", Probe::Signal),
    ("leaving_a_namespace_is_refused", Probe::Unshare),
];

/// Actions that a server needs and that succeed, locked in or not.
const WORKS: &[(&str, Probe)] = &[
    ("writing_renaming_and_removing_own_files_works", Probe::OwnFiles),
    ("reading_a_read_only_file_works", Probe::ReadAllowed),
    ("connecting_to_the_configured_tcp_port_works", Probe::ConnectAllowed),
    ("serving_from_a_listener_bound_before_works", Probe::Serve),
    ("resolving_a_name_works", Probe::Resolve),
    ("an_async_runtime_with_many_threads_works", Probe::Runtime),
    ("a_memory_mapped_sqlite_database_works", Probe::Sqlite),
];

const OTHERS: &[(&str, fn())] = &[
    ("a_thread_started_later_is_locked_in_too", a_thread_started_later_is_locked_in_too),
    ("a_process_with_two_threads_does_not_enter", a_process_with_two_threads_does_not_enter),
    ("a_missing_path_is_named", a_missing_path_is_named),
    ("a_file_in_place_of_a_directory_is_named", a_file_in_place_of_a_directory_is_named),
    ("starting_a_program_creates_no_process", starting_a_program_creates_no_process),
    ("core_dumps_are_off", core_dumps_are_off),
    ("locking_memory_does_not_fill_untouched_pages", locking_memory_does_not_fill_untouched_pages),
];

fn trial(name: &str, test: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name, || {
        test();
        Ok(())
    })
}

fn refused_inside(probe: Probe) {
    let free = Room::new().ask(probe, false);
    assert_eq!(free.outcome, Outcome::Done, "free: {}", free.said);
    let inside = Room::new().ask(probe, true);
    assert_eq!(inside.outcome, Outcome::Refused, "inside: {}", inside.said);
}

fn works_inside(probe: Probe) {
    for confined in [false, true] {
        let answer = Room::new().ask(probe, confined);
        assert_eq!(answer.outcome, Outcome::Done, "confined {confined}: {}", answer.said);
    }
}

fn a_thread_started_later_is_locked_in_too() {
    refused_inside(Probe::ReadNeighbourInThread);
    refused_inside(Probe::UnshareInThread);
}

fn a_process_with_two_threads_does_not_enter() {
    let answer = Room::new().ask(Probe::EnterWithTwoThreads, false);
    assert_eq!(answer.outcome, Outcome::Done, "{}", answer.said);
    assert!(answer.said.contains("with 2 threads running"), "{}", answer.said);
}

fn a_missing_path_is_named() {
    let answer = Room::new().ask(Probe::EnterWithMissingPath, false);
    assert_eq!(answer.outcome, Outcome::Done, "{}", answer.said);
    assert!(answer.said.contains("no-such-file: No such file"), "{}", answer.said);
}

fn a_file_in_place_of_a_directory_is_named() {
    let answer = Room::new().ask(Probe::EnterToWriteFile, false);
    assert_eq!(answer.outcome, Outcome::Done, "{}", answer.said);
    assert!(answer.said.contains("kept: it is not a directory"), "{}", answer.said);
}

/// The probe starts a program in a missing directory. Only a new process would notice that the
/// directory is missing, so this shows that the refusal came before the process.
fn starting_a_program_creates_no_process() {
    let free = Room::new().ask(Probe::SpawnNowhere, false);
    assert!(free.said.contains("No such file"), "free: {}", free.said);
    let inside = Room::new().ask(Probe::SpawnNowhere, true);
    assert_eq!(inside.outcome, Outcome::Refused, "inside: {}", inside.said);
}

fn core_dumps_are_off() {
    let free = Room::new().ask(Probe::CoreDumps, false);
    assert!(free.said.contains("dumpable: true"), "{}", free.said);
    let inside = Room::new().ask(Probe::CoreDumps, true);
    assert!(inside.said.contains("dumpable: false, limits: (0, 0)"), "{}", inside.said);
}

fn locking_memory_does_not_fill_untouched_pages() {
    let answer = Room::new().ask(Probe::Memory, true);
    assert_eq!(answer.outcome, Outcome::Done, "{}", answer.said);
    let locked = answer.said.contains("memory: locked");
    assert_eq!(answer.number("locked kB") > 0, locked, "{}", answer.said);
    assert!(answer.number("grown kB") < 8 * 1024, "{}", answer.said);
}
