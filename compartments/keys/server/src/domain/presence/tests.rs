use cofferdam_core::KeyBytes;
use proptest::prelude::*;
use proptest::sample::Index;

use super::super::voids::{Void, Whose};
use super::*;

const GROUPS: [&str; 2] = ["web", "stand"];

fn ring() -> KeyRing {
    KeyRing::new(&KeyBytes::new([3; 32]), &KeyBytes::new([4; 32]))
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn group(n: usize) -> CallerName {
    GROUPS[n % 2].parse().unwrap()
}

fn secret(n: u8) -> KeyBytes {
    KeyBytes::new([n; 32])
}

/// A sign-in of the model: everything that the ticket is bound to, and the ticket.
#[derive(Debug, Clone)]
struct SignIn {
    record: u32,
    group: usize,
    secret: u8,
    given: i64,
    until: i64,
    ticket: PresenceTicket,
}

fn sign_in((record, group_n, secret_n, given, lasts): (u32, usize, u8, i64, i64)) -> SignIn {
    let session =
        NewSession { secret: Sha256::of(secret(secret_n).expose()), until: at(given + lasts) };
    let ticket = give(&ring(), Record(record), &group(group_n), &session, at(given));
    SignIn { record, group: group_n % 2, secret: secret_n, given, until: given + lasts, ticket }
}

/// A void order of the model: the instant, and the customers.
type VoidOf = (i64, Option<Vec<u32>>);

fn voids(orders: &[VoidOf]) -> Voids {
    let void = |(n, (second, records)): (usize, &VoidOf)| {
        let whose =
            records.as_ref().map_or(Whose::Everybody, |of| Whose::Some(of.iter().collect()));
        let id = Sha256([u8::try_from(n).unwrap(); 32]);
        Void { id, set_before: at(*second), opened_before: at(*second), whose }
    };
    Voids::new(orders.iter().enumerate().map(void).collect())
}

/// A call of a thief, who has parts of several sign-ins and puts them together as it likes.
#[derive(Debug, Clone)]
struct Attempt {
    ticket_of: Index,
    record_of: Index,
    secret: u8,
    group: usize,
    now: i64,
    asked: Vec<u32>,
    longer_by: i64,
    flipped: Option<u8>,
}

fn attempts() -> impl Strategy<Value = Attempt> {
    let parts = (any::<Index>(), any::<Index>(), 0_u8..4, 0_usize..2, 0_i64..60);
    let more = (
        prop::collection::vec(0_u32..4, 1..3),
        prop_oneof![4 => Just(0_i64), 1 => 1_i64..50],
        prop::option::weighted(0.2, any::<u8>()),
    );
    (parts, more).prop_map(
        |((ticket_of, record_of, secret, group, now), (asked, longer_by, flipped))| Attempt {
            ticket_of,
            record_of,
            secret,
            group,
            now,
            asked,
            longer_by,
            flipped,
        },
    )
}

proptest! {
    /// Whatever is put together, a release is allowed only to the group at which the customer signed in,
    /// with the secret of that session, for that customer alone, in time, and unless an order ended it.
    #[test]
    fn nobody_is_present_without_the_sessions_secret_at_its_group_in_time(
        sign_ins in prop::collection::vec((0_u32..4, 0_usize..2, 0_u8..4, 0_i64..30, 1_i64..30), 1..5),
        orders in prop::collection::vec(
            (0_i64..40, prop::option::of(prop::collection::vec(0_u32..4, 0..3))), 0..3),
        attempts in prop::collection::vec(attempts(), 1..20),
    ) {
        let signed_in: Vec<_> = sign_ins.into_iter().map(sign_in).collect();
        for attempt in attempts {
            let of = attempt.ticket_of.get(&signed_in);
            let mut ticket = of.ticket.clone();
            ticket.until = at(of.until + attempt.longer_by);
            if let Some(place) = attempt.flipped {
                let mut mac = *ticket.mac.expose();
                mac[usize::from(place % 32)] ^= 1;
                ticket.mac = KeyBytes::new(mac);
            }
            let named = attempt.record_of.get(&signed_in).record;
            let presence = Presence {
                record: Record(named),
                ticket,
                secret: secret(attempt.secret),
            };
            let found = check(
                &ring(),
                Some(&presence),
                attempt.asked.iter().copied().map(Record),
                &group(attempt.group),
                (at(attempt.now), &voids(&orders)),
            );
            let ended = orders.iter().any(|(second, records)| {
                of.given <= *second && records.as_ref().is_none_or(|all| all.contains(&of.record))
            });
            let present = named == of.record
                && attempt.asked.iter().all(|asked| *asked == of.record)
                && attempt.secret == of.secret
                && attempt.group == of.group
                && attempt.longer_by == 0
                && attempt.flipped.is_none()
                && (of.given..of.until).contains(&attempt.now)
                && !ended;
            prop_assert_eq!(found.is_ok(), present, "{:?} {:?} {:?}", attempt, of, found);
        }
    }
}

#[test]
fn a_call_without_a_ticket_is_of_nobody_present() {
    let nobody = check(&ring(), None, [Record(1)], &group(0), (at(1), &Voids::default()));
    assert_eq!(nobody, Err(NotPresent::NoTicket));
    assert!(!NotPresent::NoTicket.is_ordinary() && NotPresent::Over.is_ordinary());
}

#[test]
fn a_ticket_ends_with_its_session_and_after_a_day_at_the_latest() {
    for (lasts, expected) in [(3_600, 3_600), (86_400, 86_400), (90_000, 86_400)] {
        let session = NewSession { secret: Sha256([1; 32]), until: at(100 + lasts) };
        let ticket = give(&ring(), Record(1), &group(0), &session, at(100));
        assert_eq!((ticket.given, ticket.until), (at(100), at(100 + expected)));
    }
}
