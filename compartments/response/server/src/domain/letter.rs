//! What a letter says, to whom. The same facts and the same person give the same bytes.

use askama::Template;
use cofferdam_core::{Domain, Field, FieldSet, Personal, Timestamp};
use response_api::{Exposure, Incident};

use super::words;
use crate::Shop;

/// The facts of an incident, in the words of its letters.
#[derive(Debug, Clone)]
pub struct Facts {
    shop: Shop,
    written: Timestamp,
    began: String,
    ended: String,
    discovered: String,
    /// Whether the card compartment gave the fallen hosts nothing.
    cards_untouched: bool,
    done: Done,
    exposed: String,
    customers: String,
    incident: u32,
}

/// What has been done so far: a letter claims nothing else.
#[derive(Debug, Clone, Copy)]
pub struct Done {
    /// Every fallen caller is frozen.
    pub contained: bool,
    /// All credentials are void.
    pub voided: bool,
}

/// A letter's texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    /// The subject line.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

/// Why a letter can't be written.
#[derive(Debug, thiserror::Error)]
pub enum LetterError {
    /// A template fails.
    #[error("a letter's template fails: {0}")]
    Template(#[from] askama::Error),
    /// The message can't be built: most likely the address is none.
    #[error(transparent)]
    Message(#[from] cofferdam_mail::MessageError),
}

impl Facts {
    /// Takes the facts; `written` is the date of every letter of the mailing.
    #[must_use]
    pub fn new(
        shop: &Shop,
        incident: &Incident,
        exposure: &Exposure,
        done: Done,
        written: Timestamp,
    ) -> Self {
        let exposed = exposure.people.read + exposure.people.presented;
        Self {
            shop: shop.clone(),
            written,
            began: words::instant(incident.from),
            ended: words::instant(exposure.until),
            discovered: words::day(incident.declared),
            cards_untouched: exposure.untouched.iter().any(|of| of.domain == Domain::Payments),
            done,
            exposed: words::number(exposed),
            customers: words::number(exposure.customers),
            incident: incident.incident.0,
        }
    }

    /// The date of the mailing's letters.
    #[must_use]
    pub const fn date(&self) -> Timestamp {
        self.written
    }

    /// The letter to a member of staff.
    pub fn staff(&self, name: &Personal) -> Result<Texts, LetterError> {
        let (name, facts) = (name.expose(), self);
        Ok(Texts {
            subject: format!(
                "Security incident {}: what to know before customers ask",
                self.incident
            ),
            text: StaffText { name, facts }.render()?,
            html: StaffHtml { name, facts }.render()?,
        })
    }

    /// The letter to a customer of whom `fields` were read or presented.
    pub fn customer(&self, name: &Personal, fields: FieldSet) -> Result<Texts, LetterError> {
        let (name, facts) = (name.expose(), self);
        let lost = words::fields(fields);
        let password_typed = fields.contains(Field::Password);
        let lost = lost.as_slice();
        Ok(Texts {
            subject: format!("{}: Notice of Data Breach", self.shop.name),
            text: CustomerText { name, facts, lost, password_typed }.render()?,
            html: CustomerHtml { name, facts, lost, password_typed }.render()?,
        })
    }

    fn written_day(&self) -> String {
        words::day(self.written)
    }
}

macro_rules! template {
    ($($name:ident, $path:literal, { $($field:ident: $type:ty),* };)*) => {$(
        #[derive(Template)]
        #[template(path = $path)]
        struct $name<'a> {
            name: &'a str,
            facts: &'a Facts,
            $($field: $type,)*
        }
    )*};
}

template! {
    StaffText, "letters/staff/text.txt", {};
    StaffHtml, "letters/staff/html.html", {};
    CustomerText, "letters/customer/text.txt", { lost: &'a [&'static str], password_typed: bool };
    CustomerHtml, "letters/customer/html.html", { lost: &'a [&'static str], password_typed: bool };
}

#[cfg(test)]
mod tests {
    use response_api::{IncidentId, LevelCounts, LogProof, Untouched};

    use super::*;

    fn facts(cards_untouched: bool) -> Facts {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let shop = Shop {
            name: "Shoeleather".into(),
            web_address: "shoeleather.example".into(),
            support_email: "help@shoeleather.example".into(),
            mail_from: "notice@shoeleather.example".into(),
            signatory: "Tony Hale".into(),
            signatory_title: "Chief Executive".into(),
            message_id_domain: "letters.shoeleather.example".into(),
            measures: "We have called in the police and outside experts.".into(),
            police_delay: "Law enforcement has not asked us to delay this notice.".into(),
        };
        let incident = Incident {
            incident: IncidentId(1),
            title: "one app server".into(),
            fallen: vec!["web-ky-1".parse().unwrap()],
            from: at("2012-01-14T22:00:00Z"),
            to: None,
            found: "a decoy was opened".into(),
            people: response_api::People::Accounts,
            declared: at("2012-01-15T09:30:00Z"),
            declared_by: "operator-1".parse().unwrap(),
        };
        let untouched =
            Untouched { domain: Domain::Payments, records: 9, released: 0, granted: false };
        let exposure = Exposure {
            incident: IncidentId(1),
            computed: at("2012-01-15T10:00:00Z"),
            until: at("2012-01-15T10:00:00Z"),
            people: LevelCounts { read: 1_200, presented: 34, reachable: 22_766 },
            fields: std::collections::BTreeMap::new(),
            assumed: 0,
            minors: 0,
            undeliverable: 0,
            access_logs: vec![],
            unresolved: vec![],
            given_up: vec![],
            jurisdictions: std::collections::BTreeMap::new(),
            languages: std::collections::BTreeMap::new(),
            customers: 24_000,
            untouched: if cards_untouched { vec![untouched] } else { vec![] },
            logs: vec![LogProof {
                size: 1,
                root: String::new(),
                checkpoint: String::new(),
                cosigned: None,
            }],
            doubts: vec![],
        };
        Facts::new(
            &shop,
            &incident,
            &exposure,
            Done { contained: true, voided: true },
            at("2012-01-15T12:00:00Z"),
        )
    }

    fn name() -> Personal {
        Personal::new("Ada <Lovelace> & Co")
    }

    #[test]
    fn a_customer_reads_what_this_customer_lost() {
        let lost: FieldSet = [Field::Name, Field::Email, Field::Password].into_iter().collect();
        let texts = facts(true).customer(&name(), lost).unwrap();
        insta::assert_snapshot!(
            "customer_lost_subject_and_text",
            format!("{}\n\n{}", texts.subject, texts.text)
        );
        insta::assert_snapshot!("customer_lost_html", texts.html);
    }

    #[test]
    fn a_customer_of_whom_nothing_was_read_is_told_so() {
        let texts = facts(true).customer(&name(), FieldSet::EMPTY).unwrap();
        insta::assert_snapshot!("customer_nothing_text", texts.text);
        assert!(!texts.html.contains("<Lovelace>"), "a name is not markup");
    }

    #[test]
    fn cards_are_called_untouched_only_with_proof() {
        let claim = "card";
        let with = facts(true).customer(&name(), FieldSet::EMPTY).unwrap();
        let without = facts(false).customer(&name(), FieldSet::EMPTY).unwrap();
        assert!(with.text.contains(claim) && with.html.contains(claim));
        assert!(!without.text.contains(claim) && !without.html.contains(claim));
    }

    #[test]
    fn staff_hear_it_first() {
        let texts = facts(true).staff(&name()).unwrap();
        insta::assert_snapshot!("staff_text", texts.text);
    }
}
