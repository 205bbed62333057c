//! Customers who move to another epoch, and to another half with it.

use accounts_server::store::{Credential, MovedAtRest, MovedCustomers, SealedCustomer, Store};
use cofferdam_core::{Epoch, Record};
use keys_client::{AtRest, HalfSpan};

use super::{at, customer, index, write};

fn under_half(bytes: Vec<u8>) -> AtRest {
    AtRest { half: Some(Epoch(4)), bytes }
}

/// All customers with all that rests, sealed anew under half 4.
async fn moved_to_half(store: &Store, records: &[Record]) -> MovedCustomers {
    let sealed = store.sealed_before(Record(0), Epoch(4), 500).await.unwrap();
    let verifiers = store.verifiers_of(records).await.unwrap();
    let indexes = store.indexes_of(records).await.unwrap();
    assert_eq!([sealed.len(), verifiers.len(), indexes.len()], [records.len(); 3]);
    MovedCustomers {
        customers: sealed
            .into_iter()
            .map(|of| {
                let sealed = of.sealed.keys().map(|field| (*field, vec![4; 33])).collect();
                (of.epoch, SealedCustomer { epoch: Epoch(4), sealed, ..of })
            })
            .collect(),
        verifiers: verifiers
            .into_iter()
            .map(|(record, old)| MovedAtRest { record, old, new: under_half(vec![4; 48]) })
            .collect(),
        indexes: indexes
            .into_iter()
            .map(|(record, old)| {
                let new = under_half(record.0.to_le_bytes().repeat(12));
                MovedAtRest { record, old, new }
            })
            .collect(),
    }
}

/// Customers are erased while they move: whichever comes first, nothing of them stays.
pub async fn an_erasure_during_a_move_leaves_nothing(store: &Store) {
    for round in 0..5 {
        let records = round * 100..(round + 1) * 100;
        write(store, records.clone()).await.unwrap();
        let all: Vec<_> = records.map(Record).collect();
        let moved = moved_to_half(store, &all).await;
        let erase = async {
            for record in &all {
                store.erase_customer(*record, at(1)).await.unwrap();
            }
        };
        let (done, ()) = tokio::join!(store.move_customers(moved, Epoch(4)), erase);
        done.unwrap();
        assert!(store.verifiers_of(&all).await.unwrap().is_empty(), "a verifier came back");
        assert!(store.indexes_of(&all).await.unwrap().is_empty(), "an address came back");
    }
}

pub async fn customers_move_with_all_that_rests(store: &Store) {
    assert_eq!(store.sealed_upto().await.unwrap(), None);
    write(store, 0..230).await.unwrap();
    assert_eq!(store.sealed_upto().await.unwrap(), Some(Epoch(3)));
    let moved = moved_to_half(store, &(0..230).map(Record).collect::<Vec<_>>()).await;
    // Meanwhile one customer is erased, and another one sets a password.
    store.erase_customer(Record(7), at(1)).await.unwrap();
    let credential = Credential { verifier: under_half(vec![5; 48]), ..customer(9).credential };
    let mut tx = store.begin().await.unwrap();
    store.set_credential(&mut tx, Record(9), &credential).await.unwrap();
    tx.commit().await.unwrap();
    let elsewhere = store.resting_elsewhere(Epoch(4), 500).await.unwrap();
    assert_eq!((elsewhere.len(), elsewhere.contains(&Record(7))), (229, false));
    let holds = async |from, until| {
        store.holds_under(HalfSpan { from: Epoch(from), until: Epoch(until) }).await.unwrap()
    };
    assert!(
        holds(3, 4).await && holds(4, 9).await,
        "texts of epoch 3, and a password under half 4"
    );
    store.move_customers(moved, Epoch(4)).await.unwrap();
    assert!(store.resting_elsewhere(Epoch(4), 500).await.unwrap().is_empty());
    assert!(!holds(0, 4).await && holds(4, 9).await && !holds(5, 9).await);

    assert!(store.sealed_before(Record(0), Epoch(4), 500).await.unwrap().is_empty());
    let old: Vec<_> = (0..230).map(index).collect();
    assert!(store.find_all(&old).await.unwrap().is_empty(), "an index stayed");
    let new = |n: u32| n.to_le_bytes().repeat(12);
    let found = store.find_all(&(0..230).map(new).collect::<Vec<_>>()).await.unwrap();
    assert_eq!(found.len(), 229);
    assert!(!found.contains_key(&new(7)), "the address of an erased customer came back");
    for (n, verifier) in [(8, vec![4; 48]), (9, vec![5; 48]), (229, vec![4; 48])] {
        let known = store.credential(&[index(n), new(n)]).await.unwrap().unwrap();
        assert_eq!((known.record, known.credential.verifier), (Record(n), under_half(verifier)));
    }
}
