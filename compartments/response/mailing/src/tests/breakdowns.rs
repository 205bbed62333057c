//! Mailings whose surroundings fail, and mailings that die.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use response_api::{LedgerState, LetterState};

use super::fakes::{FakeNotes, Reply};
use super::harness::{LETTER, World, address, live, version};
use crate::{Holder, Ledger as _, recover};

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_leaves_a_doubt_and_no_second_letter() {
    let world = World::new(9, 10);
    world.relay.answer(|to, _| {
        if to == address(2) {
            Reply::Break { delivered: true }
        } else if to == address(5) {
            Reply::Break { delivered: false }
        } else {
            Reply::Accept
        }
    });
    let (room, _task) = world.open();
    world.until_finished().await;
    room.close().await;
    assert_eq!(world.count(LedgerState::InDoubt), 2);
    assert_eq!(world.relay.delivered(9), [1, 1, 1, 1, 1, 0, 1, 1, 1]);
    // Doubted letters may have to be sent again, so their contacts stay readable.
    assert_eq!(world.contacts.closed.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_is_down_delays_letters_and_loses_none() {
    let world = World::new(100, 50);
    world.relay.is_down.store(true, Ordering::Relaxed);
    let (room, _task) = world.open();
    tokio::time::sleep(Duration::from_secs(30)).await;
    let trouble = room.progress(LETTER).await.unwrap().trouble;
    assert_eq!(trouble.as_deref(), Some("connection refused"));
    world.relay.is_down.store(false, Ordering::Relaxed);
    world.until_finished().await;
    assert!(world.relay.delivered(100).iter().all(|letters| *letters == 1));
}

#[tokio::test(start_paused = true)]
async fn outcomes_are_recorded_however_often_the_ledger_fails() {
    for operation in ["record", "put_off", "end_batch", "renew", "counts", "release_batch"] {
        let world = World::new(300, 100);
        world.relay.answer(|_, earlier| if earlier == 0 { Reply::Defer } else { Reply::Accept });
        world.ledger.fail(operation, 5);
        let (_room, _task) = world.open();
        world.until_finished().await;
        assert_eq!(world.count(LedgerState::Accepted), 300, "{operation}");
        assert!(world.relay.delivered(300).iter().all(|letters| *letters == 1), "{operation}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_claim_whose_answer_is_lost_ends_the_mailing_and_a_new_one_follows() {
    let world = World::new(300, 100);
    world.ledger.fail("claim", 3);
    let (_room, _task) = world.open();
    world.until_finished().await;
    assert!(world.relay.delivered(300).iter().all(|letters| *letters == 1));
}

#[tokio::test(start_paused = true)]
async fn contacts_that_can_not_be_read_release_the_batch() {
    let world = World::new(200, 100);
    world.contacts.failures.store(6, Ordering::Relaxed);
    let (room, _task) = world.open();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let trouble = room.progress(LETTER).await.unwrap().trouble.unwrap();
    assert!(trouble.contains("accounts is down"), "{trouble}");
    assert_eq!(world.count(LedgerState::Claimed), 0);
    world.until_finished().await;
    assert_eq!(world.count(LedgerState::Accepted), 200);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_that_can_not_be_noted() {
    let world = World::new(20, 10);
    world.notes.is_disk_full.store(true, Ordering::Relaxed);
    let (room, _task) = world.open();
    tokio::time::sleep(Duration::from_secs(40)).await;
    assert_eq!(world.relay.attempts(), []);
    let trouble = room.progress(LETTER).await.unwrap().trouble.unwrap();
    assert!(trouble.contains("sending notes"), "{trouble}");
    world.notes.is_disk_full.store(false, Ordering::Relaxed);
    world.until_finished().await;
    assert!(world.relay.delivered(20).iter().all(|letters| *letters == 1));
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_receivers_refuse_pauses_the_mailing_before_it_is_sent() {
    let world = World::new(20, 10);
    world.receivers.refuse.store(true, Ordering::Relaxed);
    let (room, _task) = world.open();
    world.until("paused", |world| world.state() == LetterState::Paused).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(world.trouble().contains("DKIM fails"), "{}", world.trouble());
    room.close().await;
    let checked = world.receivers.checked.load(Ordering::Relaxed);
    assert!(checked >= 1);
    // The other connections may finish the letter that they had, and send nothing later.
    let sent = world.relay.attempts().len();
    assert!(sent < 20, "{sent}");
    assert_eq!(world.count(LedgerState::Planned), 20 - sent);
}

#[tokio::test(start_paused = true)]
async fn a_staff_list_that_was_changed_pauses_the_letter() {
    let world = World::new(20, 10);
    world.contacts.staff_list_changed.store(true, Ordering::Relaxed);
    let (_room, _task) = world.open();
    world.until("paused", |world| world.state() == LetterState::Paused).await;
    assert!(world.trouble().contains("staff list"), "{}", world.trouble());
    assert_eq!(world.relay.attempts(), []);
}

#[tokio::test(start_paused = true)]
async fn only_the_approved_version_is_sent() {
    let world = World::new(20, 10);
    let mut other = version();
    other.facts.exposed += 1;
    world.ledger.change_letter(LETTER, |letter| letter.version = Some(other.id()));
    let (_room, _task) = world.open();
    world.until("paused", |world| world.state() == LetterState::Paused).await;
    assert!(world.trouble().contains("not the one that was approved"), "{}", world.trouble());
    assert_eq!(world.relay.attempts(), []);
}

#[tokio::test(start_paused = true)]
async fn a_new_approval_ends_the_mailing_of_the_old_version() {
    let world = World::new(400, 50);
    world.relay.slow_down(Duration::from_millis(200));
    let (_room, _task) = world.open();
    world.until("some", |world| world.count(LedgerState::Accepted) > 20).await;
    let mut newer = version();
    newer.facts.claims.hold.remove(&response_letter::Claim::Contained);
    let letter =
        crate::Letter { version: Some(newer.id()), ..world.ledger.letter(LETTER).unwrap() };
    world.ledger.add_letter(letter, newer.to_json(), vec![newer.variants[0].locale.clone()]);
    world.until_finished().await;
    assert!(world.relay.delivered(400).iter().all(|letters| *letters == 1));
    let last = world.relay.attempts().last().unwrap().0.clone();
    let person = (0..400).find(|person| address(*person) == last).unwrap();
    let text = |person| String::from_utf8(world.relay.messages_to(person).remove(0)).unwrap();
    let first = world.relay.attempts()[0].0.clone();
    let first = (0..400).find(|person| address(*person) == first).unwrap();
    let body = |text: &str| text.split("\r\n\r\n").skip(1).collect::<String>().len();
    assert_ne!(body(&text(first)), body(&text(person)));
}

/// A life that ends with letters on the wire. Returns the number of letters that were tried, and
/// the number of those that the relay answered.
fn die_while_sending(world: &World) -> (usize, usize) {
    world.relay.slow_down(Duration::from_millis(500));
    live(world, async {
        let _room = world.open();
        world.until("some", |world| world.relay.attempts().len() > 40).await;
    });
    world.relay.slow_down(Duration::from_millis(1));
    (world.relay.attempts().len(), world.relay.delivered(300).iter().sum())
}

#[test]
fn the_next_life_knows_from_the_notes_what_was_on_the_wire() {
    let world = World::new(300, 100);
    let (attempted, answered) = die_while_sending(&world);
    assert!(attempted > answered, "some were on the wire");
    live(&world, async {
        recover(&world.ports()).await.unwrap();
        assert!(world.notes.are_empty());
        assert_eq!(world.count(LedgerState::Accepted), answered);
        assert_eq!(world.count(LedgerState::InDoubt), attempted - answered);
        assert_eq!(world.count(LedgerState::Planned), 300 - attempted);

        let (_room, _task) = world.open();
        world.until_finished().await;
        assert!(world.relay.delivered(300).iter().all(|letters| *letters <= 1));
        assert_eq!(world.count(LedgerState::InDoubt), attempted - answered);
    });
}

#[test]
fn after_the_machine_went_down_everything_that_was_held_is_in_doubt() {
    let world = World::new(300, 100);
    let (_, answered) = die_while_sending(&world);
    world.notes.machine_went_down.store(true, Ordering::Relaxed);
    live(&world, async {
        recover(&world.ports()).await.unwrap();
        assert_eq!(world.count(LedgerState::Accepted), answered);
        assert_eq!(world.count(LedgerState::Claimed), 0);
        let doubted = world.count(LedgerState::InDoubt);
        assert!(doubted > 100, "{doubted}");
    });
}

#[test]
fn a_silent_workers_rows_are_doubted_and_replanned_when_it_returns() {
    let world = World::new(300, 100);
    let (attempted, answered) = die_while_sending(&world);
    live(&world, async {
        // Another instance, with notes of its own, finds that the lease has ended.
        let mut other = world.clone();
        other.notes = FakeNotes::default();
        let (room, _task) = other.open();
        tokio::time::sleep(Duration::from_secs(90)).await;
        let doubted = world.count(LedgerState::InDoubt);
        assert!(doubted > attempted - answered, "{:?}", world.states());

        // The dead worker's machine returns, and its notes tell which letters were never sent.
        recover(&world.ports()).await.unwrap();
        world.until_finished().await;
        room.close().await;
        assert_eq!(world.count(LedgerState::InDoubt), attempted - answered);
        assert!(world.relay.delivered(300).iter().all(|letters| *letters <= 1));
        assert_eq!(world.count(LedgerState::Accepted), 300 - (attempted - answered));
    });
}

#[tokio::test(start_paused = true)]
async fn batches_without_notes_are_in_doubt_where_nobody_else_uses_the_ledger() {
    let world = World::new(200, 100);
    let (now, later) = (world.now(), world.now() + Duration::from_mins(1));
    world.ledger.claim(LETTER, &Holder("gone".into()), (now, later), &[]).await.unwrap();
    recover(&world.ports()).await.unwrap();
    assert_eq!(world.count(LedgerState::InDoubt), 100);
    assert!(world.rows().iter().any(|row| row.detail.contains("notes are missing")));
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_can_not_renew_its_lease_stops_sending_before_it_ends() {
    let world = World::new(3_000, 1_000);
    world.relay.slow_down(Duration::from_secs(1));
    world.ledger.fail("renew", 1_000);
    let began = tokio::time::Instant::now();
    let (_room, _task) = world.open();
    tokio::time::sleep(Duration::from_secs(59)).await;
    let last = world.relay.attempts().iter().map(|(_, at)| *at).max().unwrap();
    assert!(last - began < Duration::from_secs(51), "{:?}", last - began);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_panics_keeps_its_notes_for_the_next_life() {
    let world = World::new(100, 50);
    world.relay.answer(|to, _| if to == address(60) { Reply::Panic } else { Reply::Accept });
    let (room, task) = world.open();
    world.until("a panic", |world| !world.relay.attempts_at(60).is_empty()).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    task.abort();
    room.close().await;
    assert!(!world.notes.are_empty());
    recover(&world.ports()).await.unwrap();
    let row = world.rows().remove(60);
    assert_eq!(row.state, LedgerState::InDoubt);
    world.relay.answer(|_, _| Reply::Accept);
    let (_room, _task) = world.open();
    world.until_finished().await;
    let delivered = world.relay.delivered(100);
    assert!(delivered.iter().enumerate().all(|(person, n)| *n == usize::from(person != 60)));
}

#[tokio::test(start_paused = true)]
async fn a_room_that_is_closed_starts_nothing() {
    let world = World::new(100, 50);
    let room = Arc::new(crate::MailRoom::new(world.ports()));
    room.close().await;
    let task = tokio::spawn(room.clone().send_letters());
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(world.relay.attempts(), []);
    assert_eq!(world.count(LedgerState::Planned), 100);
    task.abort();
}
