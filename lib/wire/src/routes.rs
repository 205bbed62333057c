//! The table of a compartment's routes. One table serves three readers: the router, the test that
//! tries every call without a right to it, and the OpenAPI document.

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodRouter, get, post};
use cofferdam_core::{Call, ProblemType};
use schemars::Schema;
use schemars::generate::SchemaGenerator;
use serde_json::Value;

/// Routes over a state `S`, each with what the documents say of it.
pub struct Routes<S> {
    router: Router<S>,
    calls: Vec<CallRoute>,
    gets: Vec<GetRoute>,
}

/// What the documents say of a call.
pub(crate) struct CallRoute {
    pub(crate) path: &'static str,
    /// The name of the request type.
    pub(crate) name: String,
    pub(crate) compact: bool,
    pub(crate) problems: &'static [ProblemType],
    /// Adds the schemas of request and answer.
    pub(crate) schemas: fn(&mut SchemaGenerator) -> (Schema, Schema),
    /// Reads a request and an answer, as the examples are.
    pub(crate) reads: fn(&Value, &Value) -> Result<(), serde_json::Error>,
}

/// A route that is no call: a file for public tools, or figures.
pub(crate) struct GetRoute {
    pub(crate) path: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) media: &'static str,
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// No route yet.
    #[must_use]
    pub fn new() -> Self {
        Self { router: Router::new(), calls: Vec::new(), gets: Vec::new() }
    }

    /// Serves the call `C` at `POST C::PATH`.
    #[must_use]
    pub fn call<C, H, T>(mut self, handler: H) -> Self
    where
        C: Call,
        H: Handler<T, S>,
        T: 'static,
    {
        self.router = self.router.route(C::PATH, post(handler));
        self.calls.push(CallRoute {
            path: C::PATH,
            name: C::schema_name().into_owned(),
            compact: C::COMPACT,
            problems: C::PROBLEMS,
            schemas: |all| (all.subschema_for::<C>(), all.subschema_for::<C::Answer>()),
            reads: |request, answer| {
                serde_json::from_value::<C>(request.clone())?;
                serde_json::from_value::<C::Answer>(answer.clone())?;
                Ok(())
            },
        });
        self
    }

    /// Serves a file or a page of a media type at `GET path`.
    #[must_use]
    pub fn get<H, T>(
        mut self,
        path: &'static str,
        about: (&'static str, &'static str),
        handler: H,
    ) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        let route: MethodRouter<S> = get(handler);
        self.router = self.router.route(path, route);
        self.gets.push(GetRoute { path, summary: about.0, media: about.1 });
        self
    }

    /// The paths of all calls.
    #[must_use]
    pub fn paths(&self) -> Vec<&'static str> {
        self.calls.iter().map(|route| route.path).collect()
    }

    /// The router, with its state.
    pub fn into_router(self, state: S) -> Router {
        self.router.with_state(state)
    }

    pub(crate) fn calls(&self) -> &[CallRoute] {
        &self.calls
    }

    pub(crate) fn gets(&self) -> &[GetRoute] {
        &self.gets
    }
}

impl<S: Clone + Send + Sync + 'static> Default for Routes<S> {
    fn default() -> Self {
        Self::new()
    }
}
