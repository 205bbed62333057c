//! The pace of those who ask: whoever asks faster waits for a turn.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use cofferdam_core::CallerName;
use hyper::body::{Bytes, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

/// How often somebody may ask.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// The time between two requests, in the long run.
    pub step: Duration,
    /// The requests that need no turn after a rest.
    pub at_once: u32,
}

/// The limit of a caller's requests. After a rest, it may ask once on each connection that it may have.
pub const REQUESTS: Limit = Limit { step: Duration::from_millis(1), at_once: 256 };
/// The limit of the bodies of a caller's requests, in KiB: 65 MiB a second, and after a rest the largest
/// body at once. To decrypt more than that would delay the answers to others.
pub const BODIES: Limit = Limit { step: Duration::from_micros(15), at_once: 16 << 10 };
/// The longest wait for a turn. Connections that end take turns which nobody uses.
const LONGEST: Duration = Duration::from_secs(5);
/// The turns that a refused request takes. A frozen caller, or one without a grant, has no reason to
/// ask often.
const REFUSED: u32 = 10;

/// The next turn of one who asks; `None` before the first request.
#[derive(Debug, Default)]
pub struct NextTurn(Option<Instant>);

impl NextTurn {
    /// Takes the next turns, and returns the first. One in the past is over at once.
    pub fn take(&mut self, limit: Limit, turns: u32, now: Instant) -> Instant {
        let rested = now.checked_sub(limit.step * limit.at_once).unwrap_or(now);
        let turn = self.0.unwrap_or(rested).max(rested);
        self.0 = Some(turn + limit.step * turns);
        turn
    }
}

/// The next turn of each caller. A caller has at most as many requests waiting as
/// connections, so a wait is short.
pub struct Pace {
    limit: Limit,
    next: Mutex<HashMap<CallerName, NextTurn>>,
}

impl Pace {
    /// A pace in which every caller is rested.
    pub fn new(limit: Limit) -> Self {
        Self { limit, next: Mutex::default() }
    }

    /// Waits for the caller's next turn.
    pub async fn wait(&self, caller: &CallerName) {
        sleep_until(self.take_turns(caller, 1, Instant::now())).await;
    }

    /// The turn of a part of a body; `None` if it is over already.
    fn turn_of(&self, caller: &CallerName, part: usize) -> Option<Instant> {
        let (now, kib) = (Instant::now(), u32::try_from(part.div_ceil(1024)).unwrap_or(u32::MAX));
        Some(self.take_turns(caller, kib, now)).filter(|turn| *turn > now)
    }

    /// Notes that the request for which the caller waited was refused.
    pub fn note_refusal(&self, caller: &CallerName) {
        self.take_turns(caller, REFUSED - 1, Instant::now());
    }

    fn take_turns(&self, caller: &CallerName, turns: u32, now: Instant) -> Instant {
        let mut all = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let next = all.entry(caller.clone()).or_default();
        let turn = next.take(self.limit, turns, now);
        next.0 = next.0.min(Some(now + LONGEST));
        turn
    }
}

/// The body of a caller's request. All such bodies of a caller together keep a pace.
pub struct Paced {
    body: Body,
    caller: CallerName,
    pace: Arc<Pace>,
    /// The wait before the next part.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Paced {
    pub const fn new(body: Body, caller: CallerName, pace: Arc<Pace>) -> Self {
        Self { body, caller, pace, waiting: None }
    }
}

impl HttpBody for Paced {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        if let Some(waiting) = &mut this.waiting {
            ready!(waiting.as_mut().poll(context));
            this.waiting = None;
        }
        let frame = ready!(Pin::new(&mut this.body).poll_frame(context));
        if let Some(Ok(frame)) = &frame {
            let part = frame.data_ref().map_or(0, Bytes::len);
            let turn = this.pace.turn_of(&this.caller, part);
            this.waiting = turn.map(|turn| Box::pin(sleep_until(turn)));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::MAX_BODY;

    #[test]
    fn a_caller_that_asks_without_end_waits_and_others_do_not() {
        let (pace, now) = (Pace::new(REQUESTS), Instant::now() + Duration::from_hours(1));
        let [busy, other] = ["web-ky-1", "web-ky-2"].map(|name| name.parse().unwrap());
        let Limit { step, at_once } = REQUESTS;
        for _ in 0..=at_once {
            assert!(pace.take_turns(&busy, 1, now) <= now);
        }
        assert_eq!(pace.take_turns(&busy, 1, now), now + step);
        pace.take_turns(&busy, 1_000, now);
        assert_eq!(pace.take_turns(&busy, 1, now), now + step * 1_002);
        assert!(pace.take_turns(&other, 1, now) <= now);
        let later = now + Duration::from_mins(1);
        assert!(pace.take_turns(&busy, 1, later) <= later, "after a rest it need not wait");
    }

    const PART: usize = 64 << 10;

    /// A body of that many parts.
    struct Parts(usize);

    impl HttpBody for Parts {
        type Data = Bytes;
        type Error = axum::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
            let left = self.0.checked_sub(1);
            let part = left.map(|left| {
                self.0 = left;
                Ok(Frame::data(Bytes::from(vec![0; PART])))
            });
            Poll::Ready(part)
        }
    }

    /// The parts of bodies that come in at an instant take turns for a while, however many they are.
    #[test]
    fn turns_of_bodies_that_never_come_are_forgotten() {
        let (pace, now) = (Pace::new(BODIES), Instant::now() + Duration::from_hours(1));
        let caller = "web-ky-1".parse().unwrap();
        let mib = 1 << 10;
        for _ in 0..=16 {
            assert!(pace.take_turns(&caller, mib, now) <= now, "the largest body needs no turn");
        }
        assert_eq!(pace.take_turns(&caller, mib, now), now + BODIES.step * mib);
        for _ in 0..1_000 {
            pace.take_turns(&caller, mib, now);
        }
        assert_eq!(pace.take_turns(&caller, mib, now), now + LONGEST);
    }

    #[tokio::test(start_paused = true)]
    async fn bodies_of_a_caller_share_a_pace_and_come_whole() {
        let (pace, began) = (Arc::new(Pace::new(BODIES)), Instant::now());
        let caller: CallerName = "web-ky-1".parse().unwrap();
        let read = async |caller: &CallerName| {
            let parts = Body::new(Parts(4 * MAX_BODY / PART));
            let body = Paced::new(parts, caller.clone(), pace.clone());
            axum::body::to_bytes(Body::new(body), usize::MAX).await.unwrap().len()
        };
        assert_eq!(read(&caller).await, 4 * MAX_BODY);
        let took = began.elapsed();
        let whole = BODIES.step * BODIES.at_once * 3;
        assert!(took >= whole.mul_f64(0.9) && took < whole.mul_f64(1.1), "{took:?} of {whole:?}");
        read(&"web-ky-2".parse().unwrap()).await;
    }
}
