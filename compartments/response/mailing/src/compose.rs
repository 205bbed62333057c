//! Makes the message that goes on the wire.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use cofferdam_core::{Personal, Timestamp};
use cofferdam_mail::{
    DkimError, DkimKey, Envelope, Fill, Form, Head, Mailbox, MessageError, signed,
};
use response_letter::{LetterCodes, Locale, Shop, Texts, Told, VersionError, Writer};

use crate::{Contact, Letter, Recipient};

/// Makes messages, addresses and signs them.
pub struct Composer {
    /// The shop as the sender of letters.
    pub shop: Shop,
    /// Makes letter codes and return addresses.
    pub codes: LetterCodes,
    /// The keys that sign messages here; none if the relay signs.
    pub dkim: Vec<DkimKey>,
    /// The domain of the return addresses to which letters bounce; without it they bounce to the
    /// sender.
    pub return_domain: Option<String>,
}

/// A message that can't be made.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// The version has no text for the person.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// Codes are made for the first 262,143 letters only.
    #[error("the letter's number is too large for codes")]
    NoCode,
    /// Name or address can't stand in a header.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// The message can't be signed.
    #[error(transparent)]
    Dkim(#[from] DkimError),
}

/// The marks of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marks {
    /// The Message-ID, without angle brackets.
    pub message_id: String,
    /// The code by which the reader checks the letter.
    pub code: String,
    /// The Feedback-ID, by which mail providers count complaints.
    pub feedback_id: String,
}

impl Composer {
    /// Makes the marks of a person's letter. Every attempt has the same marks.
    pub fn marks(&self, letter: &Letter, person: u32) -> Result<Marks, ComposeError> {
        let domain = &self.shop.message_id_domain;
        Ok(Marks {
            message_id: letter.ids.of(person, domain),
            code: self.codes.code(letter.letter, person).ok_or(ComposeError::NoCode)?,
            feedback_id: format!(
                "letter-{}:incident-{}:notice:cofferdam",
                letter.letter, letter.incident
            ),
        })
    }

    /// Makes the dated message to a person, and signs it if keys are held here.
    pub fn message(
        &self,
        form: &Form,
        to: &Contact,
        date: Timestamp,
        marks: &Marks,
    ) -> Result<Vec<u8>, ComposeError> {
        let head = Head {
            from: &self.sender(),
            to: &Mailbox { name: Some(to.name.clone()), address: to.email.clone() },
            date,
            message_id: &marks.message_id,
            feedback_id: Some(&marks.feedback_id),
        };
        let message = form.message(&head, &Fill { name: &to.name, code: &marks.code })?;
        if self.dkim.is_empty() {
            return Ok(message);
        }
        Ok(signed(&message, &self.dkim, date)?)
    }

    /// The envelope of a person's letter.
    #[must_use]
    pub fn envelope(&self, letter: &Letter, person: u32, to: &Contact) -> Envelope {
        let from = match &self.return_domain {
            Some(domain) => self.codes.return_address(letter.letter, person, domain),
            None => self.shop.mail_from.clone(),
        };
        Envelope { from, to: to.email.clone() }
    }

    /// The mailbox that letters come from.
    #[must_use]
    pub fn sender(&self) -> Mailbox {
        Mailbox {
            name: Some(Personal::new(self.shop.name.as_str())),
            address: Personal::new(self.shop.mail_from.as_str()),
        }
    }
}

/// Makes the form of a letter from its texts.
#[must_use]
pub fn form_of(texts: &Texts) -> Form {
    Form::new(&texts.subject, &texts.text, &texts.html, &texts.nameless)
}

/// The texts of one approved version. Each is written once, for all people who read the same text.
pub struct Forms {
    writer: Writer,
    locales: Vec<Locale>,
    written: RwLock<HashMap<(u16, Told), Arc<Form>>>,
}

impl Forms {
    /// The forms of a version, for the locales of its letter.
    #[must_use]
    pub fn new(writer: Writer, locales: Vec<Locale>) -> Self {
        Self { writer, locales, written: RwLock::default() }
    }

    /// The date of the letter.
    #[must_use]
    pub const fn date(&self) -> Timestamp {
        self.writer.version().facts.written
    }

    /// The form for a recipient. It is an error if the version has no such variant.
    pub fn form(&self, recipient: Recipient) -> Result<Arc<Form>, VersionError> {
        let key = (recipient.locale, recipient.told);
        let written = self.written.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(form) = written.get(&key) {
            return Ok(form.clone());
        }
        drop(written);
        let locale = self.locales.get(usize::from(key.0)).ok_or(VersionError::Unapproved)?;
        let form = Arc::new(form_of(&self.writer.write_approved(locale, key.1)?));
        let mut written = self.written.write().unwrap_or_else(PoisonError::into_inner);
        Ok(written.entry(key).or_insert(form).clone())
    }
}
