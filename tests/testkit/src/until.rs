//! Waiting for something that happens by itself.

use std::time::Duration;

/// Waits until `holds` is true, and fails if it never is.
pub async fn until(mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..200 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never comes to hold");
}
