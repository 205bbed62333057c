//! Alarms.

use cofferdam_core::Timestamp;
use keys_api::{Alarm, AlarmKind};

use crate::support::{Tables, at};

on_both_databases!(
    a_repeated_alarm_is_one_alarm,
    our_own_alarm_rings_once_an_hour,
    alarms_at_once_are_all_kept,
);

fn alarm(seq: u64, count: u64) -> Alarm {
    Alarm {
        seq,
        first: at(10),
        last: at(10 + i64::try_from(count).unwrap()),
        kind: AlarmKind::Budget,
        caller: Some("web-ky-1".parse().unwrap()),
        count,
        detail: "past its budget".to_owned(),
    }
}

async fn a_repeated_alarm_is_one_alarm(tables: &Tables) {
    let store = &tables.store;
    assert_eq!(store.newest_alarm().await.unwrap(), 0);
    store.add_alarms(&[alarm(1, 1)]).await.unwrap();
    store.add_alarms(&[alarm(4, 7)]).await.unwrap();
    assert_eq!(store.newest_alarm().await.unwrap(), 4);
    let [copied] = <[_; 1]>::try_from(store.alarms(0, Timestamp::MIN).await.unwrap()).unwrap();
    assert_eq!((copied.kind.as_str(), copied.count), ("budget", 7));
    assert_eq!(copied.seq, 2, "whoever read the first state asks for what came after");
    assert_eq!((copied.first, copied.last), (at(10), at(17)));
    assert_eq!(copied.caller, Some("web-ky-1".parse().unwrap()));
}

async fn our_own_alarm_rings_once_an_hour(tables: &Tables) {
    let store = &tables.store;
    store.add_alarms(&[alarm(4, 7)]).await.unwrap();
    for second in [20, 21, 20 + 3_599, 20 + 3_601] {
        store.raise("witness_disagreement", "it shrank", at(second)).await.unwrap();
    }
    store.raise("witness_disagreement", "it shrank again", at(22)).await.unwrap();
    let alarms = store.alarms(0, Timestamp::MIN).await.unwrap();
    let seen: Vec<_> = alarms.iter().map(|a| (a.detail.as_str(), a.last)).collect();
    let expected = [
        ("past its budget", at(17)),
        ("it shrank", at(20)),
        ("it shrank", at(3_621)),
        ("it shrank again", at(22)),
    ];
    assert_eq!(seen, expected);
    assert_eq!(alarms[1].caller, None);
    assert_eq!(store.newest_alarm().await.unwrap(), 4, "our own alarms are not those of keys");
    assert_eq!(store.alarms(alarms[0].seq, Timestamp::MIN).await.unwrap().len(), 3);
    assert_eq!(store.alarms(0, at(22)).await.unwrap().len(), 2);
}

async fn alarms_at_once_are_all_kept(tables: &Tables) {
    let ring = |n: u32| {
        let store = tables.store.clone();
        tokio::spawn(async move {
            store.raise("clock_jump", &format!("clock {n}"), at(20)).await.unwrap();
            store.add_alarms(&[alarm(u64::from(n), 1)]).await.unwrap();
        })
    };
    for rung in (1..=8).map(ring).collect::<Vec<_>>() {
        rung.await.unwrap();
    }
    let alarms = tables.store.alarms(0, Timestamp::MIN).await.unwrap();
    // The alarms of keys are one alarm that rang again.
    assert_eq!(alarms.iter().filter(|alarm| alarm.kind == "clock_jump").count(), 8);
    assert_eq!(alarms.iter().filter(|alarm| alarm.kind == "budget").count(), 1);
}
