//! The instances of a compartment, and which of them answers. A client stays with one instance while it
//! answers. It turns to another one when it can't connect, when nothing comes back, or when the instance
//! says that it does not work.

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::Client;

/// The time for which an answer shows that an instance is there.
const HEARD_FOR: Duration = Duration::from_millis(100);
/// The time by which the instance that answered last is preferred.
const HEAD_START: Duration = Duration::from_millis(40);
/// The time by which an instance is preferred that has a call already.
const LONGER_HEAD_START: Duration = Duration::from_millis(150);
/// The time after which an instance is taken that answers, although none has told that it works.
const ANY_AFTER: Duration = Duration::from_millis(250);
/// The longest time that an instance takes to tell that it works.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
/// The time without an answer after which the instances are asked whether they are still there.
const PATIENCE: Duration = Duration::from_millis(100);

/// The base URLs of the instances, and the one that answered last.
pub(super) struct Instances {
    bases: Box<[Arc<str>]>,
    preferred: AtomicUsize,
    heard: Mutex<Option<Instant>>,
    /// Held while the instances are asked which of them answers.
    choosing: tokio::sync::Mutex<()>,
}

impl Instances {
    pub fn new(bases: impl Iterator<Item = Arc<str>>) -> Self {
        Self {
            bases: bases.collect(),
            preferred: AtomicUsize::default(),
            heard: Mutex::default(),
            choosing: tokio::sync::Mutex::default(),
        }
    }

    /// The instances with their places, the preferred one first.
    pub fn in_order(&self) -> Vec<(usize, Arc<str>)> {
        self.in_order_from(self.preferred.load(Ordering::Relaxed))
    }

    fn in_order_from(&self, first: usize) -> Vec<(usize, Arc<str>)> {
        let count = self.bases.len();
        let place = |n| (first + n) % count;
        (0..count).filter_map(|n| Some((place(n), self.bases.get(place(n))?.clone()))).collect()
    }

    /// The preferred instance.
    pub fn first(&self) -> Arc<str> {
        self.bases.get(self.preferred.load(Ordering::Relaxed)).cloned().unwrap_or_else(|| "".into())
    }

    pub fn are_several(&self) -> bool {
        self.bases.len() > 1
    }

    /// Notes that an instance answered.
    pub fn answered(&self, place: usize) {
        self.preferred.store(place, Ordering::Relaxed);
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn was_heard(&self) -> bool {
        let heard = *self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.is_some_and(|at| at.elapsed() < HEARD_FOR)
    }

    pub fn text(&self) -> String {
        self.bases.join(", ")
    }
}

impl Client {
    /// Prefers an instance that works, if the preferred one was not heard lately. If none works, one
    /// that answers.
    pub(super) async fn choose(&self) {
        if !self.instances.are_several() || self.instances.was_heard() {
            return;
        }
        let _one_at_a_time = self.instances.choosing.lock().await;
        if !self.instances.was_heard() {
            self.choose_now().await;
        }
    }

    /// Prefers an instance that works, although the preferred one may just have been heard.
    pub(super) async fn choose_now(&self) {
        if self.instances.are_several()
            && let Some(place) = self.working(self.instances.in_order(), HEAD_START).await
        {
            self.instances.answered(place);
        }
    }

    /// The first of these instances, if it tells within its head start that it works; else the first
    /// other one that does; else one that answers.
    async fn working(&self, order: Vec<(usize, Arc<str>)>, head_start: Duration) -> Option<usize> {
        let preferred = order.first()?.0;
        let mut asked = JoinSet::new();
        for (place, base) in order {
            let client = self.clone();
            asked.spawn(async move { (place, client.works(&base).await) });
        }
        let began = Instant::now();
        let (mut working, mut answering, mut preferred_is_out) = (None, None, false);
        loop {
            let over = async {
                match (working, answering) {
                    (Some(_), _) => sleep_until(began + head_start).await,
                    (None, Some(_)) => sleep_until(began + ANY_AFTER).await,
                    (None, None) => pending().await,
                }
            };
            tokio::select! {
                biased;
                answer = asked.join_next() => match answer {
                    Some(Ok((place, Some(true)))) if place == preferred => return Some(place),
                    Some(Ok((place, Some(true)))) => working = working.or(Some(place)),
                    Some(Ok((place, works))) => {
                        answering = answering.or(works.map(|_| place));
                        preferred_is_out |= place == preferred;
                    }
                    Some(Err(_)) => {}
                    None => return working.or(answering),
                },
                () = over => return working.or(answering),
            }
            if preferred_is_out && working.is_some() {
                return working;
            }
        }
    }

    /// Whether an instance says that it works; `None` if it does not answer.
    async fn works(&self, base: &str) -> Option<bool> {
        let asked = timeout(ANSWER_WITHIN, self.health_of(base)).await;
        asked.ok().flatten().map(|(works, _)| works)
    }

    /// Waits until an instance does not even tell its health any more, while another one works.
    pub(super) async fn falls_silent(&self, place: usize) {
        loop {
            sleep(PATIENCE).await;
            let order = self.instances.in_order_from(place);
            if self.working(order, LONGER_HEAD_START).await.is_some_and(|other| other != place) {
                return;
            }
        }
    }
}
