//! The load: releases of one field.

use std::time::Duration;

use cofferdam_core::{Domain, Field, FieldSet, Operation, Record};
use keys_api::{KeyGroup, ReleaseKeys};
use testkit::load::{Measured, measure};

use crate::estate::Keys;

/// Releases one field of `batch` records in each call, spread over all `records`.
pub async fn run(
    keys: &Keys,
    span: Duration,
    connections: usize,
    batch: u32,
    records: u32,
) -> Measured {
    let client = keys.client();
    measure(span, connections, move |number| {
        let client = client.clone();
        async move {
            // The stride is prime, so the calls visit all records in turn.
            let first = number.wrapping_mul(7_919).wrapping_mul(batch) % (records - batch);
            let group = KeyGroup {
                fields: FieldSet::EMPTY.with(Field::Email),
                unset: FieldSet::EMPTY,
                epoch: None,
                records: (first..first + batch).map(Record).collect(),
            };
            let call = ReleaseKeys {
                domain: Domain::Accounts,
                caller: "web-1".parse().unwrap(),
                operation: Operation::Release,
                groups: vec![group],
                warrant: None,
                presence: None,
            };
            let released = client.call(&call).await.unwrap();
            assert_eq!(released.groups[0].records.len(), batch as usize);
        }
    })
    .await
}
