//! Staff: no route runs without the certificate of a member of staff.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use cofferdam_core::CallerName;
use cofferdam_wire::{Caller, Peer, Problem};

use crate::app::App;

/// The author of an act, as the journal names a member of staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The name in the certificate.
    pub name: CallerName,
    /// The address that the request came from.
    pub from: String,
}

/// An extractor that lets only staff through.
#[derive(Debug, Clone)]
pub struct Staff(pub Author);

impl FromRequestParts<Arc<App>> for Staff {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let Caller(name) = Caller::from_request_parts(parts, app).await?;
        if !app.config.staff.contains(&name) {
            tracing::warn!(caller = %name, "a caller that is not staff was refused");
            return Err(Problem::not_granted("only staff may call this"));
        }
        let Peer(from) = Peer::from_request_parts(parts, app).await?;
        Ok(Self(Author { name, from: from.to_string() }))
    }
}
