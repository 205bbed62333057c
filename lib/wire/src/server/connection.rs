//! One connection, from its first request to its end.

use std::convert::Infallible;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use cofferdam_core::ProblemType;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tower::{Service, ServiceExt};

use super::hall::Seat;
use super::metered::{Received, Sent};
use super::pace::{Limit, NextTurn};
use crate::Problem;

/// The largest head of a request, in bytes, and the most bytes that a connection reads or writes
/// ahead.
const BUFFER: usize = 64 << 10;

/// The time limits of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// The longest time from one answer until the client has read it and sent the whole head of its
    /// next request.
    pub quiet: Duration,
    /// The longest time for the body of a request.
    pub body: Duration,
    /// The pace of its requests, if they have one of their own.
    pub pace: Option<Limit>,
}

/// Serves one connection until it ends, or has to be closed.
pub async fn serve<G, IO, S>(stream: IO, service: S, seat: Seat<G>, times: Times, watcher: Watcher)
where
    G: Clone + Eq + Hash + Unpin + Send + Sync + 'static,
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let seat = Arc::new(seat);
    let next_turn = Arc::new(Mutex::new(NextTurn::default()));
    let answering = seat.clone();
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let (service, seat) = (service.clone(), answering.clone());
        let turn = times.pace.map(|limit| take_turn(&next_turn, limit));
        async move {
            // Until its turn, the connection may be closed for another one.
            if let Some(turn) = turn {
                tokio::time::sleep_until(turn).await;
            }
            seat.waits(times.body);
            let request = request.map(|body| Body::new(Received::new(body, seat.clone())));
            let response = service.oneshot(request).await?;
            seat.waits(times.quiet);
            Ok::<_, Infallible>(metered(response, &seat))
        }
    });
    let connection =
        http1::Builder::new().max_buf_size(BUFFER).serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        ended = watcher.watch(connection) => if let Err(e) = ended {
            tracing::debug!(cause = %e, "a connection ended early");
        },
        () = seat.over() => {}
    }
}

fn take_turn(next: &Mutex<NextTurn>, limit: Limit) -> Instant {
    let mut next = next.lock().unwrap_or_else(PoisonError::into_inner);
    next.take(limit, 1, Instant::now())
}

/// The answer, counted while it is in memory. Without room for it, a refusal.
fn metered<G>(response: Response, seat: &Arc<Seat<G>>) -> Response
where
    G: Clone + Eq + Hash + Unpin + Send + Sync + 'static,
{
    let (head, body) = response.into_parts();
    if let Ok(body) = Sent::new(body, seat.clone()) {
        Response::from_parts(head, Body::new(body))
    } else {
        let detail = "too much is on its way to this caller; read the answers first";
        Problem::new(ProblemType::UNAVAILABLE, detail).into_response()
    }
}
