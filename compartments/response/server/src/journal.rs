//! Journalling acts. An act on our own tables is journalled in the transaction that does it. An act
//! that reaches another compartment is journalled as intended and as done, so that a crash between
//! the two shows.

use std::future::Future;
use std::sync::Arc;

use cofferdam_wire::{Problem, to_the_end};
use response_api::{ActStage, IncidentId, JournalAct};

use crate::app::App;
use crate::staff::Author;
use crate::store::Act;

impl App {
    /// Makes an act that is dated now.
    pub fn act(
        &self,
        incident: IncidentId,
        by: &Author,
        action: JournalAct,
        detail: impl Into<String>,
    ) -> Act {
        let detail = detail.into();
        Act { incident, at: self.now(), by: by.clone(), action, detail, stage: None }
    }

    /// Does work that reaches another compartment. It is journalled as intended before, and as done
    /// or failed afterwards. The work goes on even if the caller leaves.
    pub async fn journalled<T: Send + 'static>(
        self: &Arc<Self>,
        act: Act,
        work: impl Future<Output = Result<T, Problem>> + Send + 'static,
    ) -> Result<T, Problem> {
        let (app, done) = (self.clone(), act.clone());
        let work = async move {
            let result = work.await?;
            app.store.journal(&app.at_stage(&done, ActStage::Done)).await?;
            Ok(result)
        };
        self.intended(act, work).await
    }

    /// Does work whose last step journals it as done, in one transaction with that step.
    pub async fn intended<T: Send + 'static>(
        self: &Arc<Self>,
        act: Act,
        work: impl Future<Output = Result<T, Problem>> + Send + 'static,
    ) -> Result<T, Problem> {
        let app = self.clone();
        let all = async move {
            app.store.journal(&app.at_stage(&act, ActStage::Intended)).await?;
            let result = work.await;
            if let Err(problem) = &result {
                let mut failed = app.at_stage(&act, ActStage::Failed);
                failed.detail = format!("{}: {}", failed.detail, problem.code());
                app.store.journal(&failed).await?;
            }
            result
        };
        to_the_end(all).await?
    }

    /// An act at a stage, dated now.
    pub fn at_stage(&self, act: &Act, stage: ActStage) -> Act {
        Act { at: self.now(), stage: Some(stage), ..act.clone() }
    }
}
