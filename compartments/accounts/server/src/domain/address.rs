//! E-mail addresses: the normal form for look-ups, and the check of their shape.

use aws_lc_rs::digest::{SHA256, digest as hash};
use cofferdam_core::{KeyBytes, Personal};

/// The longest address that SMTP carries (RFC 5321, section 4.5.3.1.3, less the brackets).
const MAX_ADDRESS: usize = 254;

/// The look-up index of an e-mail address, which `keys` makes from its digest.
pub type EmailIndex = [u8; 32];

/// The form in which addresses are compared and written to: without surrounding blanks, in lower
/// case.
#[must_use]
pub fn normalise(address: &Personal) -> Personal {
    Personal::new(address.expose().trim().to_lowercase())
}

/// SHA-256 of the normalised address, from which `keys` makes the look-up index.
#[must_use]
pub fn digest(address: &Personal) -> KeyBytes {
    let sum = hash(&SHA256, normalise(address).expose().as_bytes());
    let mut bytes = [0; 32];
    bytes.copy_from_slice(sum.as_ref());
    KeyBytes::new(bytes)
}

/// Whether mail can be sent to the address: `local@domain.tld` in ASCII, without blanks and without
/// characters that mean something in an SMTP command or a mail header. Letters of other alphabets
/// are refused, because many relays don't carry them and some look like others.
#[must_use]
pub fn is_plausible(address: &Personal) -> bool {
    let text = address.expose().trim();
    let Some((local, domain)) = text.split_once('@') else { return false };
    let plain = |c: char| c.is_ascii_graphic() && !"<>()[],;:\\\"@".contains(c);
    text.len() <= MAX_ADDRESS
        && !local.is_empty()
        && text.chars().filter(|c| *c == '@').count() == 1
        && local.chars().all(plain)
        && domain.chars().all(plain)
        && domain.contains('.')
        && domain.split('.').all(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use cofferdam_mail::{Head, Mailbox, Message};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A customer whose address can't be written to would get no letter.
        #[test]
        fn a_letter_can_be_written_to_every_plausible_address(text in "[ -~]{1,3}@[!-~]{1,3}\\.[a-z]") {
            let address = Personal::new(text);
            if !is_plausible(&address) {
                return Ok(());
            }
            let mailbox = Mailbox { name: None, address: normalise(&address) };
            let head = Head {
                from: &mailbox,
                to: &mailbox,
                date: cofferdam_core::Timestamp::UNIX_EPOCH,
                message_id: "1@shop.example",
                feedback_id: None,
            };
            let message = Message { head, subject: "", text: "", html: None };
            prop_assert!(message.build().is_ok());
        }
    }

    #[test]
    fn case_and_blanks_make_no_difference() {
        let same = [" Ada@Example.ORG ", "ada@example.org"].map(|a| digest(&Personal::new(a)));
        assert_eq!(same[0].expose(), same[1].expose());
        assert_ne!(same[0].expose(), digest(&Personal::new("ada@example.com")).expose());
    }

    #[test]
    fn an_address_has_a_mailbox_and_a_domain() {
        for good in ["a@b.c", "ada.lovelace+shop@mail.example.org", " ada@example.org "] {
            assert!(is_plausible(&Personal::new(good)), "{good} was refused");
        }
        let long = format!("{}@example.org", "a".repeat(250));
        for bad in [
            "",
            "ada",
            "@b.c",
            "a@",
            "a@b",
            "a@b..c",
            "a@.c",
            "a b@c.d",
            "a@b@c.d",
            "a>@b.c",
            "jürgen@example.de",
            "mi\u{212a}e@b.c",
            "a@b.c\r\nRCPT TO",
            &long,
        ] {
            assert!(!is_plausible(&Personal::new(bad)), "{bad:?} was taken");
        }
    }
}
