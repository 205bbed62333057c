//! A process that has entered the sandbox is refused what lies outside, and does its own work.
//!
//! Each test starts this same program again as a probe, which tries one thing: once free, where it
//! must succeed, and once locked in. `harness = false`: a probe must have a single thread.
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

/// What works for a free process and is refused to one that is locked in.
const REFUSED: &[(&str, Probe)] = &[
    ("a_neighbours_file_is_not_opened", Probe::ReadNeighbour),
    ("a_neighbours_directory_is_not_listed", Probe::ListNeighbour),
    ("nothing_is_written_outside", Probe::WriteOutside),
    ("nothing_is_moved_outside", Probe::MoveOutside),
    ("nothing_is_removed_outside", Probe::RemoveOutside),
    ("a_neighbours_file_is_not_linked_into_ones_own", Probe::LinkNeighbour),
    ("a_file_to_read_is_not_written", Probe::WriteReadOnly),
    ("no_program_takes_the_process_over", Probe::Exec),
    ("no_program_is_started", Probe::Spawn),
    ("the_process_does_not_fork", Probe::Fork),
    ("no_other_tcp_port_is_connected_to", Probe::ConnectOther),
    ("no_other_tcp_port_is_bound", Probe::Bind),
    ("fast_open_does_not_go_past_the_ports", Probe::FastOpen),
    ("multipath_tcp_does_not_go_past_the_ports", Probe::Multipath),
    ("no_netlink_socket_is_opened", Probe::Netlink),
    ("no_abstract_socket_of_others_is_reached", Probe::AbstractSocket),
    ("another_process_is_not_read_through_proc", Probe::ReadProcMem),
    ("another_process_is_not_read_by_system_call", Probe::ReadVm),
    ("another_process_is_not_traced", Probe::Trace),
    ("another_process_is_not_signalled", Probe::Signal),
    ("no_namespace_is_left", Probe::Unshare),
];

/// What a server needs, locked in or not.
const WORKS: &[(&str, Probe)] = &[
    ("its_own_files_are_written_renamed_and_removed", Probe::OwnFiles),
    ("a_file_to_read_is_read", Probe::ReadAllowed),
    ("the_configured_tcp_port_is_connected_to", Probe::ConnectAllowed),
    ("a_listener_bound_before_still_serves", Probe::Serve),
    ("names_are_resolved", Probe::Resolve),
    ("an_async_runtime_works_with_many_threads", Probe::Runtime),
    ("sqlite_works_with_a_mapped_database", Probe::Sqlite),
];

const OTHERS: &[(&str, fn())] = &[
    ("a_thread_started_later_is_locked_in_too", a_thread_started_later_is_locked_in_too),
    ("a_process_with_two_threads_does_not_enter", a_process_with_two_threads_does_not_enter),
    ("a_missing_path_is_named", a_missing_path_is_named),
    ("a_file_to_write_beneath_is_named", a_file_to_write_beneath_is_named),
    ("no_process_is_started_to_run_a_program", no_process_is_started_to_run_a_program),
    ("core_dumps_are_off", core_dumps_are_off),
    ("locked_memory_takes_no_more_room", locked_memory_takes_no_more_room),
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

fn a_file_to_write_beneath_is_named() {
    let answer = Room::new().ask(Probe::EnterToWriteFile, false);
    assert_eq!(answer.outcome, Outcome::Done, "{}", answer.said);
    assert!(answer.said.contains("kept: it is not a directory"), "{}", answer.said);
}

/// The directory is missing: only a process that was really started can tell.
fn no_process_is_started_to_run_a_program() {
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

fn locked_memory_takes_no_more_room() {
    let answer = Room::new().ask(Probe::Memory, true);
    assert_eq!(answer.outcome, Outcome::Done, "{}", answer.said);
    let locked = answer.said.contains("memory: locked");
    assert_eq!(answer.number("locked kB") > 0, locked, "{}", answer.said);
    assert!(answer.number("grown kB") < 8 * 1024, "{}", answer.said);
}
