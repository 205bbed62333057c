//! Warrants, which two people sign so that `response` may read contacts.

use cofferdam_core::{Rng, Timestamp};
use jiff::SignedDuration;
use keys_api::{ApproverSecret, Signed, Warrant, WarrantId};
use response_api::WarrantTerms;

use crate::StepError;

/// The time for which a warrant holds: the longest that `keys` allows.
const VALID: SignedDuration = SignedDuration::from_hours(7 * 24);
/// The largest difference that is expected between the clocks of this machine and of `keys`.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// Draws up a warrant on the terms of `response`, valid from now on and not yet signed.
pub fn draw_up(terms: WarrantTerms, now: Timestamp, rng: &dyn Rng) -> Signed<Warrant> {
    let from = now.saturating_sub(SKEW).unwrap_or(now);
    let order = Warrant {
        id: WarrantId::random(rng),
        incident: terms.incident,
        subject: terms.subject,
        caller: terms.caller,
        domain: terms.domain,
        fields: terms.fields,
        records: terms.records,
        from,
        until: from.saturating_add(VALID).unwrap_or(now),
    };
    Signed { order, signatures: Vec::new() }
}

/// Has a warrant signed by all of `people`, of whom there must be two or more.
pub(crate) fn sign(
    mut warrant: Signed<Warrant>,
    people: &[ApproverSecret],
) -> Result<Signed<Warrant>, StepError> {
    if people.len() < 2 {
        return Err(StepError::Approvers(people.len()));
    }
    warrant.signatures = people.iter().map(|person| person.sign(&warrant.order)).collect();
    Ok(warrant)
}

#[cfg(test)]
mod tests {
    use cofferdam_core::{Domain, Field, FieldSet, SeededRng, WarrantSubject};

    use super::*;

    fn terms() -> WarrantTerms {
        WarrantTerms {
            incident: 1,
            subject: WarrantSubject::PaperPost { letter: 1 },
            caller: "response-1".parse().unwrap(),
            domain: Domain::Accounts,
            fields: FieldSet::EMPTY.with(Field::Name).with(Field::Email),
            records: 20_000,
        }
    }

    fn signed_by(names: &[&str]) -> Result<(Signed<Warrant>, Vec<ApproverSecret>), StepError> {
        let rng = SeededRng::new(1);
        let people: Vec<_> =
            names.iter().map(|name| ApproverSecret::generate(name, &rng)).collect();
        let now = "2012-01-15T20:00:00Z".parse().unwrap();
        sign(draw_up(terms(), now, &rng), &people).map(|warrant| (warrant, people))
    }

    #[test]
    fn a_warrant_is_signed_by_both_as_keys_checks_it() {
        let (signed, people) = signed_by(&["ann", "bob"]).unwrap();
        let public: Vec<_> = people.iter().map(ApproverSecret::public).collect();
        assert_eq!(signed.verify(&public), Ok(["ann".to_owned(), "bob".to_owned()]));
        let warrant = signed.order;
        assert_eq!((warrant.incident, warrant.records), (1, 20_000));
        assert_eq!(warrant.fields, terms().fields);
        let now: Timestamp = "2012-01-15T20:00:00Z".parse().unwrap();
        assert!(warrant.from < now && now < warrant.until);
    }

    #[test]
    fn one_person_is_not_enough() {
        let error = signed_by(&["ann"]).unwrap_err().to_string();
        assert!(error.contains("two approvers"), "{error}");
    }
}
