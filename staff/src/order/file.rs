//! An order as it stands in its file.

use std::fs;
use std::path::Path;

use cofferdam_wire::Client;
use keys_api::{ApproverSecret, EpochOrder, Policy, Signed, Warrant};
use response_api::{GiveOrder, OrderKind};
use serde::{Deserialize, Serialize};

use super::error::{OrderError, OrderFault};
use super::letter::LetterOrder;
use super::words;
use crate::step::call;

/// The content of an order's file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderFile {
    /// The order.
    #[serde(flatten)]
    pub order: Order,
}

/// An order by its kind, with the signatures.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", content = "signed", rename_all = "snake_case")]
pub enum Order {
    /// The next policy.
    Policy(Signed<Policy>),
    /// A new epoch, or the end of an old one.
    Epoch(Signed<EpochOrder>),
    /// The approval of a letter's version.
    Letter(LetterOrder),
    /// A warrant by itself, as for a list of addresses.
    Warrant(Signed<Warrant>),
}

impl OrderFile {
    /// Reads an order, and refuses one that nobody may sign.
    pub fn read(path: &Path) -> Result<Self, OrderError> {
        let named = |source| OrderError::File { path: path.to_owned(), source };
        let text = fs::read_to_string(path).map_err(named)?;
        let file: Self = serde_json::from_str(&text)
            .map_err(|source| OrderError::Form { path: path.to_owned(), source })?;
        file.check().map_err(|source| OrderError::Faulty { path: path.to_owned(), source })?;
        Ok(file)
    }

    /// A letter comes with the texts that its warrant names, so that nobody signs a letter unseen.
    fn check(&self) -> Result<(), OrderFault> {
        match &self.order {
            Order::Letter(letter) => letter.check(),
            Order::Warrant(signed) if signed.order.purpose.starts_with("letter ") => {
                Err(OrderFault::NoTexts)
            }
            _ => Ok(()),
        }
    }

    /// Writes the order, over what the file held before.
    pub fn write(&self, path: &Path) -> Result<(), OrderError> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        fs::write(path, text).map_err(|source| OrderError::File { path: path.to_owned(), source })
    }

    /// Adds a signature. It replaces an earlier one by the same person.
    pub fn sign(&mut self, by: &ApproverSecret) {
        let (signatures, new) = match &mut self.order {
            Order::Policy(signed) => (&mut signed.signatures, by.sign(&signed.order)),
            Order::Epoch(signed) => (&mut signed.signatures, by.sign(&signed.order)),
            Order::Letter(LetterOrder { warrant: signed, .. }) | Order::Warrant(signed) => {
                (&mut signed.signatures, by.sign(&signed.order))
            }
        };
        signatures.retain(|signature| signature.approver != new.approver);
        signatures.push(new);
    }

    /// Has `response` carry the order to `keys`, which checks both signatures.
    pub async fn apply(&self, response: &Client) -> Result<(), OrderError> {
        let (kind, signed) = match &self.order {
            Order::Policy(signed) => (OrderKind::Policy, serde_json::to_value(signed)?),
            Order::Epoch(signed) => (OrderKind::Epoch, serde_json::to_value(signed)?),
            Order::Letter(_) => return Err(OrderError::ForLetter),
            Order::Warrant(_) => return Err(OrderError::ForList),
        };
        call(response, &GiveOrder { kind, signed }).await?;
        Ok(())
    }

    /// The order in words, for the person who is to sign it.
    pub fn words(&self) -> Result<Vec<String>, OrderFault> {
        match &self.order {
            Order::Policy(signed) => Ok(words::policy(&signed.order)),
            Order::Epoch(signed) => Ok(vec![words::epoch(&signed.order)]),
            Order::Letter(letter) => letter.words(),
            Order::Warrant(signed) => Ok(vec![words::warrant(&signed.order)]),
        }
    }
}

#[cfg(test)]
mod tests {
    use cofferdam_core::{Domain, Epoch, FieldSet, SeededRng, Timestamp};
    use response_api::WarrantTerms;

    use super::*;
    use crate::order::retirement;
    use crate::warrant::draw_up;

    fn now() -> Timestamp {
        "2012-01-15T20:00:00Z".parse().unwrap()
    }

    fn warrant(purpose: &str) -> OrderFile {
        let terms = WarrantTerms {
            incident: 1,
            purpose: purpose.to_owned(),
            caller: "response-1".parse().unwrap(),
            domain: Domain::Accounts,
            fields: FieldSet::EMPTY,
            records: 7,
        };
        OrderFile { order: Order::Warrant(draw_up(terms, now(), &SeededRng::new(1))) }
    }

    #[test]
    fn signatures_are_added_in_the_file_one_a_person() {
        let (dir, rng) = (tempfile::tempdir().unwrap(), SeededRng::new(1));
        let path = dir.path().join("retirement.order");
        retirement(Domain::Accounts, Epoch(0), now()).write(&path).unwrap();
        let people = ["ann", "bob"].map(|name| ApproverSecret::generate(name, &rng));
        for person in people.iter().chain(&people) {
            let mut order = OrderFile::read(&path).unwrap();
            order.sign(person);
            order.write(&path).unwrap();
        }
        let signed = OrderFile::read(&path).unwrap();
        let Order::Epoch(signed) = signed.order else { panic!("another order: {signed:?}") };
        assert_eq!(signed.signatures.len(), 2);
        let public = people.each_ref().map(ApproverSecret::public);
        assert_eq!(signed.verify(&public), Ok(["ann".to_owned(), "bob".to_owned()]));
    }

    #[test]
    fn a_warrant_for_a_letter_is_refused_without_the_texts() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("letter.order");
        warrant("a list for the post").write(&path).unwrap();
        assert!(OrderFile::read(&path).is_ok());
        warrant("letter 2 to customers, version 00").write(&path).unwrap();
        let refused = OrderFile::read(&path).unwrap_err().to_string();
        assert!(refused.contains("letter.order") && refused.contains("texts"), "{refused}");
    }

    #[test]
    fn words_command_no_terminal() {
        let words = warrant("a list\u{1b}[2J").words().unwrap();
        assert_eq!(words.len(), 1);
        assert!(words[0].starts_with("Approve a list [2J: until "), "{words:?}");
    }
}
