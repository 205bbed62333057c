//! The caller and the address of a request, as extractors.

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use cofferdam_core::{CallerName, ProblemType};

use crate::Problem;

/// The identity in the client's certificate, as an extractor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller(pub CallerName);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| Problem::not_granted("the certificate names no caller"))
    }
}

/// The client's IP address, as an extractor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

impl<S: Send + Sync> FromRequestParts<S> for Peer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let unknown = || Problem::new(ProblemType::INTERNAL, "the client's address is unknown");
        parts.extensions.get::<Self>().copied().ok_or_else(unknown)
    }
}
