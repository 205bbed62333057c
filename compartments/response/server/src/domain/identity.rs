//! Message-IDs: the same for a person at every attempt, and nothing that a stranger can guess.

use aws_lc_rs::hmac;

/// The Message-ID of a person's letter, without brackets.
#[must_use]
pub fn message_id(seed: &[u8], letter: u32, person: u32, domain: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, seed);
    let tag = hmac::sign(&key, &[letter.to_be_bytes(), person.to_be_bytes()].concat());
    format!("{letter}.{}@{domain}", hex::encode(&tag.as_ref()[..16]))
}

#[cfg(test)]
mod tests {
    use super::message_id;

    #[test]
    fn it_is_stable_and_one_a_person() {
        let id = |person| message_id(b"seed", 1, person, "letters.shop.example");
        assert_eq!(id(7), id(7));
        assert_ne!(id(7), id(8));
        assert_ne!(id(7), message_id(b"other", 1, 7, "letters.shop.example"));
        assert_eq!(id(7).len(), "1.".len() + 32 + "@letters.shop.example".len());
    }
}
