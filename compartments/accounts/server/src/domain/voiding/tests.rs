use super::*;

mod model;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn set(records: impl IntoIterator<Item = u32>) -> RoaringBitmap {
    records.into_iter().collect()
}

fn past(number: u64, second: i64, records: Option<RoaringBitmap>) -> PastOrder {
    PastOrder { number, incident: 1, ordered_at: at(second), records, alone: None }
}

#[test]
fn customers_are_left_out_who_set_their_password_or_came_since() {
    let orders = [past(1, 10, None), past(2, 20, Some(set([7])))];
    let history = History::of(orders.clone(), 1, at(30));
    let left_out = |record, created: Option<i64>, set_at| {
        let created = created.map(at);
        history.leaves_out(&Password { record: Record(record), set_at: at(set_at), created })
    };
    assert_eq!(left_out(1, Some(5), 5), None, "an order covered it, and it is as old");
    assert_eq!(left_out(1, Some(5), 15), Some(LeftOut::SetSince));
    assert_eq!(left_out(1, None, 15), Some(LeftOut::SetSince), "nobody knows when it came");
    assert_eq!(left_out(1, Some(15), 15), Some(LeftOut::CreatedSince));
    assert_eq!(left_out(1, Some(15), 25), Some(LeftOut::CreatedSince), "never covered");
    assert_eq!(left_out(7, Some(15), 25), Some(LeftOut::SetSince), "the second order named it");
    assert_eq!(left_out(7, Some(15), 15), Some(LeftOut::CreatedSince));
    let other = History::of(orders, 2, at(30));
    let late = Password { record: Record(1), set_at: at(25), created: None };
    assert_eq!(other.leaves_out(&late), None, "another incident");
}

#[test]
fn what_people_signed_takes_nothing_from_the_limit_of_one() {
    let alone = Some(Ordered { customers: set([1, 2]), sessions: 1 });
    let orders = [
        PastOrder { alone: alone.clone(), ..past(1, 10, Some(set([1, 2]))) },
        past(2, 10, Some(set(0..1_000))),
        past(3, 11, None),
    ];
    let history = History::of(orders.clone(), 9, at(20));
    assert_eq!((history.last, history.last_of_incident), (3, 0));
    assert_eq!(Some(history.alone), alone, "over all incidents");
    let later = History::of(orders, 9, at(10) + alone::SPAN);
    assert_eq!(later.alone, Ordered::default());
}
