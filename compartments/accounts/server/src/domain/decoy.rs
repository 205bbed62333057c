//! Decoys: customers who do not exist. A decoy is made from parts of different customers, so that a
//! thief who opens one notices nothing.

use accounts_api::Profile;
use cofferdam_core::{Personal, Rng};
use serde::{Deserialize, Serialize};

/// The number of times that a name is drawn again because it is a real customer's.
const DRAWS: usize = 64;
/// The least number of digits at the end of each address that a decoy may get. Other decoys soon
/// have the addresses without digits; they hardly ever have one with six.
const ENDINGS: [usize; 3] = [0, 3, 6];
/// The number of digits at the end of a phone number that are drawn again. The digits before them
/// tell the place of the phone.
const LOCAL_DIGITS: usize = 6;

/// Mail domains of the shop in which only decoys have mailboxes; at least one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct MailDomains(Vec<String>);

impl TryFrom<Vec<String>> for MailDomains {
    type Error = &'static str;

    fn try_from(domains: Vec<String>) -> Result<Self, Self::Error> {
        let plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
        let good = |domain: &String| domain.contains('.') && domain.bytes().all(plain);
        if domains.is_empty() || !domains.iter().all(good) {
            return Err("name at least one mail domain, in lower case");
        }
        Ok(Self(domains))
    }
}

/// A decoy without a record number.
#[derive(Debug)]
pub struct Nobody {
    /// The profile, with the first of the addresses.
    pub profile: Profile,
    /// The addresses that the decoy may get, all of the same length. It gets the first that is
    /// free.
    pub addresses: [Personal; ENDINGS.len()],
}

/// Makes a decoy from parts of `donors`; `None` if there are none.
///
/// The home (addresses, coarse attributes, filled fields) comes from one donor, the given name from
/// another, the family name from a third. The names come from donors in the country of the home, if
/// there are enough.
#[must_use]
pub fn recombine(donors: &[&Profile], domains: &MailDomains, rng: &dyn Rng) -> Option<Nobody> {
    let home = pick(donors, rng)?;
    let near: Vec<&Profile> =
        donors.iter().copied().filter(|d| d.coarse.country == home.coarse.country).collect();
    let namesakes = if near.len() >= 4 { near.as_slice() } else { donors };
    let (given, family) = name(namesakes, home, rng)?;
    let house = digits(rng, 3);
    let address = |text: &Personal| Personal::new(with_number(text.expose(), &house));
    let addresses = addresses(&given, &family, donors, domains, rng);
    let profile = Profile {
        name: Personal::new(format!("{given} {family}").trim()),
        email: addresses[0].clone(),
        phone: home.phone.as_ref().map(|p| Personal::new(with_other_ending(p.expose(), rng))),
        billing_address: home.billing_address.as_ref().map(address),
        shipping_address: home.shipping_address.as_ref().map(address),
        card_last4: home.card_last4.as_ref().map(|_| last4(donors, home, rng)),
        coarse: home.coarse.clone(),
    };
    Some(Nobody { profile, addresses })
}

/// A given name and a family name that no donor has together.
fn name(donors: &[&Profile], home: &Profile, rng: &dyn Rng) -> Option<(String, String)> {
    let mut drawn = None;
    for _ in 0..DRAWS {
        let (given, _) = split(pick(donors, rng)?.name.expose());
        let (_, family) = split(pick(donors, rng)?.name.expose());
        let full = format!("{given} {family}");
        let taken = donors.iter().any(|d| d.name.expose() == full);
        let at_home = split(home.name.expose()).1 == family;
        drawn = Some((given.to_owned(), family.to_owned()));
        if !taken && !at_home {
            break;
        }
    }
    drawn
}

/// A name without its last word, and the last word.
fn split(name: &str) -> (&str, &str) {
    name.trim().rsplit_once(' ').unwrap_or((name.trim(), ""))
}

/// Makes addresses as long as that of some donor, because a stolen table shows the length of each
/// address.
fn addresses(
    given: &str,
    family: &str,
    donors: &[&Profile],
    domains: &MailDomains,
    rng: &dyn Rng,
) -> [Personal; ENDINGS.len()] {
    let domain = pick(&domains.0, rng).map_or("", String::as_str);
    let alike = pick(donors, rng).map_or(0, |donor| donor.email.expose().len());
    let third = pick(donors, rng).map_or("", |donor| split(donor.name.expose()).0);
    let [given, family, third] = [given, family, third].map(plain_letters);
    let initial = given.get(..1).unwrap_or_default().to_owned();
    let forms: Vec<String> = [
        vec![&given, &family],
        vec![&given, &third, &family],
        vec![&initial, &family],
        vec![&family],
        vec![&given],
    ]
    .into_iter()
    .map(|words| {
        words.into_iter().filter(|word| !word.is_empty()).cloned().collect::<Vec<_>>().join(".")
    })
    .filter(|form| !form.is_empty())
    .collect();
    let length = match alike {
        0 => forms.first().map_or(4, String::len) + 2,
        alike => alike.saturating_sub(domain.len() + 1).max(1),
    };
    ENDINGS
        .map(|ending| Personal::new(format!("{}@{domain}", of_length(&forms, length, ending, rng))))
}

/// The first of `forms` that gets to `length` with a few digits, at least `ending`. If there is
/// none, the longest form is cut, or gets more digits.
fn of_length(forms: &[String], length: usize, ending: usize, rng: &dyn Rng) -> String {
    let letters = length.saturating_sub(ending);
    let fits = |form: &&String| form.len() <= letters && letters - form.len() <= 4;
    let chosen = forms.iter().find(fits).or_else(|| forms.iter().max_by_key(|form| form.len()));
    // The forms have plain letters and dots, so every byte is a character.
    let mut local: String = chosen.map_or("mail", String::as_str).chars().take(letters).collect();
    if local.ends_with('.') {
        local.pop();
    }
    let missing = length - local.len();
    local + &digits(rng, missing)
}

/// A name as people write it in mail addresses: in plain lower-case letters.
fn plain_letters(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        match c {
            'a'..='z' | '0'..='9' => out.push(c),
            'ä' => out.push_str("ae"),
            'ö' | 'ø' => out.push_str("oe"),
            'ü' => out.push_str("ue"),
            'ß' => out.push_str("ss"),
            'à' | 'á' | 'â' | 'ã' | 'å' | 'ā' | 'ă' | 'ą' => out.push('a'),
            'ç' | 'ć' | 'č' => out.push('c'),
            'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ę' | 'ě' => out.push('e'),
            'ì' | 'í' | 'î' | 'ï' | 'ī' | 'ı' => out.push('i'),
            'ł' => out.push('l'),
            'ñ' | 'ń' | 'ň' => out.push('n'),
            'ò' | 'ó' | 'ô' | 'õ' | 'ő' => out.push('o'),
            'ř' => out.push('r'),
            'ś' | 'š' | 'ş' | 'ș' => out.push('s'),
            'ù' | 'ú' | 'û' | 'ů' | 'ű' => out.push('u'),
            'ý' | 'ÿ' => out.push('y'),
            'ź' | 'ż' | 'ž' => out.push('z'),
            _ => {}
        }
    }
    out
}

fn last4(donors: &[&Profile], home: &Profile, rng: &dyn Rng) -> Personal {
    let others: Vec<&Personal> = donors
        .iter()
        .filter_map(|d| d.card_last4.as_ref())
        .filter(|digits| Some(*digits) != home.card_last4.as_ref())
        .collect();
    pick(&others, rng).map_or_else(|| Personal::new(digits(rng, 4)), |d| (*d).clone())
}

/// `address` with other digits at the end of its first number, up to three: `12 Main St` becomes
/// `57 Main St`.
fn with_number(address: &str, house: &str) -> String {
    let is_digit = |c: char| c.is_ascii_digit();
    let Some(start) = address.find(is_digit) else { return address.to_owned() };
    let rest = &address[start..];
    let length = rest.find(|c| !is_digit(c)).unwrap_or(rest.len());
    let keep = length.saturating_sub(house.len());
    let number = &house[..length - keep];
    let number =
        if number == &rest[keep..length] { other_number(number) } else { number.to_owned() };
    format!("{}{}{number}{}", &address[..start], &rest[..keep], &rest[length..])
}

/// Another number with as many digits.
fn other_number(number: &str) -> String {
    number.chars().map(|c| if c == '9' { '1' } else { char::from(c as u8 + 1) }).collect()
}

fn with_other_ending(phone: &str, rng: &dyn Rng) -> String {
    let mut left = LOCAL_DIGITS;
    let ending = digits(rng, LOCAL_DIGITS);
    let mut fresh = ending.chars();
    let mut out: Vec<char> = phone.chars().collect();
    for c in out.iter_mut().rev().filter(|c| c.is_ascii_digit()) {
        if left == 0 {
            break;
        }
        left -= 1;
        *c = fresh.next().unwrap_or('7');
    }
    out.into_iter().collect()
}

/// Random digits, of which the first is not 0.
fn digits(rng: &dyn Rng, count: usize) -> String {
    let mut out = String::with_capacity(count);
    for place in 0..count {
        let choices = if place == 0 { b"123456789".as_slice() } else { b"0123456789".as_slice() };
        out.extend(pick(choices, rng).map(|b| char::from(*b)));
    }
    out
}

/// A random one of `choices`; `None` if there are none.
pub fn pick<'a, T>(choices: &'a [T], rng: &dyn Rng) -> Option<&'a T> {
    let drawn = u64::from_be_bytes(rng.bytes());
    let count = u64::try_from(choices.len()).ok().filter(|count| *count > 0)?;
    choices.get(usize::try_from(drawn % count).ok()?)
}

#[cfg(test)]
mod tests {
    use cofferdam_core::SeededRng;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{address, parts, profile};

    fn domains() -> MailDomains {
        MailDomains(vec!["mailbox.example".into()])
    }

    #[test]
    fn a_decoy_resembles_customers_and_is_none_of_them() {
        let mut people = parts::people();
        people[3].card_last4 = Some(Personal::new("4242"));
        people[4].card_last4 = Some(Personal::new("1881"));
        let donors: Vec<&Profile> = people.iter().collect();
        let rng = SeededRng::new(3);
        for _ in 0..500 {
            let Nobody { profile: decoy, addresses } =
                recombine(&donors, &domains(), &rng).unwrap();
            assert_eq!(addresses[0], decoy.email);
            assert!(addresses.iter().all(|a| a.expose().len() == decoy.email.expose().len()));
            assert!(addresses.iter().all(address::is_plausible));
            assert_eq!(profile::check(&decoy), Ok(()));
            assert!(address::is_plausible(&decoy.email));
            assert!(decoy.email.expose().ends_with("@mailbox.example"));
            assert!(donors.iter().all(|d| d.name.expose() != decoy.name.expose()));
            assert!(donors.iter().all(|d| d.billing_address != decoy.billing_address));
            assert!(donors.iter().all(|d| d.phone != decoy.phone));
            assert_eq!(decoy.billing_address, decoy.shipping_address);

            let street = |p: &Profile| {
                let text = p.billing_address.as_ref().unwrap().expose();
                text.trim_start_matches(|c: char| c.is_ascii_digit()).to_owned()
            };
            let home = donors.iter().find(|d| street(d) == street(&decoy)).unwrap();
            assert_eq!(home.coarse, decoy.coarse, "the state does not belong to the address");
            assert_eq!(home.card_last4.is_some(), decoy.card_last4.is_some());
            assert!(home.card_last4.is_none() || home.card_last4 != decoy.card_last4);
            let own = split(home.name.expose());
            assert_ne!(split(decoy.name.expose()).1, own.1, "a family of that name lives there");
        }
    }

    #[test]
    fn without_donors_there_is_no_decoy() {
        assert!(recombine(&[], &domains(), &SeededRng::new(1)).is_none());
    }

    #[test]
    fn only_the_first_number_changes() {
        for (address, house, expected) in [
            ("12 Main St, NY 10001", "571", "57 Main St, NY 10001"),
            ("Hauptstr. 7, 10115 Berlin", "571", "Hauptstr. 5, 10115 Berlin"),
            ("57 Main St", "571", "68 Main St"),
            ("12345 Long Rd", "571", "12571 Long Rd"),
            ("Rose Cottage", "571", "Rose Cottage"),
        ] {
            assert_eq!(with_number(address, house), expected);
        }
    }

    proptest! {
        #[test]
        fn in_any_address_only_digits_change(
            address in ".{0,10}[0-9]{0,6}.{0,10}", house in "[1-9][0-9]{2}"
        ) {
            let other = with_number(&address, &house);
            prop_assert_eq!(other.len(), address.len());
            prop_assert_eq!(other == address, !address.contains(|c: char| c.is_ascii_digit()));
            let words = |s: &str| s.replace(|c: char| c.is_ascii_digit(), "");
            prop_assert_eq!(words(&other), words(&address));
        }
    }

    #[test]
    fn letters_of_other_alphabets_become_plain_or_vanish() {
        assert_eq!(plain_letters("Jürgen Ñandú"), "juergennandu");
        assert_eq!(plain_letters("О'Brien"), "brien");
        assert_eq!(plain_letters("李"), "");
        for (letters, plain) in [
            ("A-z 1", "az1"),
            ("àáâãåāăą", "aaaaaaaa"),
            ("çćč", "ccc"),
            ("èéêëēęě", "eeeeeee"),
            ("ìíîïīı", "iiiiii"),
            ("ł", "l"),
            ("ñńň", "nnn"),
            ("òóôõő", "ooooo"),
            ("äöøüß", "aeoeoeuess"),
            ("ř", "r"),
            ("śšşș", "ssss"),
            ("ùúûůű", "uuuuu"),
            ("ýÿ", "yy"),
            ("źżž", "zzz"),
        ] {
            assert_eq!(plain_letters(letters), plain, "{letters}");
        }
    }

    #[test]
    fn names_come_from_the_country_of_the_home() {
        let mut people = parts::people();
        for person in &mut people[..4] {
            person.coarse.country = Some("DE".parse().unwrap());
        }
        let donors: Vec<&Profile> = people.iter().collect();
        let rng = SeededRng::new(5);
        for _ in 0..100 {
            let Nobody { profile, .. } = recombine(&donors, &domains(), &rng).unwrap();
            let (given, family) = split(profile.name.expose());
            let of_country = |name: &dyn Fn(&Profile) -> bool| {
                people.iter().find(|p| name(p)).unwrap().coarse.country == profile.coarse.country
            };
            assert!(of_country(&|p| split(p.name.expose()).0 == given), "{given}");
            assert!(of_country(&|p| split(p.name.expose()).1 == family), "{family}");
        }
    }

    #[test]
    fn an_address_is_as_long_as_those_of_donors() {
        let rng = SeededRng::new(6);
        for (email, local) in [("", "ada.lovelace".len() + 2), ("x@a-mail-provider.example", 9)] {
            let mut people = parts::people();
            for person in &mut people {
                person.email = Personal::new(email);
            }
            let donors: Vec<&Profile> = people.iter().collect();
            let made = addresses("Ada", "Lovelace", &donors, &domains(), &rng);
            for address in &made {
                assert_eq!(address.expose().len(), local + "@mailbox.example".len());
            }
            if email.is_empty() {
                assert!(made[0].expose().starts_with("ada.lovelace"), "{:?}", made[0].expose());
            }
        }
    }

    #[test]
    fn a_form_is_brought_to_a_length_by_few_digits_or_cut() {
        let rng = SeededRng::new(7);
        let forms = ["ada.lovelace", "a.lovelace", "lovelace"].map(str::to_owned);
        for (length, ending, letters) in [
            (10, 0, "a.lovelace"),
            (9, 0, "lovelace"),
            (14, 0, "ada.lovelace"),
            (16, 0, "ada.lovelace"),
            (11, 3, "lovelace"),
            (20, 0, "ada.lovelace"),
            (4, 0, "ada"),
        ] {
            let made = of_length(&forms, length, ending, &rng);
            assert_eq!(made.len(), length, "{made}");
            assert_eq!(made.trim_end_matches(|c: char| c.is_ascii_digit()), letters);
        }
    }

    #[test]
    fn a_phone_stays_where_it_is_and_no_number_begins_with_zero() {
        let rng = SeededRng::new(8);
        for _ in 0..50 {
            let other = with_other_ending("+1 502 555 0143", &rng);
            assert!(other.starts_with("+1 502 5") && other.len() == 15, "{other}");
            assert!(other[8..].chars().filter(char::is_ascii_digit).count() == 6, "{other}");
            assert!(!digits(&rng, 3).starts_with('0'));
        }
    }

    #[test]
    fn decoys_need_a_mail_domain() {
        for bad in ["Shop.example", "shop", "shop_1.example", ""] {
            assert!(MailDomains::try_from(vec![bad.to_owned()]).is_err(), "{bad}");
        }
        assert!(MailDomains::try_from(vec![]).is_err());
        assert!(MailDomains::try_from(vec!["mail-1.shop.example".to_owned()]).is_ok());
    }
}
