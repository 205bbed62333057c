//! Load for measurements: calls one after the other, on each of many connections.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

/// The figures of a load.
pub struct Measured {
    /// The number of calls in a second.
    pub calls: f64,
    /// The median duration of a call, in milliseconds.
    pub median_ms: f64,
    /// The 99th percentile of the duration, in milliseconds.
    pub p99_ms: f64,
}

/// Runs `call` in a loop, in `connections` tasks at once. Each call gets a number of its own.
pub async fn measure<F>(
    span: Duration,
    connections: usize,
    call: impl Fn(u32) -> F + Clone + Send + 'static,
) -> Measured
where
    F: Future<Output = ()> + Send,
{
    let next = Arc::new(AtomicU32::new(0));
    let start = Instant::now();
    let mut workers = JoinSet::new();
    for _ in 0..connections {
        let (next, call) = (next.clone(), call.clone());
        workers.spawn(async move {
            let mut took = Vec::new();
            while start.elapsed() < span {
                let began = Instant::now();
                call(next.fetch_add(1, Ordering::Relaxed)).await;
                took.push(began.elapsed());
            }
            took
        });
    }
    let mut all: Vec<Duration> = workers.join_all().await.into_iter().flatten().collect();
    let elapsed = start.elapsed().as_secs_f64();
    let calls = f64::from(u32::try_from(all.len()).unwrap());
    all.sort_unstable();
    let at =
        |part: usize| all.get(all.len() * part / 100).map_or(0.0, |took| took.as_secs_f64() * 1e3);
    Measured { calls: calls / elapsed, median_ms: at(50), p99_ms: at(99) }
}
