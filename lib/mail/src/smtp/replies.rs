//! The replies of a relay and their meaning.

use super::{Accepted, Outcome};
use crate::returned::without_names;

/// A reply of a relay. [`Reply::without_names`] makes its text one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub code: u16,
    pub text: String,
}

impl Reply {
    /// The reply without any address and without the recipient's local part, because replies go to
    /// logs and ledgers.
    pub fn without_names(mut self, recipient: &str) -> Self {
        let local = recipient.rsplit_once('@').map_or(recipient, |(local, _)| local);
        let locals: Vec<_> =
            Some(local.to_lowercase()).filter(|l| !l.is_empty()).into_iter().collect();
        self.text = without_names(&self.text, &locals);
        self
    }

    /// The outcome of a message that was refused with this reply. A code that is no refusal means
    /// that replies no longer match commands, so the message is tried again over another
    /// connection.
    pub fn refusal(self) -> Outcome {
        match self.code {
            500..=599 => Outcome::Refused { code: self.code, reply: self.text },
            _ => Outcome::Deferred { code: Some(self.code), reply: self.text },
        }
    }

    /// The outcome of a message whose text got this reply.
    pub fn verdict(self) -> Outcome {
        match self.code {
            200..=299 => {
                Outcome::Accepted(Accepted { queue_id: queue_id(&self.text), reply: self.text })
            }
            400..=599 => self.refusal(),
            code => Outcome::InDoubt { cause: format!("the relay answered {code}") },
        }
    }
}

/// The queue id in `2.0.0 Ok: queued as 4XyZ`.
fn queue_id(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("queued as ")?;
    let id = rest.split_whitespace().next()?.trim_matches(|c: char| c.is_ascii_punctuation());
    (!id.is_empty()).then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(code: u16, text: &str) -> Reply {
        Reply { code, text: text.to_owned() }
    }

    #[test]
    fn a_reply_without_names_has_no_address() {
        let said = "5.1.1 <Ada.L@mail.example>: Recipient address\nrejected: user ada.l, unknown";
        let kept = reply(550, said).without_names("ada.l@mail.example").text;
        assert_eq!(kept, "5.1.1 … Recipient address rejected: user … unknown");
    }

    #[test]
    fn the_code_decides_between_deferred_and_refused() {
        let deferred = Outcome::Deferred { code: Some(451), reply: "later".to_owned() };
        assert_eq!(reply(451, "later").refusal(), deferred);
        assert_eq!(reply(451, "later").verdict(), deferred);
        let refused = Outcome::Refused { code: 550, reply: "no".to_owned() };
        assert_eq!(reply(550, "no").verdict(), refused);
        assert!(matches!(reply(354, "go on").verdict(), Outcome::InDoubt { .. }));
    }

    #[test]
    fn the_receipt_is_the_queue_id_or_the_reply() {
        for (text, id) in [
            ("2.0.0 Ok: queued as 4XyZ", "4XyZ"),
            ("OK: queued as 12.", "12"),
            ("2.0.0 Ok, fine", "2.0.0 Ok, fine"),
            ("queued as ", "queued as "),
        ] {
            let Outcome::Accepted(accepted) = reply(250, text).verdict() else {
                panic!("{text} was not accepted");
            };
            assert_eq!(accepted.receipt(), id);
        }
    }
}
