//! The settings of `response.toml` that sending follows.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::ProviderConfig;

/// The settings for pace, connections and further attempts.
#[derive(Debug, Clone)]
pub struct MailingRules {
    /// The mail providers with settings of their own.
    pub providers: Vec<ProviderConfig>,
    /// The most connections for mail to all other providers.
    pub connections: u32,
    /// The times at which a deferred letter is tried again.
    pub retry: RetryConfig,
    /// The load of the reset pages above which letters to customers are slowed, in percent; `None`
    /// leaves the pace alone.
    pub reset_pages_busy: Option<u8>,
}

/// The pauses before a deferred letter is tried again.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetryConfig {
    /// The seconds until the second attempt. Each further pause is twice as long.
    pub first: u32,
    /// The most seconds between attempts.
    pub most: u32,
    /// The most attempts before the letter expires.
    pub attempts: u16,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self { first: 300, most: 4 * 3_600, attempts: 20 }
    }
}

impl RetryConfig {
    /// The pause after `attempts` attempts. It doubles up to a limit, and `chance` moves it to
    /// between three and five quarters of that, so that letters that failed together do not return
    /// together.
    #[must_use]
    pub fn pause(self, attempts: u16, chance: u16) -> SignedDuration {
        let doubled = u64::from(self.first) << attempts.saturating_sub(1).min(16);
        let pause = doubled.min(u64::from(self.most)) * 1_000;
        let pause = pause * 3 / 4 + pause * u64::from(chance) / (2 * u64::from(u16::MAX));
        SignedDuration::from_millis(i64::try_from(pause).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit_and_differ_by_chance() {
        let retry = RetryConfig { first: 300, most: 14_400, attempts: 20 };
        let seconds = |attempts, chance| retry.pause(attempts, chance).as_secs();
        for (attempts, least, most) in [
            (0, 225, 375),
            (1, 225, 375),
            (2, 450, 750),
            (3, 900, 1_500),
            (7, 10_800, 18_000),
            (900, 10_800, 18_000),
        ] {
            let bounds = (seconds(attempts, 0), seconds(attempts, u16::MAX));
            assert_eq!(bounds, (least, most), "{attempts}");
        }
        assert!(seconds(1, 20_000) < seconds(1, 40_000));
    }
}
