use proptest::prelude::*;

use super::*;

const LIMITS: RoomLimits =
    RoomLimits { guests: 8, guests_each: 5, newest: 0, bytes: 100, bytes_each: 60 };

fn room() -> Room<char, u32> {
    Room::new(LIMITS)
}

/// Fills a room: the group's letter as often as it is in `groups`, with the place as the handle.
fn filled(groups: &str) -> (Room<char, u32>, Vec<Ticket>) {
    let mut room = room();
    let enter = |(handle, group)| room.enter(group, handle).unwrap();
    let tickets = (0..).zip(groups.chars()).map(enter).map(|(ticket, closed)| {
        assert_eq!(closed, None);
        ticket
    });
    let tickets = tickets.collect();
    (room, tickets)
}

#[test]
fn the_oldest_of_the_group_with_most_goes() {
    for (groups, newcomer, goes) in [
        ("aaaaabcd", 'e', Some(0)),
        ("baaaacde", 'f', Some(1)),
        ("aaaabbbb", 'c', Some(0)),
        ("bbbbaaaa", 'c', Some(0)),
        // A group at its share loses its own, though the room has places.
        ("baaaaa", 'a', Some(1)),
        // The group with most loses its own in a full room.
        ("bcdaaaae", 'a', Some(3)),
        // One connection each: the newcomer's group has none, so it may come in.
        ("abcdefgh", 'i', Some(0)),
        // The group takes its own place rather than one of a group that has no more.
        ("abcdefgh", 'h', Some(7)),
        ("a", 'b', None),
    ] {
        let (mut room, _) = filled(groups);
        let (_, closed) = room.enter(newcomer, 99).unwrap();
        assert_eq!(closed, goes, "{newcomer} comes into {groups}");
    }
}

#[test]
fn the_newest_stay_whatever_their_group_and_a_lone_one_stays_beyond() {
    let mut room: Room<u32, u32> =
        Room::new(RoomLimits { guests: 8, guests_each: 8, newest: 3, ..LIMITS });
    // Every second connection comes from one network, the others from as many networks as there
    // are places.
    for number in 1..500_u32 {
        let group = if number.is_multiple_of(2) { 0 } else { number % 16 };
        let closed = room.enter(group, number).unwrap().1;
        assert!(closed.is_none_or(|closed| closed + 3 <= number), "{closed:?} for {number}");
    }
    // A single network takes no place of a client that is alone in its own.
    let (lone, _) = room.enter(1_000, 0).unwrap();
    for number in 0..500 {
        room.enter(0, number).unwrap();
        assert!(room.guests.contains_key(&lone), "gone for {number}");
    }
}

#[test]
fn those_that_ask_again_and_again_push_out_none_of_the_newest_of_their_group() {
    let mut room: Room<char, u32> = Room::new(RoomLimits { guests_each: 4, newest: 2, ..LIMITS });
    let busy: Vec<Ticket> = (0..3).map(|handle| room.enter('a', handle).unwrap().0).collect();
    room.enter('a', 3).unwrap();
    for ticket in busy {
        room.wait(ticket);
    }
    assert_eq!(room.enter('a', 4).unwrap().1, Some(0));
}

#[test]
fn only_a_connection_that_waits_goes_and_the_wait_counts_from_its_last_request() {
    let (mut room, tickets) = filled("aaaaa");
    room.work(tickets[0]);
    room.wait(tickets[1]);
    assert_eq!(room.enter('a', 5).unwrap().1, Some(2));
    room.wait(tickets[0]);
    for goes in [3, 4, 1, 5, 0] {
        assert_eq!(room.enter('a', 9).unwrap().1, Some(goes));
    }
    let (mut room, tickets) = filled("aaaaa");
    for ticket in tickets {
        room.work(ticket);
    }
    assert_eq!(room.enter('a', 5), Err(RoomFull));
    assert_eq!(room.enter('b', 6).unwrap().1, None);
}

#[test]
fn one_who_left_makes_room() {
    let (mut room, tickets) = filled("aaaaabcd");
    assert_eq!(room.leave(tickets[6]), Some(6));
    assert_eq!(room.leave(tickets[6]), None);
    assert_eq!(room.enter('e', 9).unwrap().1, None);
}

#[test]
fn bytes_are_bounded_for_each_group_and_in_all() {
    let (mut room, tickets) = filled("aabbc");
    let [a, other_a, b, other_b, c] = tickets[..] else { panic!() };
    assert_eq!(room.hold(a, 61), Hold::Full, "more than a group may have");
    assert_eq!(room.hold(a, 30), Hold::Held);
    assert_eq!(room.hold(other_a, 31), Hold::Closed(0), "the group's own oldest goes");
    assert_eq!(room.hold(other_a, 31), Hold::Held);
    assert_eq!(room.hold(b, 50), Hold::Held);
    assert_eq!(room.hold(other_b, 20), Hold::Closed(2), "of b itself, which then has most");
    assert_eq!(room.hold(other_b, 50), Hold::Held);
    assert_eq!(room.hold(c, 20), Hold::Closed(3), "the group with most gives way");
    assert_eq!(room.hold(c, 20), Hold::Held);
    assert_eq!(room.hold(c, 0), Hold::Held);
    room.work(other_a);
    assert_eq!(room.hold(c, 60), Hold::Held);
    assert_eq!(room.hold(a, 1), Hold::Full, "it had to go");
}

#[test]
fn a_group_takes_no_memory_from_a_lighter_one() {
    let (mut room, tickets) = filled("aabc");
    assert_eq!(room.hold(tickets[0], 50), Hold::Held);
    room.work(tickets[0]);
    assert_eq!(room.hold(tickets[2], 45), Hold::Held);
    assert_eq!(room.hold(tickets[1], 10), Hold::Full);
    assert_eq!(room.hold(tickets[3], 10), Hold::Closed(2));
}

#[test]
fn neighbours_are_one_network() {
    let of = |text: &str| network(text.parse().unwrap()).to_string();
    assert_eq!(of("192.0.2.77"), "192.0.2.0");
    assert_eq!(of("::ffff:192.0.2.78"), "192.0.2.0");
    assert_eq!(of("2001:db8:1:2:3::4"), "2001:db8:1::");
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Enter(u8),
    Wait(usize),
    Work(usize),
    Hold(usize, u64),
    Leave(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..6_u8).prop_map(Step::Enter),
        1 => any::<usize>().prop_map(Step::Wait),
        1 => any::<usize>().prop_map(Step::Work),
        2 => (any::<usize>(), 0..70_u64).prop_map(|(at, bytes)| Step::Hold(at, bytes)),
        1 => any::<usize>().prop_map(Step::Leave),
    ];
    proptest::collection::vec(step, 0..120)
}

/// The connections of a test: each one's ticket, by its handle.
type Guests = BTreeMap<u32, Ticket>;

fn pick(guests: &Guests, at: usize) -> Option<(u32, Ticket)> {
    let at = at % guests.len().max(1);
    guests.iter().nth(at).map(|(handle, ticket)| (*handle, *ticket))
}

/// A connection had to go: it waited, and its group had more than the one that it made room for.
fn check_closed(room: &Room<u8, u32>, before: &Room<u8, u32>, ticket: Ticket, by: u8) {
    let gone = &before.guests[&ticket];
    assert!(gone.waits_since.is_some(), "a request that is being answered was cut off");
    assert!(!room.guests.contains_key(&ticket));
    let (own, theirs) = (before.share(&by), before.share(&gone.group));
    let heavier = theirs.guests > own.guests || theirs.bytes > own.bytes;
    assert!(gone.group == by || heavier, "{by} took a place of {}", gone.group);
}

proptest! {
    #[test]
    fn limits_hold_and_nobody_is_shut_out_by_others(steps in steps()) {
        let mut room: Room<u8, u32> = Room::new(LIMITS);
        let mut guests = Guests::new();
        let mut handle = 0;
        for step in steps {
            let before = Room { limits: LIMITS, guests: copy(&room), shares: room.shares.clone(), ticks: 0 };
            match step {
                Step::Enter(group) => {
                    handle += 1;
                    if let Ok((ticket, closed)) = room.enter(group, handle) {
                        if let Some(closed) = closed {
                            check_closed(&room, &before, guests.remove(&closed).unwrap(), group);
                        }
                        guests.insert(handle, ticket);
                    } else {
                        let waits = |of: &Guest<u8, u32>| of.waits_since.is_some();
                        let own = before.guests.values().filter(|of| of.group == group);
                        prop_assert!(!own.clone().any(waits), "its own could have gone");
                        let none = before.share(&group).guests == 0;
                        let any = before.guests.values().any(waits);
                        prop_assert!(!(none && any), "a group was shut out by one that only waits");
                    }
                }
                Step::Wait(at) => pick(&guests, at).into_iter().for_each(|(_, of)| room.wait(of)),
                Step::Work(at) => pick(&guests, at).into_iter().for_each(|(_, of)| room.work(of)),
                Step::Hold(at, bytes) => if let Some((_, ticket)) = pick(&guests, at) {
                    let group = room.guests[&ticket].group;
                    if let Hold::Closed(closed) = room.hold(ticket, bytes) {
                        check_closed(&room, &before, guests.remove(&closed).unwrap(), group);
                    }
                },
                Step::Leave(at) => if let Some((handle, ticket)) = pick(&guests, at) {
                    prop_assert_eq!(room.leave(ticket), Some(handle));
                    guests.remove(&handle);
                },
            }
            check_limits(&room);
        }
    }
}

fn copy(room: &Room<u8, u32>) -> BTreeMap<Ticket, Guest<u8, u32>> {
    let of = |guest: &Guest<u8, u32>| Guest { ..*guest };
    room.guests.iter().map(|(ticket, guest)| (*ticket, of(guest))).collect()
}

fn check_limits(room: &Room<u8, u32>) {
    let counted = |group: u8| {
        let of = room.guests.values().filter(|guest| guest.group == group);
        of.fold((0, 0), |(guests, bytes), guest| (guests + 1, bytes + guest.bytes))
    };
    for (group, share) in &room.shares {
        assert_eq!(counted(*group), (share.guests, share.bytes), "the shares are as counted");
        assert!(share.guests <= LIMITS.guests_each && share.bytes <= LIMITS.bytes_each);
    }
    assert!(room.guests.len() <= LIMITS.guests);
    assert!(room.shares.values().map(|share| share.bytes).sum::<u64>() <= LIMITS.bytes);
}
