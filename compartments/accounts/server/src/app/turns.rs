//! Turns at something that only a few can have at once. Each caller has a queue of its own, and the queues
//! take turns: one that asks without end delays itself.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cofferdam_core::CallerName;
use tokio::sync::oneshot;

/// The queues of callers.
#[derive(Debug)]
pub struct Turns(Mutex<Queues>);

#[derive(Debug)]
struct Queues {
    free: usize,
    waiting: HashMap<CallerName, VecDeque<oneshot::Sender<Turn>>>,
    /// The callers that wait, in the order of their turns.
    order: VecDeque<CallerName>,
}

/// A turn. Dropping it gives it to the next in line.
#[derive(Debug)]
pub struct Turn(Arc<Turns>);

impl Turns {
    /// Makes queues for something that `at_once` can have at the same time.
    pub fn new(at_once: usize) -> Arc<Self> {
        let queues = Queues { free: at_once, waiting: HashMap::new(), order: VecDeque::new() };
        Arc::new(Self(Mutex::new(queues)))
    }

    /// Waits for the caller's turn.
    pub async fn wait(self: &Arc<Self>, caller: &CallerName) -> Turn {
        loop {
            let Some(told) = self.join(caller) else { return Turn(self.clone()) };
            // A queue is never dropped while somebody waits in it, so this is always told.
            if let Ok(turn) = told.await {
                return turn;
            }
        }
    }

    /// Takes a free turn, or joins the caller's queue.
    fn join(&self, caller: &CallerName) -> Option<oneshot::Receiver<Turn>> {
        let mut queues = self.lock();
        if queues.free > 0 {
            queues.free -= 1;
            return None;
        }
        let (tell, told) = oneshot::channel();
        if !queues.waiting.contains_key(caller) {
            queues.order.push_back(caller.clone());
        }
        queues.waiting.entry(caller.clone()).or_default().push_back(tell);
        Some(told)
    }

    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queues {
    /// The next in line who still waits. Its caller goes to the end.
    fn next(&mut self) -> Option<oneshot::Sender<Turn>> {
        while let Some(caller) = self.order.pop_front() {
            let queue = self.waiting.get_mut(&caller)?;
            let next = queue.pop_front();
            if queue.is_empty() {
                self.waiting.remove(&caller);
            } else {
                self.order.push_back(caller);
            }
            if let Some(next) = next.filter(|next| !next.is_closed()) {
                return Some(next);
            }
        }
        None
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let next = {
            let mut queues = self.0.lock();
            let next = queues.next();
            if next.is_none() {
                queues.free += 1;
            }
            next
        };
        // Somebody who gives up just now drops the turn, and so hands it on.
        if let Some(next) = next {
            let _ = next.send(Self(self.0.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(of: &str) -> CallerName {
        of.parse().unwrap()
    }

    #[tokio::test]
    async fn callers_take_turns_however_long_their_queues_are() {
        let turns = Turns::new(1);
        let first = turns.wait(&name("busy")).await;
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut waiting = Vec::new();
        for of in ["busy", "busy", "busy", "quiet"] {
            let (turns, order) = (turns.clone(), order.clone());
            waiting.push(tokio::spawn(async move {
                let turn = turns.wait(&name(of)).await;
                order.lock().unwrap().push(of);
                drop(turn);
            }));
            tokio::task::yield_now().await;
        }
        drop(first);
        for task in waiting {
            task.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), ["busy", "quiet", "busy", "busy"]);
        assert_eq!(turns.lock().free, 1);
    }

    #[tokio::test]
    async fn a_turn_of_somebody_who_gave_up_goes_to_the_next() {
        let turns = Turns::new(1);
        let first = turns.wait(&name("a")).await;
        let gave_up = turns.join(&name("b")).unwrap();
        let told = turns.join(&name("c")).unwrap();
        drop(gave_up);
        drop(first);
        let second = told.await.unwrap();
        assert_eq!(turns.lock().free, 0);
        drop(second);
        assert_eq!(turns.lock().free, 1);
    }
}
