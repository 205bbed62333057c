//! The forms of the names in the brought table. A name in the only form that the table has, and which
//! the table does not have, is another person. Any other name may be a spelling of somebody's.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// The most digits of a number. More don't fit into 64 bits, so that programs read them differently.
const MAX_DIGITS: usize = 18;

/// The form of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NameForm {
    /// A decimal number without a sign or zeros in front.
    Number,
    /// A UUID in lower case with hyphens (RFC 9562).
    Uuid,
    /// A key of another form.
    OtherKey,
    /// No e-mail address: the person could have any.
    NoEmail,
    /// The names were stored before their forms were.
    Unknown,
}

impl NameForm {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Number, "number"),
        (Self::Uuid, "uuid"),
        (Self::OtherKey, "other_key"),
        (Self::NoEmail, "no_email"),
        (Self::Unknown, "unknown"),
    ];

    /// The form of a key.
    #[must_use]
    pub fn of_key(key: &str) -> Self {
        let digits = key.bytes().all(|b| b.is_ascii_digit());
        let zero_in_front = key.len() > 1 && key.starts_with('0');
        if !key.is_empty() && digits && !zero_in_front && key.len() <= MAX_DIGITS {
            return Self::Number;
        }
        let is_uuid = key.len() == 36
            && key.bytes().enumerate().all(|(place, b)| match place {
                8 | 13 | 18 | 23 => b == b'-',
                _ => b.is_ascii_digit() || (b'a'..=b'f').contains(&b),
            });
        if is_uuid { Self::Uuid } else { Self::OtherKey }
    }
}

impl fmt::Display for NameForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.iter().find(|(form, _)| form == self).map(|(_, name)| *name);
        f.write_str(name.unwrap_or_default())
    }
}

impl FromStr for NameForm {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = Self::ALL.iter().find(|(_, name)| *name == text).map(|(form, _)| *form);
        form.ok_or_else(|| format!("{text} is no form of a name"))
    }
}

/// The forms of all names in the brought table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NameForms(pub BTreeSet<NameForm>);

impl NameForms {
    /// Whether a key that the table does not have is another person's.
    #[must_use]
    pub fn excludes_key(&self, key: &str) -> bool {
        let form = NameForm::of_key(key);
        let of_keys = self.0.iter().filter(|form| **form != NameForm::NoEmail);
        form != NameForm::OtherKey && of_keys.copied().eq([form])
    }

    /// Whether an e-mail address that the table does not have is another person's. An address with
    /// unusual characters may be another spelling.
    #[must_use]
    pub fn excludes_email(&self, address: &str) -> bool {
        let plain = |text: &str| {
            let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
            !text.is_empty() && text.bytes().all(fits)
        };
        let whole = address
            .split_once('@')
            .is_some_and(|(local, domain)| plain(local) && plain(domain) && domain.contains('.'));
        let known =
            [NameForm::NoEmail, NameForm::Unknown].iter().all(|form| !self.0.contains(form));
        whole && known && !self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_name_in_the_tables_one_form_is_another_persons() {
        let forms =
            |keys: &[&str]| NameForms(keys.iter().map(|key| NameForm::of_key(key)).collect());
        let numbers = forms(&["1", "20", "0"]);
        assert!(numbers.excludes_key("99"));
        for spelled in [
            "007",
            "7.00",
            "7-slug",
            "",
            " 7",
            "+7",
            "-7",
            "7 ",
            "٧",
            "0x7",
            "1e3",
            "9999999999999999999",
            "7,8",
        ] {
            assert!(!numbers.excludes_key(spelled), "{spelled}");
        }
        let uuid = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
        let uuids = forms(&[uuid]);
        assert!(uuids.excludes_key("b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"));
        assert!(!uuids.excludes_key(&uuid.to_uppercase()));
        assert!(!uuids.excludes_key(&uuid.replace('-', "")));
        assert!(!uuids.excludes_key("99"));
        assert!(!forms(&["1", "007"]).excludes_key("99"));
        assert!(!forms(&["C-1"]).excludes_key("C-2"));
        assert!(!NameForms::default().excludes_key("99"));
        let old = NameForms([NameForm::Number, NameForm::Unknown].into());
        assert!(!old.excludes_key("99") && !old.excludes_email("a@b.example"));
    }

    #[test]
    fn a_plain_address_is_another_persons_if_everybody_has_one() {
        let numbers = NameForms([NameForm::Number].into());
        assert!(numbers.excludes_email("Ada.L@post.example"));
        for odd in
            ["ada", "ada@", "ada+x@post.example", "%@post.example", "a@b@c.d", "ada@post", ""]
        {
            assert!(!numbers.excludes_email(odd), "{odd}");
        }
        assert!(!NameForms([NameForm::Number, NameForm::NoEmail].into()).excludes_email("a@b.c"));
        assert!(NameForms([NameForm::Number, NameForm::NoEmail].into()).excludes_key("9"));
    }

    #[test]
    fn forms_are_stored_by_name() {
        for (form, name) in NameForm::ALL {
            assert_eq!((form.to_string().as_str(), name.parse()), (name, Ok(form)));
        }
    }
}
