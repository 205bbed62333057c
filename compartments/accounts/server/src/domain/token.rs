//! Session tokens and reset codes. Only their SHA-256 is stored.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cofferdam_core::{KeyBytes, Personal, Rng};
use zeroize::Zeroizing;

/// Crockford's base 32, without the letters that look like digits, and without U, which would make
/// words.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// The number of characters in a reset code. They have 100 bits, too many to guess in thirty
/// minutes.
const CODE: usize = 20;
/// The number of characters between two hyphens.
const GROUP: usize = 5;

/// The SHA-256 of a token or a code, which is stored instead.
pub type TokenHash = [u8; 32];

/// A new session token: 32 random bytes in 43 characters.
#[must_use]
pub fn session_token(rng: &dyn Rng) -> Personal {
    let bytes = Zeroizing::new(rng.bytes::<32>());
    Personal::new(URL_SAFE_NO_PAD.encode(bytes.as_slice()))
}

/// The hash of a session token.
#[must_use]
pub fn session_hash(token: &Personal) -> TokenHash {
    sha256(token.expose())
}

/// The secret that proves to `keys` that the customer of a session is there. Only the token gives it, not
/// the hash that is stored, and `keys` never learns the token.
#[must_use]
pub fn presence_secret(token: &Personal) -> KeyBytes {
    let text = Zeroizing::new(format!("cofferdam/v1/presence {}", token.expose()));
    KeyBytes::new(sha256(&text))
}

/// A new reset code, in groups as in the mail: `7WXQ2-…`.
#[must_use]
pub fn reset_code(rng: &dyn Rng) -> Personal {
    let bytes = Zeroizing::new(rng.bytes::<CODE>());
    let mut code = String::with_capacity(CODE + CODE / GROUP);
    for (place, byte) in bytes.iter().enumerate() {
        if place > 0 && place % GROUP == 0 {
            code.push('-');
        }
        code.push(char::from(ALPHABET[usize::from(byte % 32)]));
    }
    Personal::new(code)
}

/// The hash of a reset code. Letter case, blanks and hyphens make no difference, and the letters O,
/// I and L count as the digits that they look like.
#[must_use]
pub fn reset_hash(code: &Personal) -> TokenHash {
    let plain: String = code
        .expose()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect();
    sha256(&Zeroizing::new(plain))
}

fn sha256(text: &str) -> TokenHash {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    out
}

#[cfg(test)]
mod tests {
    use cofferdam_core::SeededRng;

    use super::*;

    #[test]
    fn a_token_has_43_characters_and_is_never_the_same() {
        let rng = SeededRng::new(1);
        let [first, second] = [session_token(&rng), session_token(&rng)];
        assert_eq!(first.expose().len(), 43);
        assert_ne!(session_hash(&first), session_hash(&second));
        assert_ne!(presence_secret(&first).expose(), presence_secret(&second).expose());
        assert_ne!(presence_secret(&first).expose(), &session_hash(&first));
    }

    #[test]
    fn a_code_uses_the_whole_alphabet() {
        let rng = SeededRng::new(3);
        let codes: String = (0..50).map(|_| reset_code(&rng).expose().to_owned()).collect();
        assert!(ALPHABET.iter().all(|letter| codes.contains(char::from(*letter))));
    }

    #[test]
    fn a_code_may_be_typed_carelessly() {
        let rng = SeededRng::new(2);
        for _ in 0..200 {
            let code = reset_code(&rng);
            assert_eq!(code.expose().len(), 23);
            let groups: Vec<_> = code.expose().split('-').map(str::len).collect();
            assert_eq!(groups, [GROUP; 4]);
            let hash = reset_hash(&code);
            let careless = code.expose().to_lowercase().replace('-', " ");
            let careless = careless.replace('0', "o").replace('1', "l");
            assert_eq!(reset_hash(&Personal::new(careless)), hash);
            assert_ne!(reset_hash(&reset_code(&rng)), hash);
        }
    }
}
