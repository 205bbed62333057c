//! Turns at things of which there are only a few. Each caller has a queue of its own, and the queues take
//! turns: a caller that asks without end delays itself.

use std::collections::{HashMap, VecDeque};
use std::mem;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cofferdam_core::CallerName;
use tokio::sync::oneshot;

/// A thing that is cleared before it lies idle.
pub trait Clear: Default {
    /// Removes every trace of the last turn. A thing that the next in line takes at once is not cleared.
    fn clear(&mut self);
}

/// The queues of callers for things of one kind.
#[derive(Debug)]
pub struct Turns<T: Clear>(Mutex<Queues<T>>);

#[derive(Debug)]
struct Queues<T: Clear> {
    idle: Vec<T>,
    waiting: HashMap<CallerName, VecDeque<oneshot::Sender<Turn<T>>>>,
    /// The callers that wait, in the order of their turns.
    order: VecDeque<CallerName>,
}

/// A turn at a thing. Dropping the turn hands the thing to the next in line.
#[derive(Debug)]
pub struct Turn<T: Clear> {
    turns: Arc<Turns<T>>,
    thing: T,
}

impl<T: Clear> Turns<T> {
    /// Makes queues for `things`.
    pub fn new(things: Vec<T>) -> Arc<Self> {
        let queues = Queues { idle: things, waiting: HashMap::new(), order: VecDeque::new() };
        Arc::new(Self(Mutex::new(queues)))
    }

    /// Waits for the caller's turn.
    pub async fn wait(self: &Arc<Self>, caller: &CallerName) -> Turn<T> {
        loop {
            let told = match self.join(caller) {
                Joined::Now(turn) => return turn,
                Joined::Later(told) => told,
            };
            // A queue is never dropped while somebody waits in it, so this is always told.
            if let Ok(turn) = told.await {
                return turn;
            }
        }
    }

    /// Takes an idle thing, or joins the caller's queue.
    fn join(self: &Arc<Self>, caller: &CallerName) -> Joined<T> {
        let mut queues = self.lock();
        if let Some(thing) = queues.idle.pop() {
            return Joined::Now(Turn { turns: self.clone(), thing });
        }
        let (tell, told) = oneshot::channel();
        if !queues.waiting.contains_key(caller) {
            queues.order.push_back(caller.clone());
        }
        queues.waiting.entry(caller.clone()).or_default().push_back(tell);
        Joined::Later(told)
    }

    fn lock(&self) -> MutexGuard<'_, Queues<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The outcome of asking for a turn.
enum Joined<T: Clear> {
    Now(Turn<T>),
    Later(oneshot::Receiver<Turn<T>>),
}

impl<T: Clear> Queues<T> {
    /// The next in line who still waits. Its caller goes to the end.
    fn next(&mut self) -> Option<oneshot::Sender<Turn<T>>> {
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

impl<T: Clear> Deref for Turn<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.thing
    }
}

impl<T: Clear> DerefMut for Turn<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.thing
    }
}

impl<T: Clear> Drop for Turn<T> {
    fn drop(&mut self) {
        let (turns, mut thing) = (self.turns.clone(), mem::take(&mut self.thing));
        let mut next = turns.lock().next();
        if next.is_none() {
            // Clearing takes milliseconds, so nothing is locked meanwhile.
            thing.clear();
            let mut queues = turns.lock();
            next = queues.next();
            if next.is_none() {
                return queues.idle.push(thing);
            }
        }
        // A receiver that gives up just now drops the turn, and so hands the thing on.
        if let Some(next) = next {
            let _ = next.send(Self { turns, thing });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A thing that remembers whether it was cleared after its last use.
    #[derive(Debug, Default)]
    struct Thing {
        clear: bool,
    }

    impl Clear for Thing {
        fn clear(&mut self) {
            self.clear = true;
        }
    }

    fn name(of: &str) -> CallerName {
        of.parse().unwrap()
    }

    fn one() -> Arc<Turns<Thing>> {
        Turns::new(vec![Thing::default()])
    }

    #[tokio::test]
    async fn callers_take_turns_however_long_their_queues_are() {
        let turns = one();
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
        assert_eq!(turns.lock().idle.len(), 1);
    }

    #[tokio::test]
    async fn a_thing_is_clear_before_it_lies_idle_and_not_before_the_next_in_line() {
        let turns = one();
        let mut first = turns.wait(&name("a")).await;
        first.clear = false;
        let Joined::Later(told) = turns.join(&name("b")) else { panic!("two have one thing") };
        drop(first);
        let second = told.await.unwrap();
        assert!(!second.clear, "it was cleared for nothing");
        drop(second);
        assert!(turns.lock().idle[0].clear, "it lies idle with the traces of a turn");
    }

    #[tokio::test]
    async fn a_turn_of_somebody_who_gave_up_goes_to_the_next() {
        let turns = one();
        let first = turns.wait(&name("a")).await;
        let Joined::Later(gave_up) = turns.join(&name("b")) else { panic!("two have one thing") };
        let Joined::Later(told) = turns.join(&name("c")) else { panic!("two have one thing") };
        drop(gave_up);
        drop(first);
        let second = told.await.unwrap();
        assert!(turns.lock().idle.is_empty());
        drop(second);
        assert!(turns.lock().idle[0].clear);
    }
}
