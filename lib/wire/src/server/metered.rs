//! Bodies that are counted while they are in memory, so that the sum of them is bounded.

use std::hash::Hash;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::BoxError;
use axum::body::{Body, HttpBody};
use cofferdam_core::RoomFull;
use hyper::body::{Bytes, Frame, Incoming, SizeHint};

use super::hall::Seat;

/// The most bytes of an answer that are handed to the connection at once. What is handed over is no
/// longer counted.
const PART: usize = 64 << 10;

/// The body of a request. Its bytes are held by the connection's seat until the request is answered.
pub struct Received<G: Clone + Eq + Hash> {
    body: Incoming,
    seat: Arc<Seat<G>>,
    bytes: u64,
}

/// The body of an answer. Its bytes are held until the connection has sent nearly all of them.
pub struct Sent<G: Clone + Eq + Hash> {
    body: Body,
    /// What the connection has not taken of the current frame.
    rest: Bytes,
    seat: Arc<Seat<G>>,
}

impl<G: Clone + Eq + Hash> Received<G> {
    pub fn new(body: Incoming, seat: Arc<Seat<G>>) -> Self {
        if body.is_end_stream() {
            seat.works();
        }
        Self { body, seat, bytes: 0 }
    }
}

impl<G: Clone + Eq + Hash + Unpin> HttpBody for Received<G> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let frame = ready!(Pin::new(&mut this.body).poll_frame(context));
        let Some(Ok(frame)) = frame else {
            this.seat.works();
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        };
        this.bytes += frame.data_ref().map_or(0, Bytes::len) as u64;
        if let Err(full) = this.seat.holds(this.bytes) {
            return Poll::Ready(Some(Err(full.into())));
        }
        if this.body.is_end_stream() {
            this.seat.works();
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<G: Clone + Eq + Hash> Sent<G> {
    /// Holds the bytes of an answer instead of those of its request.
    pub fn new(body: Body, seat: Arc<Seat<G>>) -> Result<Self, RoomFull> {
        seat.holds(body.size_hint().lower())?;
        Ok(Self { body, rest: Bytes::new(), seat })
    }
}

impl<G: Clone + Eq + Hash + Unpin> HttpBody for Sent<G> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        if this.rest.is_empty() {
            match ready!(Pin::new(&mut this.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => this.rest = data,
                    Err(frame) => return Poll::Ready(Some(Ok(frame))),
                },
                Some(Err(e)) => return Poll::Ready(Some(Err(e.into()))),
                None => return Poll::Ready(None),
            }
        }
        let part = this.rest.split_to(PART.min(this.rest.len()));
        Poll::Ready(Some(Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (hint, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut whole = SizeHint::new();
        whole.set_lower(hint.lower() + rest);
        if let Some(upper) = hint.upper() {
            whole.set_upper(upper + rest);
        }
        whole
    }
}

impl<G: Clone + Eq + Hash> Drop for Sent<G> {
    fn drop(&mut self) {
        // To hold less never fails. A connection that had to go holds nothing anyway.
        let _ = self.seat.holds(0);
    }
}
