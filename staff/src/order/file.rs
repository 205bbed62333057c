//! The file of an order.

use std::fs;
use std::path::Path;

use cofferdam_core::WarrantSubject;
use cofferdam_wire::Client;
use keys_api::{
    ApproverKey, ApproverSecret, EpochOrder, Order as _, Policy, Signature, Signed, VoidOrder,
    Warrant,
};
use response_api::{AppliedOrder, ApplyOrder, SignedOrder};
use serde::{Deserialize, Serialize};

use super::error::{OrderError, OrderFault};
use super::letter::LetterOrder;
use super::void_set::VoidSetOrder;
use super::words;
use crate::step::call;

/// The content of an order's file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderFile {
    /// The order itself, by its kind.
    #[serde(flatten)]
    pub order: Order,
}

/// An order by its kind, with the signatures.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", content = "signed", rename_all = "snake_case")]
pub enum Order {
    /// The next policy for all callers and approvers.
    Policy(Signed<Policy>),
    /// A new epoch, or the end of an old one.
    Epoch(Signed<EpochOrder>),
    /// The approval of a letter's version.
    Letter(LetterOrder),
    /// A warrant for a list of postal addresses.
    Warrant(Signed<Warrant>),
    /// The order that voids everybody's credentials.
    Void(Signed<VoidOrder>),
    /// The order that voids the credentials of a set of customers.
    VoidSet(VoidSetOrder),
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

    /// Checks that a letter comes with the texts that its warrant names, so that nobody signs a
    /// letter unseen.
    fn check(&self) -> Result<(), OrderFault> {
        match &self.order {
            Order::Letter(letter) => letter.check(),
            Order::Warrant(signed) => match signed.order.subject {
                WarrantSubject::Letter { .. } => Err(OrderFault::NoTexts),
                WarrantSubject::PaperPost { .. } => Ok(()),
            },
            Order::VoidSet(set) => set.check(),
            Order::Policy(_) | Order::Epoch(_) | Order::Void(_) => Ok(()),
        }
    }

    /// Writes the order over the file's earlier content.
    pub fn write(&self, path: &Path) -> Result<(), OrderError> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        fs::write(path, text).map_err(|source| OrderError::File { path: path.to_owned(), source })
    }

    /// Checks that every signature is by one of `approvers`, over this order. `keys` checks that
    /// again, and raises an alarm at a signature that does not hold.
    pub fn check_signatures(&self, approvers: &[ApproverKey]) -> Result<(), OrderFault> {
        let (signatures, message) = self.parts();
        for (place, signature) in (1..).zip(signatures) {
            signature.check(&message, approvers).map_err(|source| OrderFault::Signature {
                place,
                source,
                approvers: names(approvers),
            })?;
        }
        Ok(())
    }

    /// Checks that `by` may sign: the key is that of the approver whose name it was given, as far
    /// as `approvers`, those of the policy in force, are at hand; and it signed under no other name.
    pub fn check_signer(
        &self,
        by: &ApproverSecret,
        approvers: Option<&[ApproverKey]>,
    ) -> Result<(), OrderFault> {
        let (name, key) = (by.name().to_owned(), by.public().public_key);
        if let Some(approvers) = approvers {
            check_owner(by, approvers)?;
        }
        let (signatures, message) = self.parts();
        let same_key = |of: &&Signature| {
            let holder = ApproverKey { name: of.approver.clone(), public_key: key.clone() };
            of.approver != name && of.check(&message, &[holder]).is_ok()
        };
        match signatures.iter().find(same_key) {
            Some(of) => Err(OrderFault::SameKey { name, other: of.approver.clone() }),
            None => Ok(()),
        }
    }

    /// Adds a signature, in place of an earlier one by the same person.
    pub fn sign(&mut self, by: &ApproverSecret) {
        let (signatures, new) = match &mut self.order {
            Order::Policy(signed) => (&mut signed.signatures, by.sign(&signed.order)),
            Order::Epoch(signed) => (&mut signed.signatures, by.sign(&signed.order)),
            Order::Void(signed) | Order::VoidSet(VoidSetOrder { void: signed, .. }) => {
                (&mut signed.signatures, by.sign(&signed.order))
            }
            Order::Letter(LetterOrder { warrant: signed, .. }) | Order::Warrant(signed) => {
                (&mut signed.signatures, by.sign(&signed.order))
            }
        };
        signatures.retain(|signature| signature.approver != new.approver);
        signatures.push(new);
    }

    /// Whether one person signed an order that takes two.
    #[must_use]
    pub fn awaits_second_signature(&self) -> bool {
        !self.breaks_glass() && self.signers().len() < 2
    }

    /// Whether the signature of one person must do.
    #[must_use]
    pub fn breaks_glass(&self) -> bool {
        match &self.order {
            Order::Void(signed) | Order::VoidSet(VoidSetOrder { void: signed, .. }) => {
                signed.order.break_glass.is_some()
            }
            Order::Epoch(signed) => signed.order.break_glass.is_some(),
            Order::Policy(_) | Order::Letter(_) | Order::Warrant(_) => false,
        }
    }

    /// The names of the people who have signed so far.
    #[must_use]
    pub fn signers(&self) -> Vec<&str> {
        self.parts().0.iter().map(|signature| signature.approver.as_str()).collect()
    }

    /// The signatures, and the bytes that they are over.
    fn parts(&self) -> (&[Signature], Vec<u8>) {
        match &self.order {
            Order::Policy(of) => (&of.signatures, of.order.signed_bytes()),
            Order::Epoch(of) => (&of.signatures, of.order.signed_bytes()),
            Order::Letter(LetterOrder { warrant: of, .. }) | Order::Warrant(of) => {
                (&of.signatures, of.order.signed_bytes())
            }
            Order::Void(of) | Order::VoidSet(VoidSetOrder { void: of, .. }) => {
                (&of.signatures, of.order.signed_bytes())
            }
        }
    }

    /// Has `response` carry the order out. `keys` checks the signatures.
    pub async fn apply(&self, response: &Client) -> Result<AppliedOrder, OrderError> {
        let order = match &self.order {
            Order::Policy(signed) => SignedOrder::Policy(serde_json::to_value(signed)?),
            Order::Epoch(signed) => SignedOrder::Epoch(serde_json::to_value(signed)?),
            Order::Letter(LetterOrder { warrant: signed, .. }) | Order::Warrant(signed) => {
                SignedOrder::Warrant(serde_json::to_value(signed)?)
            }
            Order::Void(signed) => SignedOrder::Void(serde_json::to_value(signed)?),
            Order::VoidSet(VoidSetOrder { void, roaring }) => {
                let (order, roaring) = (serde_json::to_value(void)?, roaring.clone());
                SignedOrder::VoidSet { order, roaring }
            }
        };
        Ok(call(response, &ApplyOrder { order }).await?)
    }

    /// Puts the order in words, for the person who is to sign it. A policy is shown as the
    /// difference to `in_force`; if that is `None`, in full.
    pub fn words(&self, before: Option<&Policy>) -> Result<Vec<String>, OrderFault> {
        match &self.order {
            Order::Policy(signed) => Ok(words::policy(&signed.order, before)),
            Order::Epoch(signed) => Ok(vec![words::epoch(&signed.order)]),
            Order::Letter(letter) => letter.words(),
            Order::Warrant(signed) => Ok(vec![words::warrant(&signed.order)]),
            Order::Void(signed) | Order::VoidSet(VoidSetOrder { void: signed, .. }) => {
                Ok(vec![words::void(&signed.order)])
            }
        }
    }
}

/// Checks that a key is that of the approver whose name it was given.
pub fn check_owner(by: &ApproverSecret, approvers: &[ApproverKey]) -> Result<(), OrderFault> {
    let (name, key) = (by.name().to_owned(), by.public().public_key);
    let known = approvers.iter().find(|of| of.name == name).ok_or_else(|| {
        OrderFault::NoApprover { name: name.clone(), approvers: names(approvers) }
    })?;
    if known.public_key != key {
        let owner = approvers.iter().find(|of| of.public_key == key);
        return Err(OrderFault::OtherKey { name, owner: owner.map(|of| of.name.clone()) });
    }
    Ok(())
}

fn names(approvers: &[ApproverKey]) -> String {
    approvers.iter().map(|of| of.name.as_str()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use cofferdam_core::{Domain, Epoch, FieldSet, SeededRng, Sha256, Timestamp};
    use response_api::WarrantTerms;

    use super::*;
    use crate::order::retirement;
    use crate::warrant::draw_up;

    fn now() -> Timestamp {
        "2012-01-15T20:00:00Z".parse().unwrap()
    }

    fn warrant(subject: WarrantSubject) -> OrderFile {
        let terms = WarrantTerms {
            incident: 1,
            subject,
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
    fn a_key_signs_for_its_owner_alone() {
        let rng = SeededRng::new(1);
        let [ann, bob] = ["ann", "bob"].map(|name| ApproverSecret::generate(name, &rng));
        let approvers = [ann.public(), bob.public()];
        let pem = ann.to_pem(b"tide", &rng).unwrap();
        let named = |name: &str| ApproverSecret::from_pem(name, &pem, b"tide").unwrap();
        let mut order = retirement(Domain::Accounts, Epoch(0), now());
        let refused = |order: &OrderFile, by: &ApproverSecret, at_hand: bool| {
            let approvers = at_hand.then_some(approvers.as_slice());
            order.check_signer(by, approvers).map_err(|e| e.to_string())
        };
        assert_eq!(refused(&order, &ann, true), Ok(()));
        let as_bob = refused(&order, &named("bob"), true).unwrap_err();
        assert_eq!(as_bob, r#"the key given for "bob" is not "bob"'s, but "ann"'s"#);
        let stranger = refused(&order, &named("eve"), true).unwrap_err();
        assert!(stranger.contains(r#""eve" is no approver"#) && stranger.contains("ann, bob"));
        let other = ApproverSecret::generate("bob", &rng);
        let other = refused(&order, &other, true).unwrap_err();
        assert_eq!(other, r#"the key given for "bob" is not "bob"'s"#);

        // Without the policy at hand, a key still signs under one name only.
        order.sign(&ann);
        assert_eq!(refused(&order, &ann, false), Ok(()), "again, in place of the first");
        let twice = refused(&order, &named("bob"), false).unwrap_err();
        assert_eq!(twice, r#"the key given for "bob" has signed this order as "ann" before"#);

        assert!(order.check_signatures(&approvers).is_ok());
        order.sign(&named("bob"));
        let mismatch = order.check_signatures(&approvers).unwrap_err().to_string();
        assert!(mismatch.starts_with(r#"signature 2: the signature of "bob" does not match"#));
        order.sign(&named("eve"));
        let Order::Epoch(signed) = &mut order.order else { panic!("another order") };
        signed.signatures.remove(1);
        let made_up = order.check_signatures(&approvers).unwrap_err().to_string();
        assert!(made_up.starts_with(r#"signature 2: "eve" is no approver"#), "{made_up}");
    }

    #[test]
    fn a_warrant_for_a_letter_is_refused_without_the_texts() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("letter.order");
        warrant(WarrantSubject::PaperPost { letter: 2 }).write(&path).unwrap();
        assert!(OrderFile::read(&path).is_ok());
        let version = Sha256([0; 32]);
        warrant(WarrantSubject::Letter { letter: 2, version }).write(&path).unwrap();
        let refused = OrderFile::read(&path).unwrap_err().to_string();
        assert!(refused.contains("letter.order") && refused.contains("texts"), "{refused}");
    }

    #[test]
    fn words_command_no_terminal() {
        let incident = response_api::IncidentId(1);
        let reason = Some("only one of us is here\u{1b}[2J".to_owned());
        let order = crate::order::void_everybody(incident, now(), reason, now());
        let words = order.words(None).unwrap();
        assert_eq!(words.len(), 1);
        assert!(words[0].starts_with("Void the credentials") && !words[0].contains('\u{1b}'));
        assert!(words[0].contains("ONE signature is enough"), "{words:?}");
    }
}
