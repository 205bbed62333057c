//! Metrics for Prometheus. Labels hold only routes, statuses, operations and callers' names, and
//! never personal data.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// The upper bounds of the buckets for durations, in seconds.
const SECONDS: [f64; 12] =
    [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// Installs the metrics recorder. Later calls do nothing, and a recorder that other code installed
/// stays.
pub fn init_metrics() {
    RECORDER.get_or_init(|| {
        let builder = PrometheusBuilder::new();
        let buckets = Matcher::Suffix("_seconds".to_owned());
        let builder = match builder.set_buckets_for_metric(buckets, &SECONDS) {
            Ok(builder) => builder,
            Err(_) => PrometheusBuilder::new(),
        };
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("other code has installed a metrics recorder; /metrics will stay empty");
        }
        handle
    });
}

/// The metrics in Prometheus's text format; empty before [`init_metrics`].
#[must_use]
pub fn render_metrics() -> String {
    RECORDER
        .get()
        .map(|handle| {
            handle.run_upkeep();
            handle.render()
        })
        .unwrap_or_default()
}
