//! Clients without a good certificate, and the metrics.

use std::time::Duration;

use keys_api::{AlarmKind, ListCallers};
use testkit::Authority;

use crate::support::Keys;

#[tokio::test]
async fn a_foreign_certificate_raises_an_alarm() {
    let keys = Keys::start().await;
    let strange = keys.strange_client(&Authority::new(), "response-1");
    for _ in 0..3 {
        assert!(strange.call(&ListCallers {}).await.unwrap_err().problem().is_none());
    }
    for _ in 0..100 {
        let alarms = keys.alarms().await;
        if let Some(alarm) = alarms.iter().find(|a| a.kind == AlarmKind::BadCertificate) {
            assert!(alarm.detail.starts_with("127.0.0.1 knocked"), "{}", alarm.detail);
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nobody was told");
}

#[tokio::test]
async fn metrics_are_for_the_controller_and_auditors_and_name_nobody() {
    let keys = Keys::start().await;
    keys.release("web-ky-1", &[1, 2, 3]).await.unwrap();
    let shown = keys.get("auditor-1", "/metrics").await;
    assert!(shown.contains("cofferdam_released_records_total{operation=\"release\"}"), "{shown}");
    assert!(shown.contains("cofferdam_requests_total{route=\"/v1/keys/release\",status=\"200\"}"));
    let refused = keys.get("web-ky-1", "/metrics").await;
    assert!(refused.contains("not-granted"), "{refused}");
    for path in ["/checkpoint", "/tile/0/000.p/1", "/tile/entries/000.p/1"] {
        assert!(keys.get("web-ky-1", path).await.contains("not-granted"), "{path}");
        assert!(!keys.get("auditor-1", path).await.contains("urn:cofferdam"), "{path}");
    }
    for path in ["/tile/0/999", "/tile/x", "/tile/entries/../../secret"] {
        assert!(keys.get("auditor-1", path).await.contains("not-found"), "{path}");
    }
}
