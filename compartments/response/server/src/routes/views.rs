//! Calls that show personal data. Such a call reaches its handler only after the view is journalled.

use std::future::Future;
use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::Call;
use cofferdam_wire::{Answer, Body, Problem, Routes};
use response_api as api;
use response_api::{IncidentId, JournalAct, LetterId};

use crate::app::App;
use crate::staff::Staff;

/// A call that shows personal data: names, addresses, or who is exposed in what.
pub trait View: Call {
    /// The act in the journal.
    const ACT: JournalAct;

    /// The incident or the letter that the view belongs to.
    fn subject(&self) -> Subject;

    /// One sentence about the view, without personal data.
    fn detail(&self) -> String;
}

/// The journal that names a view.
pub enum Subject {
    /// The journal of an incident.
    Incident(IncidentId),
    /// The journal of a letter's incident.
    Letter(LetterId),
    /// The journal of acts that belong to no incident.
    Nothing,
}

/// The table of routes, and which of them are views.
pub struct Table {
    routes: Routes<Arc<App>>,
    views: Vec<&'static str>,
}

impl Table {
    /// An empty table.
    pub fn new() -> Self {
        Self { routes: Routes::new(), views: Vec::new() }
    }

    /// Serves a call that shows no personal data, or journals it itself.
    pub fn call<C, H, T>(mut self, handler: H) -> Self
    where
        C: Call,
        H: axum::handler::Handler<T, Arc<App>>,
        T: 'static,
    {
        self.routes = self.routes.call::<C, H, T>(handler);
        self
    }

    /// Serves a view. `show` gets the call once it is in the journal.
    pub fn view<C, F, R>(mut self, show: F) -> Self
    where
        C: View + 'static,
        C::Answer: 'static,
        F: Fn(Arc<App>, C) -> R + Clone + Send + Sync + 'static,
        R: Future<Output = Result<C::Answer, Problem>> + Send,
    {
        let handle = move |State(app): State<Arc<App>>, Staff(by): Staff, body: Body<C>| {
            let show = show.clone();
            async move {
                let Body(call, encoding) = body;
                let incident = match call.subject() {
                    Subject::Incident(incident) => app.incident(incident).await?.incident,
                    Subject::Letter(letter) => app.letter(letter).await?.incident,
                    Subject::Nothing => IncidentId::NONE,
                };
                app.store.journal(&app.act(incident, &by, C::ACT, call.detail())).await?;
                Ok::<_, Problem>(Answer(show(app, call).await?, encoding))
            }
        };
        self.views.push(C::PATH);
        self.routes = self.routes.call::<C, _, _>(handle);
        self
    }

    /// The routes, and the paths of the views among them.
    pub fn finish(self) -> (Routes<Arc<App>>, Vec<&'static str>) {
        (self.routes, self.views)
    }
}

impl View for api::ReadLedger {
    const ACT: JournalAct = JournalAct::ReadLedger;

    fn subject(&self) -> Subject {
        Subject::Letter(self.letter)
    }

    fn detail(&self) -> String {
        format!("the ledger of letter {}, from person {} on", self.letter, self.from)
    }
}

impl View for api::ListReturned {
    const ACT: JournalAct = JournalAct::ListReturned;

    fn subject(&self) -> Subject {
        Subject::Letter(self.letter)
    }

    fn detail(&self) -> String {
        format!("what came back of letter {}, from person {} on", self.letter, self.from)
    }
}

impl View for api::ReadReturned {
    const ACT: JournalAct = JournalAct::ReadReturned;

    fn subject(&self) -> Subject {
        Subject::Letter(self.letter)
    }

    fn detail(&self) -> String {
        format!("letter {}, message {} of person {}", self.letter, self.number, self.person)
    }
}

impl View for api::ReadPaperPost {
    const ACT: JournalAct = JournalAct::ReadPaperPost;

    fn subject(&self) -> Subject {
        Subject::Letter(self.letter)
    }

    fn detail(&self) -> String {
        format!("letter {}, from person {} on", self.letter, self.from)
    }
}

impl View for api::ReadExposure {
    const ACT: JournalAct = JournalAct::ReadExposure;

    fn subject(&self) -> Subject {
        Subject::Incident(self.incident)
    }

    fn detail(&self) -> String {
        format!("who is exposed in {}, {}", self.field, self.level.as_str())
    }
}

impl View for api::DraftVoidOrder {
    const ACT: JournalAct = JournalAct::ReadExposure;

    fn subject(&self) -> Subject {
        Subject::Incident(self.incident)
    }

    fn detail(&self) -> String {
        "everybody exposed, for an order that voids their credentials".to_owned()
    }
}

impl View for api::ListEvidence {
    const ACT: JournalAct = JournalAct::ListEvidence;

    fn subject(&self) -> Subject {
        Subject::Incident(self.incident)
    }

    fn detail(&self) -> String {
        format!("the entries of log {}, from {} on", self.log, self.from)
    }
}

impl View for api::ReadGrounds {
    const ACT: JournalAct = JournalAct::ReadGrounds;

    fn subject(&self) -> Subject {
        Subject::Incident(self.incident)
    }

    fn detail(&self) -> String {
        "the keys that verify the evidence, and the notice".to_owned()
    }
}

impl View for api::ReadPerson {
    const ACT: JournalAct = JournalAct::ReadPerson;

    fn subject(&self) -> Subject {
        Subject::Incident(self.incident)
    }

    fn detail(&self) -> String {
        format!("record {}", self.record)
    }
}

impl View for api::ResolveCustomerNumber {
    const ACT: JournalAct = JournalAct::ResolveCustomerNumber;

    fn subject(&self) -> Subject {
        Subject::Incident(self.incident)
    }

    fn detail(&self) -> String {
        format!("customer number {}", self.number)
    }
}

impl View for api::FindPerson {
    const ACT: JournalAct = JournalAct::FindPerson;

    fn subject(&self) -> Subject {
        Subject::Nothing
    }

    fn detail(&self) -> String {
        "a person of the brought table, by the shop's key".to_owned()
    }
}
