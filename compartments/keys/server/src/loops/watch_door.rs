//! Alarms for clients that come without a good certificate.

use std::sync::Arc;

use cofferdam_wire::RefusedClient;
use keys_api::AlarmKind;
use tokio::sync::mpsc;

use crate::app::App;

/// Runs until the listener is gone.
pub async fn watch_door(app: Arc<App>, mut refused: mpsc::Receiver<RefusedClient>) {
    while let Some(RefusedClient { peer, why }) = refused.recv().await {
        let detail = format!("{peer} knocked with a bad certificate: {why}");
        app.alarms.ring(app.now().await, AlarmKind::BadCertificate, None, detail).await;
    }
}
