//! Two marks of one person's letter: the code by which its reader checks it, and the address to which
//! it bounces. Both are keyed functions of letter and person; neither is stored.

use aes::Aes256;
use aws_lc_rs::{constant_time, hmac};
use fpe::ff1::{FF1, FlexibleNumeralString};
use response_api::LetterId;

/// Crockford's base 32: no digit looks like another.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const RADIX: u32 = 32;
/// Ten digits of five bits: 18 bits for the letter, 32 for the person.
const DIGIT_COUNT: usize = 10;
const MAX_LETTER: u32 = (1 << 18) - 1;

/// Makes and reads letter codes and return addresses.
pub struct LetterCodes {
    codes: FF1<Aes256>,
    returns: hmac::Key,
}

impl LetterCodes {
    /// Derives the key of the codes and the key of the return addresses from one secret.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        let master = hmac::Key::new(hmac::HMAC_SHA256, key);
        let codes = hmac::sign(&master, b"cofferdam letter codes v1");
        let returns = hmac::sign(&master, b"cofferdam letter returns v1");
        #[expect(clippy::expect_used, reason = "FF1 takes every radix from 2 to 65,536")]
        let codes = FF1::new(codes.as_ref(), RADIX).expect("32 is a radix of FF1");
        Self { codes, returns: hmac::Key::new(hmac::HMAC_SHA256, returns.as_ref()) }
    }

    /// The code of a person's letter, as `XXXXX-XXXXX`: 50 bits in which letter and person are
    /// encrypted (FF1, NIST SP 800-38G). `None` past letter 262,143.
    #[must_use]
    pub fn code(&self, letter: LetterId, person: u32) -> Option<String> {
        if letter.0 > MAX_LETTER {
            return None;
        }
        let number = u64::from(letter.0) << 32 | u64::from(person);
        let digits = (0..DIGIT_COUNT).rev().map(|at| digit(number >> (5 * at)));
        let plain = FlexibleNumeralString::from(digits.collect::<Vec<_>>());
        let sealed: Vec<u16> = self.codes.encrypt(&[], &plain).ok()?.into();
        let text: String =
            sealed.iter().map(|d| char::from(DIGITS[usize::from(*d) % DIGITS.len()])).collect();
        Some(format!("{}-{}", &text[..5], &text[5..]))
    }

    /// Decrypts a typed code to its letter and person. Every well-formed code decrypts to
    /// something, so the ledger must be asked whether there is such a letter.
    ///
    /// Accepts any case, with or without hyphen and blanks, O for 0, and I or L for 1.
    #[must_use]
    pub fn read_code(&self, typed: &str) -> Option<(LetterId, u32)> {
        let mut digits = Vec::with_capacity(DIGIT_COUNT);
        for c in typed.chars().filter(|c| !c.is_whitespace() && *c != '-') {
            let c = match c.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                c => c,
            };
            let digit = DIGITS.iter().position(|d| char::from(*d) == c)?;
            digits.push(u16::try_from(digit).ok()?);
            if digits.len() > DIGIT_COUNT {
                return None;
            }
        }
        if digits.len() != DIGIT_COUNT {
            return None;
        }
        let sealed = FlexibleNumeralString::from(digits);
        let plain: Vec<u16> = self.codes.decrypt(&[], &sealed).ok()?.into();
        let number = plain.iter().fold(0_u64, |number, digit| number << 5 | u64::from(*digit));
        let person = u32::try_from(number & u64::from(u32::MAX)).ok()?;
        Some((LetterId(u32::try_from(number >> 32).ok()?), person))
    }

    /// The address to which a person's letter bounces (VERP). A tag signs the address, so that
    /// nobody can make one up.
    #[must_use]
    pub fn return_address(&self, letter: LetterId, person: u32, domain: &str) -> String {
        format!("b-{}-{person}-{}@{domain}", letter.0, self.tag(letter, person))
    }

    /// The letter and the person that a return address belongs to.
    pub fn read_return_address(
        &self,
        address: &str,
        domain: &str,
    ) -> Result<(LetterId, u32), ForgedReturnAddress> {
        let (local, at) = address.rsplit_once('@').ok_or(ForgedReturnAddress)?;
        let mut parts = local.split('-');
        let (Some(b), Some(letter), Some(person), Some(tag), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(ForgedReturnAddress);
        };
        if !b.eq_ignore_ascii_case("b") || !at.eq_ignore_ascii_case(domain) {
            return Err(ForgedReturnAddress);
        }
        let letter = LetterId(letter.parse().map_err(|_| ForgedReturnAddress)?);
        let person = person.parse().map_err(|_| ForgedReturnAddress)?;
        let expected = self.tag(letter, person);
        let tag = tag.to_ascii_lowercase();
        constant_time::verify_slices_are_equal(tag.as_bytes(), expected.as_bytes())
            .map_err(|_| ForgedReturnAddress)?;
        Ok((letter, person))
    }

    fn tag(&self, letter: LetterId, person: u32) -> String {
        let parts = [letter.0.to_be_bytes(), person.to_be_bytes()].concat();
        hex::encode(&hmac::sign(&self.returns, &parts).as_ref()[..10])
    }
}

/// The lowest five bits.
fn digit(number: u64) -> u16 {
    u16::try_from(number & 31).unwrap_or_default()
}

/// No letter has this return address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no letter has this return address")]
pub struct ForgedReturnAddress;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A million guesses at 24 million codes among 2^50 are expected to hit 0.02 times. Guesses
    /// fall evenly, as the hits over all 2^18 letters together show.
    #[test]
    fn a_million_guesses_hit_nobody_among_24_million() {
        let codes = LetterCodes::new(&[8; 32]);
        let mut seed = 1_u64;
        let (mut hits, mut in_any_letter) = (0, 0_u32);
        for _ in 0..1_000_000 {
            // Knuth's linear congruential generator stands in for an attacker.
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let guess: String = (0..DIGIT_COUNT)
                .map(|at| char::from(DIGITS[usize::from(digit(seed >> (9 + 5 * at)))]))
                .collect();
            let Some((letter, person)) = codes.read_code(&guess) else { continue };
            in_any_letter += u32::from(person < 24_000_000);
            hits += u32::from(person < 24_000_000 && letter.0 == 2);
        }
        assert_eq!(hits, 0);
        let expected = 5_588; // 1,000,000 x 24,000,000 / 2^32
        assert!(in_any_letter.abs_diff(expected) < 400, "{in_any_letter}");
    }

    #[test]
    fn another_key_reads_another_person() {
        let code = LetterCodes::new(&[1; 32]).code(LetterId(2), 7).unwrap();
        assert_ne!(LetterCodes::new(&[2; 32]).read_code(&code), Some((LetterId(2), 7)));
        assert_eq!(LetterCodes::new(&[1; 32]).code(LetterId(1 << 18), 7), None);
    }

    #[test]
    fn a_forged_return_address_is_refused() {
        let codes = LetterCodes::new(&[1; 32]);
        let address = codes.return_address(LetterId(2), 7, "back.shop.example");
        for bad in [
            address.replace("-7-", "-8-"),
            address.replace("b-2", "b-3"),
            address.replace("back", "other"),
            "b-2-7-@back.shop.example".to_owned(),
            "postmaster@back.shop.example".to_owned(),
        ] {
            assert_eq!(
                codes.read_return_address(&bad, "back.shop.example"),
                Err(ForgedReturnAddress),
                "{bad}"
            );
        }
        let shouted = address.to_uppercase();
        assert_eq!(codes.read_return_address(&shouted, "back.shop.example"), Ok((LetterId(2), 7)));
    }

    proptest! {
        #[test]
        fn every_code_is_read_as_people_type_it(letter in 0_u32..=MAX_LETTER, person in any::<u32>()) {
            let codes = LetterCodes::new(&[1; 32]);
            let code = codes.code(LetterId(letter), person).unwrap();
            let typed = code.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
            prop_assert_eq!(codes.read_code(&code), Some((LetterId(letter), person)));
            prop_assert_eq!(codes.read_code(&typed), Some((LetterId(letter), person)));
        }
    }
}

#[cfg(test)]
mod vectors {
    use super::*;

    /// Codes and return addresses of sent letters must stay readable for years. Version 0.1 made
    /// these.
    #[test]
    fn marks_of_letters_that_are_out_stay() {
        let codes = LetterCodes::new(&[7; 32]);
        assert_eq!(codes.code(LetterId(3), 12_345).as_deref(), Some("0BB6Z-CK4ED"));
        let address = codes.return_address(LetterId(3), 12_345, "back.shop.example");
        assert_eq!(address, "b-3-12345-bbcb0cf06ec9f8fa7b46@back.shop.example");
    }
}
