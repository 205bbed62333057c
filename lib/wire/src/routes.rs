//! The table of a compartment's routes. The router, the OpenAPI document and the test that makes
//! every call without a grant all use this one table.

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodRouter, get, post};
use cofferdam_core::{Call, ProblemType};
use schemars::Schema;
use schemars::generate::SchemaGenerator;
use serde_json::Value;

/// Routes over a state `S`, and their documentation.
pub struct Routes<S> {
    router: Router<S>,
    calls: Vec<CallRoute>,
    gets: Vec<GetRoute>,
}

/// The documentation of a call.
pub(crate) struct CallRoute {
    pub(crate) path: &'static str,
    /// The name of the request type.
    pub(crate) name: String,
    pub(crate) compact: bool,
    pub(crate) problems: &'static [ProblemType],
    /// Registers the schemas of request and answer and returns them.
    pub(crate) schemas: fn(&mut SchemaGenerator) -> (Schema, Schema),
    /// Parses a request and an answer, to check the examples.
    pub(crate) parses: fn(&Value, &Value) -> Result<(), serde_json::Error>,
}

/// The documentation of a route that is no call, such as a file for public tools or metrics.
pub(crate) struct GetRoute {
    pub(crate) path: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) media: &'static str,
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// An empty table.
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
            parses: |request, answer| {
                serde_json::from_value::<C>(request.clone())?;
                serde_json::from_value::<C::Answer>(answer.clone())?;
                Ok(())
            },
        });
        self
    }

    /// Serves a file or a page at `GET path`. `about` is a sentence on it and its media type.
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

    /// The paths of all calls, in the order of the table.
    #[must_use]
    pub fn paths(&self) -> Vec<&'static str> {
        self.calls.iter().map(|route| route.path).collect()
    }

    /// The router of the table over `state`.
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
