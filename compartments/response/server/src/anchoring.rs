//! Anchoring the journals: what `keys` has of them, and the wait of an act for its anchor.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cofferdam_core::JournalHead;
use cofferdam_wire::{Ailment, Health};
use response_api::{DoubtCause, IncidentId};
use tokio::sync::watch;

/// The longest wait of an act for its anchor. Staff must be able to act while `keys` is down.
const WAIT: Duration = Duration::from_secs(2);
/// The longest wait once an act has waited in vain, until `keys` anchors again.
const WAIT_OVERDUE: Duration = Duration::from_millis(100);

/// The state of anchoring.
#[derive(Debug, Default)]
pub struct Anchoring {
    progress: watch::Sender<Progress>,
    /// Whether an act has waited in vain since the last success.
    overdue: AtomicBool,
    /// The reason why the last attempt failed; `None` if it did not.
    trouble: Mutex<Option<String>>,
    /// The journals that contradict their anchors, with the contradiction. A start alone forgets them.
    broken: Mutex<BTreeMap<IncidentId, String>>,
    /// The longest anchor of each journal when its every entry was checked last.
    checked: Mutex<BTreeMap<IncidentId, JournalHead>>,
}

/// How many of this process's commits to journals were tried and anchored.
#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    tried: u64,
    anchored: u64,
}

impl Anchoring {
    /// Waits until the first `commits` are anchored, or can't be for now. Returns whether they are.
    pub async fn wait_for(&self, commits: u64) -> bool {
        let mut progress = self.progress.subscribe();
        let tried = progress.wait_for(|of| of.tried >= commits);
        let anchored = match tokio::time::timeout(self.longest_wait(), tried).await {
            Ok(Ok(of)) => of.anchored >= commits,
            _ => false,
        };
        if !anchored {
            self.overdue.store(true, Ordering::Relaxed);
        }
        anchored
    }

    fn longest_wait(&self) -> Duration {
        if self.overdue.load(Ordering::Relaxed) { WAIT_OVERDUE } else { WAIT }
    }

    /// Notes the end of an attempt to anchor the first `commits`, and shows it in health before an act
    /// goes on.
    pub fn end_attempt(&self, commits: u64, trouble: Option<String>, health: &Health) {
        let anchored = trouble.is_none();
        if anchored {
            self.overdue.store(false, Ordering::Relaxed);
        }
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
        self.show(health);
        self.progress.send_modify(|of| {
            of.tried = commits;
            if anchored {
                of.anchored = commits;
            }
        });
    }

    /// Notes that a journal contradicts its anchor. Returns whether that is new.
    pub fn note_broken(&self, journal: IncidentId, what: String) -> bool {
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        broken.insert(journal, what).is_none()
    }

    /// Whether every entry of a journal was checked while this was its longest anchor.
    pub fn was_checked(&self, journal: IncidentId, longest: JournalHead) -> bool {
        let checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        checked.get(&journal) == Some(&longest)
    }

    /// Notes that every entry of a journal was checked.
    pub fn note_checked(&self, journal: IncidentId, longest: JournalHead) {
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        checked.insert(journal, longest);
    }

    /// The doubts about journals that contradict their anchors.
    pub fn doubts(&self) -> Vec<DoubtCause> {
        let broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        let doubt = |(journal, what): (&IncidentId, &String)| DoubtCause::JournalRewritten {
            incident: journal.0,
            reason: what.clone(),
        };
        broken.iter().map(doubt).collect()
    }

    /// Shows in health which journal contradicts its anchor, or why the journals are not anchored.
    pub fn show(&self, health: &Health) {
        let broken = self.doubts().first().map(ToString::to_string);
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let trouble = trouble.map(|why| format!("the journals are not anchored: {why}"));
        health.set("journal", broken.or(trouble).map(Ailment::Warning));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn acts_share_an_attempt_and_do_not_wait_for_a_keys_that_is_down() {
        let (anchoring, health) = (Arc::new(Anchoring::default()), Health::default());
        let waiting: Vec<_> = (1..=3)
            .map(|commits| {
                let of = anchoring.clone();
                tokio::spawn(async move { of.wait_for(commits).await })
            })
            .collect();
        anchoring.end_attempt(3, None, &health);
        for act in waiting {
            assert!(act.await.unwrap());
        }
        anchoring.end_attempt(4, Some("refused".to_owned()), &health);
        assert!(!anchoring.wait_for(4).await);
        assert!(anchoring.wait_for(3).await, "an earlier act stays anchored");
        anchoring.end_attempt(4, None, &health);
        assert!(anchoring.wait_for(4).await);
    }

    #[tokio::test]
    async fn an_act_waits_for_less_once_one_has_waited_in_vain() {
        let (anchoring, health) = (Anchoring::default(), Health::default());
        assert_eq!(anchoring.longest_wait(), WAIT);
        anchoring.end_attempt(1, Some("refused".to_owned()), &health);
        assert!(!anchoring.wait_for(1).await);
        assert_eq!(anchoring.longest_wait(), WAIT_OVERDUE);
        assert!(!anchoring.wait_for(2).await, "nobody tries");
        anchoring.end_attempt(2, None, &health);
        assert_eq!(anchoring.longest_wait(), WAIT);
    }

    #[test]
    fn health_names_a_contradiction_before_a_delay() {
        let (anchoring, health) = (Anchoring::default(), Health::default());
        anchoring.end_attempt(1, Some("keys is down".to_owned()), &health);
        assert!(health.answer().1.contains("the journals are not anchored: keys is down"));
        assert!(anchoring.note_broken(IncidentId(7), "it is shorter".to_owned()));
        assert!(!anchoring.note_broken(IncidentId(7), "it is shorter".to_owned()));
        anchoring.show(&health);
        assert!(health.answer().1.contains("incident 7"), "{}", health.answer().1);
    }
}
