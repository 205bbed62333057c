//! The Message-IDs of a letter. Nobody can guess one: each is made with the letter's secret, and none
//! is stored.

use std::fmt;

use aes::Aes256;
use aes::cipher::{Block, BlockCipherDecrypt as _, BlockCipherEncrypt as _, KeyInit as _};
use aws_lc_rs::hmac;
use response_api::LetterId;
use zeroize::Zeroizing;

/// The bytes of the part that names the person: one block of AES.
const TAG: usize = 16;

/// How the Message-IDs of a letter are made. A letter keeps its form, because one that is sent again
/// keeps its Message-ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdForm {
    /// A keyed hash of letter and person. It leads to its person only by trying everybody. Letters
    /// that were planned before the other form existed have it.
    Hashed,
    /// Letter, person and eight zero bytes in one block of AES-256. The zero bytes tell a forged one.
    Sealed,
}

impl IdForm {
    /// The form's number in the store.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Hashed => 0,
            Self::Sealed => 1,
        }
    }

    /// The form with this number in the store.
    #[must_use]
    pub fn from_code(code: i64) -> Option<Self> {
        [Self::Hashed, Self::Sealed].into_iter().find(|form| i64::from(form.code()) == code)
    }
}

/// Makes the Message-IDs of one letter, and reads them.
#[derive(Clone, PartialEq, Eq)]
pub struct MessageIds {
    letter: LetterId,
    form: IdForm,
    seed: Zeroizing<Vec<u8>>,
}

impl MessageIds {
    /// The Message-IDs that the letter's secret `seed` gives.
    #[must_use]
    pub fn new(letter: LetterId, form: IdForm, seed: Vec<u8>) -> Self {
        Self { letter, form, seed: Zeroizing::new(seed) }
    }

    /// The letter that a Message-ID names, if it has the form of ours. Whether it is ours, only the
    /// letter's secret tells.
    #[must_use]
    pub fn letter_of(message_id: &str) -> Option<LetterId> {
        parts(message_id).map(|(letter, _)| letter)
    }

    /// How they are made.
    #[must_use]
    pub const fn form(&self) -> IdForm {
        self.form
    }

    /// Makes the Message-ID of a person's letter, without angle brackets. Every attempt has the same
    /// one.
    #[must_use]
    pub fn of(&self, person: u32, domain: &str) -> String {
        let tag = match self.form {
            IdForm::Hashed => hashed(&self.key(), self.letter, person),
            IdForm::Sealed => {
                let mut block = Block::<Aes256>::from(plain(self.letter, person));
                self.cipher().encrypt_block(&mut block);
                block.into()
            }
        };
        format!("{}.{}@{domain}", self.letter, hex::encode(tag))
    }

    /// The person whose letter has this Message-ID; `None` if it is not ours, or not sealed.
    #[must_use]
    pub fn open(&self, message_id: &str) -> Option<u32> {
        let (letter, tag) = parts(message_id)?;
        if letter != self.letter || self.form != IdForm::Sealed {
            return None;
        }
        let mut block = Block::<Aes256>::from(tag);
        self.cipher().decrypt_block(&mut block);
        let opened: [u8; TAG] = block.into();
        let person = u32::from_be_bytes(*opened[4..].first_chunk()?);
        (opened == plain(letter, person)).then_some(person)
    }

    /// The person up to `last` whose letter has this Message-ID. A hashed one says nothing by itself,
    /// so each person's is made: 24 million take some ten seconds of one core.
    #[must_use]
    pub fn search(&self, message_id: &str, last: u32) -> Option<u32> {
        let (letter, tag) = parts(message_id)?;
        if letter != self.letter || self.form != IdForm::Hashed {
            return None;
        }
        let key = self.key();
        (0..=last).find(|person| hashed(&key, letter, *person) == tag)
    }

    fn key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &self.seed)
    }

    fn cipher(&self) -> Aes256 {
        let mut key = [0; 32];
        let derived = hmac::sign(&self.key(), b"cofferdam sealed message ids v1");
        key.copy_from_slice(derived.as_ref());
        Aes256::new(&key.into())
    }
}

impl fmt::Debug for MessageIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageIds")
            .field("letter", &self.letter)
            .field("form", &self.form)
            .finish_non_exhaustive()
    }
}

/// The letter and the tag of a Message-ID that has the form of ours.
fn parts(message_id: &str) -> Option<(LetterId, [u8; TAG])> {
    let (letter, rest) = message_id.split_once('.')?;
    let (digits, _) = rest.split_once('@')?;
    let mut tag = [0; TAG];
    hex::decode_to_slice(digits, &mut tag).ok()?;
    Some((LetterId(letter.parse().ok()?), tag))
}

fn hashed(key: &hmac::Key, letter: LetterId, person: u32) -> [u8; TAG] {
    let place = [letter.0.to_be_bytes(), person.to_be_bytes()].concat();
    let mut tag = [0; TAG];
    tag.copy_from_slice(&hmac::sign(key, &place).as_ref()[..TAG]);
    tag
}

fn plain(letter: LetterId, person: u32) -> [u8; TAG] {
    let mut block = [0; TAG];
    block[..4].copy_from_slice(&letter.0.to_be_bytes());
    block[4..8].copy_from_slice(&person.to_be_bytes());
    block
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DOMAIN: &str = "letters.shop.example";

    fn ids(letter: u32, form: IdForm, seed: &[u8]) -> MessageIds {
        MessageIds::new(LetterId(letter), form, seed.to_vec())
    }

    #[test]
    fn a_message_id_is_stable_and_differs_for_each_person() {
        for form in [IdForm::Hashed, IdForm::Sealed] {
            let id = |person| ids(1, form, b"seed").of(person, DOMAIN);
            assert_eq!(id(7), id(7));
            assert_ne!(id(7), id(8));
            assert_ne!(id(7), ids(1, form, b"other").of(7, DOMAIN));
            assert_eq!(id(7).len(), "1.".len() + 32 + 1 + DOMAIN.len());
            assert_eq!(MessageIds::letter_of(&id(7)), Some(LetterId(1)));
        }
    }

    #[test]
    fn a_hashed_message_id_leads_to_its_person_among_those_who_are_tried() {
        let (own, id) = (ids(3, IdForm::Hashed, b"seed"), |ids: &MessageIds| ids.of(500, DOMAIN));
        let found = id(&own);
        assert_eq!(own.search(&found, 1_000), Some(500));
        assert_eq!(own.search(&found, 499), None);
        assert_eq!(own.open(&found), None);
        assert_eq!(ids(3, IdForm::Hashed, b"other").search(&found, 1_000), None);
        assert_eq!(ids(4, IdForm::Hashed, b"seed").search(&found, 1_000), None);
        assert_eq!(own.search(&found.replace("3.", "4."), 1_000), None);
    }

    #[test]
    fn other_message_ids_are_none_of_ours() {
        let own = ids(3, IdForm::Sealed, b"seed");
        let good = own.of(1, DOMAIN);
        for other in ["", "3.@x", "3.ab@x", "x.0123@y", "3", &good.replace('@', "")] {
            assert_eq!((MessageIds::letter_of(other), own.open(other)), (None, None), "{other}");
        }
    }

    /// Message-IDs of sent letters must stay readable for years. Version 0.1 made the hashed one.
    #[test]
    fn message_ids_of_letters_that_are_out_stay() {
        let made = |form| ids(3, form, b"seed").of(12_345, DOMAIN);
        assert_eq!(made(IdForm::Hashed), "3.b2fb65b6938682cfea8833c1a2cfd70b@letters.shop.example");
        assert_eq!(made(IdForm::Sealed), "3.13acc4f39fe1fefd22948ac22ac56906@letters.shop.example");
        for form in [IdForm::Hashed, IdForm::Sealed] {
            assert_eq!(IdForm::from_code(i64::from(form.code())), Some(form));
        }
        assert_eq!(IdForm::from_code(2), None);
    }

    proptest! {
        #[test]
        fn a_sealed_message_id_opens_to_its_person_and_a_forged_one_to_nobody(
            letter in any::<u32>(), person in any::<u32>(), at in 0_usize..32, digit in 1_u8..16
        ) {
            let own = ids(letter, IdForm::Sealed, b"seed");
            let id = own.of(person, DOMAIN);
            prop_assert_eq!(own.open(&id), Some(person));
            prop_assert_eq!(own.open(&id.to_uppercase()), Some(person));
            prop_assert_eq!(ids(letter, IdForm::Sealed, b"other").open(&id), None);
            prop_assert_eq!(ids(letter ^ 1, IdForm::Sealed, b"seed").open(&id), None);
            let mut forged = id.into_bytes();
            let at = at + letter.to_string().len() + 1;
            let value = char::from(forged[at]).to_digit(16).unwrap();
            let other = char::from_digit(value ^ u32::from(digit), 16).unwrap();
            forged[at] = u8::try_from(other).unwrap();
            prop_assert_eq!(own.open(&String::from_utf8(forged).unwrap()), None);
        }
    }
}
