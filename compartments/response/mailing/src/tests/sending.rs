//! Mailings in which nothing breaks.

use std::sync::atomic::Ordering;
use std::time::Duration;

use response_api::{LedgerState, LetterState};

use super::fakes::Reply;
use super::harness::{LETTER, World, address, lock};
use crate::{CameBackAs, ProviderConfig};

#[tokio::test(start_paused = true)]
async fn everybody_gets_one_letter_and_the_contacts_are_closed() {
    let world = World::new(2_500, 1_000);
    let (room, _task) = world.open();
    world.until_finished().await;
    assert_eq!(world.count(LedgerState::Accepted), 2_500);
    assert!(world.relay.delivered(2_500).iter().all(|letters| *letters == 1));
    room.close().await;
    assert_eq!(world.contacts.closed.load(Ordering::Relaxed), 1);
    assert!(world.notes.are_empty());
    assert!(world.ledger.batches(LETTER).is_empty());
    assert!(world.ledger.letter(LETTER).unwrap().finished.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_message_has_its_readers_name_and_its_return_address() {
    let world = World::new(2, 10);
    let (_room, _task) = world.open();
    world.until_finished().await;
    let message = String::from_utf8(world.relay.messages_to(1).remove(0)).unwrap();
    assert!(message.contains("Person 1") && !message.contains("Person 0"));
    assert!(message.contains("Feedback-ID: letter-1:incident-1:notice:cofferdam"));
    let row = world.rows().into_iter().find(|row| row.person == 1).unwrap();
    assert_eq!(row.detail, format!("Q-{}", address(1)));
}

#[tokio::test(start_paused = true)]
async fn the_newest_accounts_come_first() {
    let mut world = World::new(3_000, 500);
    world.rules.providers.clear();
    world.rules.connections = 1;
    let (_room, _task) = world.open();
    world.until_finished().await;
    let attempts = world.relay.attempts();
    let person = |(to, _): &(String, _)| {
        to.trim_start_matches('p').split('@').next().unwrap().parse::<u32>().unwrap()
    };
    let first = attempts[..500].iter().map(person).min().unwrap();
    let last = attempts[2_500..].iter().map(person).max().unwrap();
    // Two feeders claim at once, so neighbouring batches may mix.
    assert!(first >= 1_500 && last < 1_500, "{first} {last}");
}

#[tokio::test(start_paused = true)]
async fn a_deferred_letter_is_tried_again_later_and_later_and_then_expires() {
    let world = World::new(3, 10);
    world.relay.answer(|to, earlier| match (to, earlier) {
        (to, _) if to == address(0) => Reply::Defer,
        (to, 0) if to == address(1) => Reply::Defer,
        _ => Reply::Accept,
    });
    let (_room, _task) = world.open();
    world.until_finished().await;
    assert_eq!(world.relay.delivered(3), [0, 1, 1]);
    let states: Vec<_> = world.rows().into_iter().map(|row| row.state).collect();
    assert_eq!(states, [LedgerState::Expired, LedgerState::Accepted, LedgerState::Accepted]);
    let attempts = world.relay.attempts_at(0);
    let pauses: Vec<_> = attempts.windows(2).map(|pair| (pair[1] - pair[0]).as_secs()).collect();
    assert_eq!(pauses.len(), 3, "four attempts");
    for (pause, base) in pauses.iter().zip([60, 120, 240]) {
        // A batch is claimed up to a second after it is due.
        assert!((base * 3 / 4..=base * 5 / 4 + 2).contains(pause), "{pauses:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_letter_bounces_and_is_not_tried_again() {
    let world = World::new(4, 10);
    world.relay.answer(|to, _| if to == address(2) { Reply::Refuse } else { Reply::Accept });
    let (_room, _task) = world.open();
    world.until_finished().await;
    assert_eq!(world.count(LedgerState::Bounced), 1);
    assert_eq!(world.relay.attempts_at(2).len(), 1);
    let row = world.rows().remove(2);
    assert_eq!((row.state, row.detail.as_str()), (LedgerState::Bounced, "550 no such mailbox"));
}

#[tokio::test(start_paused = true)]
async fn a_decoy_is_suppressed_and_never_written_to() {
    let world = World::new(50, 20);
    *lock(&world.contacts.decoys) = vec![7, 30];
    let (_room, _task) = world.open();
    world.until_finished().await;
    assert_eq!(world.count(LedgerState::Suppressed), 2);
    assert_eq!(world.relay.delivered(50)[7], 0);
    assert_eq!(world.relay.delivered(50).iter().sum::<usize>(), 48);
}

#[tokio::test(start_paused = true)]
async fn a_connection_carries_a_limited_number_of_letters() {
    let mut world = World::new(30, 30);
    world.rules.providers = vec![ProviderConfig {
        domains: vec!["big.example".into(), "small.example".into()],
        per_connection: 10,
        ..ProviderConfig::unlimited("all", 1)
    }];
    let (_room, _task) = world.open();
    world.until_finished().await;
    assert_eq!(world.relay.connections.load(Ordering::Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn a_provider_is_known_by_the_exchanges_of_a_domain() {
    let mut world = World::new(90, 30);
    world.rules.providers = vec![ProviderConfig {
        domains: vec!["big.example".into()],
        exchanges: vec!["mx.big.example".into()],
        ..ProviderConfig::unlimited("big", 2)
    }];
    let exchanges = ("small.example".to_owned(), vec!["in.mx.big.example".to_owned()]);
    lock(&world.receivers.exchanges).extend([exchanges]);
    let big = crate::Letters::provider_number(&*world.ledger, "big").await.unwrap();
    crate::Letters::pause_provider(&*world.ledger, LETTER, big, "staff", world.now())
        .await
        .unwrap();
    let (_room, _task) = world.open();
    tokio::time::sleep(Duration::from_mins(2)).await;
    assert_eq!(world.count(LedgerState::Accepted), 0, "both domains are the provider's");
    world.ledger.resume_provider(LETTER, big);
    world.until_finished().await;
    let looked_up = lock(&world.receivers.looked_up).clone();
    assert!(!looked_up.is_empty() && looked_up.iter().all(|domain| domain == "small.example"));
}

#[tokio::test(start_paused = true)]
async fn a_paused_provider_waits_and_holds_nobody_else_up() {
    let world = World::new(90, 30);
    let big = crate::Letters::provider_number(&*world.ledger, "big").await.unwrap();
    crate::Letters::pause_provider(&*world.ledger, LETTER, big, "staff", world.now())
        .await
        .unwrap();
    let (room, _task) = world.open();
    world.until("the others", |world| world.count(LedgerState::Accepted) == 60).await;
    tokio::time::sleep(Duration::from_mins(2)).await;
    assert_eq!(world.count(LedgerState::Accepted), 60);
    let progress = room.progress(LETTER).await.unwrap();
    let paused = progress.providers.iter().find(|of| of.provider == "big").unwrap();
    assert_eq!(paused.paused.as_deref(), Some("staff"));

    world.ledger.resume_provider(LETTER, big);
    world.until_finished().await;
    assert!(world.relay.delivered(90).iter().all(|letters| *letters == 1));
}

#[tokio::test(start_paused = true)]
async fn a_provider_without_mailboxes_is_paused_for_every_worker() {
    let world = World::new(6_000, 1_000);
    world.relay.answer(
        |to, _| {
            if to.ends_with("big.example") { Reply::Refuse } else { Reply::Accept }
        },
    );
    let (_room, _task) = world.open();
    world.until("the others", |world| world.count(LedgerState::Accepted) == 4_000).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let bounced = world.count(LedgerState::Bounced);
    assert!((50..200).contains(&bounced), "{bounced}");
    let big = crate::Letters::provider_number(&*world.ledger, "big").await.unwrap();
    let pauses = crate::Letters::provider_pauses(&*world.ledger, LETTER).await.unwrap();
    assert!(pauses[&big].contains("found no mailbox"), "{pauses:?}");
}

#[tokio::test(start_paused = true)]
async fn complaints_that_come_back_pause_a_provider() {
    let world = World::new(30, 10);
    world.relay.slow_down(Duration::from_secs(2));
    let (room, _task) = world.open();
    let big = crate::Letters::provider_number(&*world.ledger, "big").await.unwrap();
    world.until("ten to the big", |world| world.relay.attempts().len() >= 28).await;
    for _ in 0..10 {
        room.came_back(LETTER, big, CameBackAs::Complaint).await;
    }
    room.adopt_pauses(LETTER).await.unwrap();
    let pauses = crate::Letters::provider_pauses(&*world.ledger, LETTER).await.unwrap();
    let reason = pauses.get(&big).cloned().unwrap_or_default();
    // Fewer than ten letters may have been answered, and each can complain once.
    let complained = reason.contains("complained");
    let answered = world.rows().iter().filter(|row| row.state == LedgerState::Accepted).count();
    assert!(complained || answered < 30, "{pauses:?}");
}

#[tokio::test(start_paused = true)]
async fn a_limited_provider_gets_its_rate_and_the_others_are_done_before() {
    let mut world = World::new(300, 100);
    world.rules.providers = vec![ProviderConfig {
        domains: vec!["big.example".into()],
        rate: Some(2),
        ..ProviderConfig::unlimited("big", 4)
    }];
    let began = tokio::time::Instant::now();
    let (_room, _task) = world.open();
    world.until("the others", |world| world.count(LedgerState::Accepted) >= 200).await;
    assert!(began.elapsed() < Duration::from_secs(10));
    world.until_finished().await;
    let took = began.elapsed().as_secs();
    assert!((45..=60).contains(&took), "100 letters at 2 a second took {took} s");
}

#[tokio::test(start_paused = true)]
async fn busy_reset_pages_slow_the_whole_letter() {
    let mut world = World::new(400, 100);
    world.rules.reset_pages_busy = Some(50);
    world.load.0.store(90, Ordering::Relaxed);
    let began = tokio::time::Instant::now();
    let (room, _task) = world.open();
    world.until("some", |world| world.count(LedgerState::Accepted) >= 20).await;
    let pages = room.progress(LETTER).await.unwrap().reset_pages.unwrap();
    assert_eq!(pages.busy_percent, Some(90));
    assert!(pages.rate.is_some());
    assert!(began.elapsed() > Duration::from_secs(5));
    world.load.0.store(10, Ordering::Relaxed);
    world.until_finished().await;
}

#[tokio::test(start_paused = true)]
async fn a_paused_letter_stops_and_resumes_where_it_was() {
    let world = World::new(400, 50);
    world.relay.slow_down(Duration::from_millis(200));
    let (room, _task) = world.open();
    world.until("some", |world| world.count(LedgerState::Accepted) > 20).await;
    world.ledger.change_letter(LETTER, |letter| letter.state = LetterState::Paused);
    room.stir();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(room.progress(LETTER).await.is_none());
    let sent = world.relay.attempts().len();
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(world.relay.attempts().len(), sent);
    assert_eq!(world.count(LedgerState::Claimed) + world.count(LedgerState::InDoubt), 0);

    world.ledger.change_letter(LETTER, |letter| letter.state = LetterState::Running);
    world.until_finished().await;
    assert!(world.relay.delivered(400).iter().all(|letters| *letters == 1));
}

#[tokio::test(start_paused = true)]
async fn one_letter_in_a_thousand_is_checked_as_by_its_receivers() {
    let world = World::new(2_500, 1_000);
    world.receivers.silent.store(2, Ordering::Relaxed);
    let (_room, _task) = world.open();
    world.until_finished().await;
    assert_eq!(world.receivers.checked.load(Ordering::Relaxed), 3 + 2);
}
