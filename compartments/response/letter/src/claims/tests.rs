use std::collections::BTreeMap;

use cofferdam_core::{Domain, Field, FieldSet};
use response_api::{Doubt, DoubtCause, LevelCounts, People, Untouched};

use super::*;
use crate::conditions::VoidedAll;
use crate::testing::{exposure, incident};
use crate::tests::{facts, locale, some, version};
use crate::{Files, Locale, Texts, Told, Variant, Version, Writer};

/// Every claim against every combination of its conditions: it holds if all are met, and with any
/// other condition besides.
#[test]
fn a_claim_holds_if_each_of_its_conditions_does() {
    for claim in Claim::all() {
        let needed = claim.conditions();
        assert!(!needed.is_empty(), "{claim:?} would be assumed");
        for combination in 0..1_u32 << needed.len() {
            let met = |place: &usize| combination & (1 << place) != 0;
            let conditions = (0..needed.len()).filter(met).map(|place| needed[place]);
            let holds = claims_of(&conditions.collect()).contains(&claim);
            assert_eq!(holds, combination + 1 == 1 << needed.len(), "{claim:?} {combination:b}");
        }
    }
}

/// A test changes the incident, the exposure, or the present state.
type Change = fn(&mut Incident, &mut Exposure, &mut Current);

fn met(change: Change) -> BTreeSet<Condition> {
    let (mut incident, mut exposure) = (incident(), exposure());
    let mut current = Current { frozen: Some(BTreeSet::new()), ..Current::default() };
    change(&mut incident, &mut exposure, &mut current);
    conditions(&incident, &exposure, &current)
}

fn doubt(exposure: &mut Exposure, cause: DoubtCause) {
    exposure.doubts.push(Doubt::from(cause));
}

fn fall(incident: &mut Incident, host: &str) {
    incident.fallen.push(host.parse().unwrap());
}

const NOTHING: Change = |_, _, _| ();

/// Each condition both ways: a change after which it is met, and one after which it is not.
#[test]
fn a_condition_is_computed_from_facts() {
    use Condition as C;
    let all: [(Condition, Change, Change); 19] = [
        (C::OneHostFell, NOTHING, |of, _, _| fall(of, "web-ky-2")),
        (C::OwnRecord, NOTHING, |of, _, _| of.people = People::Table),
        (C::KeysStand, NOTHING, |of, _, _| fall(of, "keys-1=keys")),
        (C::WitnessStands, NOTHING, |of, _, _| fall(of, "r=response")),
        (C::RelayStands, NOTHING, |of, _, _| fall(of, "m=relay")),
        (C::LogAgrees, NOTHING, |_, _, now| now.log_disagrees = true),
        (C::LogAgrees, NOTHING, |_, of, _| {
            doubt(of, DoubtCause::LogDisagrees { log: String::new(), reason: String::new() });
        }),
        (C::LogAgrees, NOTHING, |_, of, _| {
            let witness = "accounts".to_owned();
            let (log, reason) = (String::new(), String::new());
            doubt(of, DoubtCause::LogRewritten { log, witness, reason });
        }),
        (C::NothingLeftOut, NOTHING, |_, of, _| {
            doubt(of, DoubtCause::UnknownHost { host: "web-9".parse().unwrap() });
        }),
        (C::NothingAssumed, NOTHING, |_, of, _| {
            doubt(of, DoubtCause::KeysFellWith { domain: Domain::Accounts });
        }),
        (C::CardsCounted, NOTHING, |_, of, _| {
            doubt(of, DoubtCause::CardsUnknown { reason: String::new() });
        }),
        (C::CardsUntouched, NOTHING, |_, of, _| of.untouched.clear()),
        (C::NoCardRead, NOTHING, |_, of, _| {
            let counts = LevelCounts { presented: 1, ..LevelCounts::default() };
            of.fields.insert(Field::CardNumber, counts);
        }),
        (C::SomeSignedIn, NOTHING, |_, of, _| of.while_signed_in = 0),
        (
            C::AllFrozen,
            |_, _, now| now.frozen = Some(["web-ky-1".parse().unwrap()].into()),
            |_, _, now| now.frozen = None,
        ),
        (
            C::AllVoided,
            |_, of, now| now.voided = vec![VoidedAll { set_before: of.until, customers: 1 }],
            NOTHING,
        ),
        (C::ExposedVoided, |_, of, now| now.exposed_voided = vec![of.until], NOTHING),
        (C::NoticePublished, |_, _, now| now.notice_published = true, NOTHING),
        (C::CustomersPlanned, |_, _, now| now.customers_planned = true, NOTHING),
    ];
    for (condition, meets, fails) in all {
        assert!(met(meets).contains(&condition), "{condition:?}");
        assert!(!met(fails).contains(&condition), "{condition:?}");
    }
    let in_reach = met(|_, of, _| {
        let counts = LevelCounts { reachable: 9, ..LevelCounts::default() };
        of.fields.insert(Field::CardNumber, counts);
    });
    assert!(in_reach.contains(&C::NoCardRead) && !in_reach.contains(&C::CardRead));
}

#[test]
fn a_void_order_counts_from_the_windows_end_and_if_it_voided_somebody() {
    let before = |exposure: &Exposure| exposure.until - jiff::SignedDuration::from_millis(1);
    let until = exposure().until;
    for (orders, expected) in [
        (vec![], None),
        (vec![(before(&exposure()), 24_000)], None),
        (vec![(until, 0)], None),
        (vec![(until, 1), (before(&exposure()), 24_000)], Some(until)),
    ] {
        let order = |(set_before, customers)| VoidedAll { set_before, customers };
        let voided = orders.into_iter().map(order).collect();
        let claims =
            Claims::new(&incident(), &exposure(), &Current { voided, ..Current::default() });
        assert_eq!(
            (claims.has(Claim::Voided), claims.voided_until),
            (expected.is_some(), expected)
        );
    }
    let some = Current { exposed_voided: vec![until], ..Current::default() };
    let claims = Claims::new(&incident(), &exposure(), &some);
    assert!(!claims.has(Claim::Voided) && claims.has(Claim::ExposedVoided));
    assert_eq!(claims.voided_until, Some(until));
}

#[test]
fn a_host_that_is_no_caller_or_thawed_is_not_shut_off() {
    let frozen = |names: &[&str]| Current {
        frozen: Some(names.iter().map(|name| name.parse().unwrap()).collect()),
        ..Current::default()
    };
    for (second, names, contained) in [
        (None, &["web-ky-1"][..], true),
        (None, &["web-ky-2"], false),
        (Some("web-ky-2"), &["web-ky-1"], false),
        (Some("web-ky-2"), &["web-ky-1", "web-ky-2"], true),
        (Some("b=accounts_database"), &["web-ky-1", "b"], false),
    ] {
        let mut incident = incident();
        if let Some(host) = second {
            fall(&mut incident, host);
        }
        let claims = Claims::new(&incident, &exposure(), &frozen(names));
        assert_eq!(claims.has(Claim::Contained), contained, "{second:?} {names:?}");
    }
}

#[test]
fn claims_that_were_made_and_no_longer_hold_are_outdated() {
    let claims =
        |hold: &[Claim]| Claims { hold: hold.iter().copied().collect(), voided_until: None };
    let made = claims(&[Claim::Contained, Claim::PasswordsKeyed, Claim::CustomersWritten]);
    let outdated = |now: &[Claim], audience| made.outdated(&claims(now), audience);
    let all = [Claim::PasswordsKeyed, Claim::Contained, Claim::CustomersWritten];
    assert_eq!(outdated(&all, None), []);
    assert_eq!(outdated(&[], None), all);
    assert_eq!(outdated(&[], Some(Audience::Customers)), all[..2]);
    assert_eq!(outdated(&[], Some(Audience::Staff)), [Claim::Contained]);
    // A further claim makes no text false, but for cards that were read.
    assert_eq!(outdated(&[&all[..], &[Claim::Voided]].concat(), None), []);
    assert_eq!(outdated(&[&all[..], &[Claim::CardsRead]].concat(), None), [Claim::CardsRead]);
}

fn writer(audience: Audience, hold: BTreeSet<Claim>) -> Writer {
    let facts =
        crate::Facts { claims: Claims { hold, voided_until: Some(facts().ended) }, ..facts() };
    Writer::new(Version { facts, ..version(audience) }).unwrap()
}

fn texts(writer: &Writer, language: &str, told: impl Into<Told>) -> Texts {
    texts_in(writer, &locale(language, "US-RI"), told.into())
}

fn texts_in(writer: &Writer, locale: &Locale, told: Told) -> Texts {
    let texts = writer.write(locale, told).unwrap();
    let faults = writer.faults(locale, &texts).unwrap();
    assert_eq!(faults, [""; 0], "{locale:?}");
    texts
}

/// In each language, each claim that letters make has words that are there with it and not without.
#[test]
fn no_sentence_of_a_letter_stands_without_its_claim() {
    let files = Files::shipped();
    for audience in Audience::ALL {
        let silent = writer(audience, BTreeSet::new());
        for claim in Claim::all() {
            let claiming = writer(audience, [claim].into());
            for language in files.languages() {
                let told = Told { fields: some(), while_signed_in: true };
                let (without, with) =
                    (texts(&silent, language, told), texts(&claiming, language, told));
                let made = claim.is_made_to(audience);
                assert_eq!(with.text != without.text, made, "{language} {audience:?} {claim:?}");
                assert_eq!(with.html != without.html, made, "{language} {audience:?} {claim:?}");
            }
        }
    }
}

/// The words of each language for "while you were signed in", and for somebody who knew the password.
const SIGNED_IN: [(&str, &str, &str); 5] = [
    ("en", "while you were signed in", "who knew your password"),
    ("fr", "pendant que vous aviez une session ouverte", "qui connaissait votre mot de passe"),
    ("es", "mientras usted tenía la sesión iniciada", "que conocía su contraseña"),
    ("de", "während Sie angemeldet waren", "der Ihr Passwort kannte"),
    ("pt", "enquanto você estava com a sessão aberta", "que conhecia a sua senha"),
];

/// A letter says "while you were signed in" if the claim holds, it is so of this reader, the reader lost a
/// field, and the place lets a letter name what happened. A lost password may have signed somebody else in.
#[test]
fn only_a_reader_who_was_there_each_time_is_told_so() {
    let languages: Vec<_> = SIGNED_IN.iter().map(|(language, ..)| *language).collect();
    let files = Files::shipped();
    let mut shipped: Vec<_> = files.languages().collect();
    shipped.sort_by_key(|language| languages.iter().position(|of| of == language));
    assert_eq!(shipped, languages);
    let without_password = FieldSet::EMPTY.with(Field::Phone);
    for (language, signed_in, knew) in SIGNED_IN {
        for combination in 0..16_u32 {
            let [claimed, while_signed_in, with_password, withheld] =
                [1, 2, 4, 8].map(|bit| combination & bit != 0);
            let hold = claimed.then_some(Claim::WhileSignedIn).into_iter().collect();
            let writer = writer(Audience::Customers, hold);
            let place = locale(language, if withheld { "US-MA" } else { "US-RI" });
            let fields = if with_password { some() } else { without_password };
            let says = |fields, words: &str| {
                let texts = texts_in(&writer, &place, Told { fields, while_signed_in });
                assert_eq!(texts.text.contains(words), texts.html.contains(words), "{words}");
                texts.text.contains(words)
            };
            let said = claimed && while_signed_in && !withheld;
            let case = format!("{language} {combination:04b}");
            assert_eq!(says(fields, signed_in), said, "{case}");
            assert_eq!(says(fields, knew), said && with_password, "{case}");
            assert!(!says(FieldSet::EMPTY, signed_in), "{case}");
        }
    }
}

/// A text of a variant of before names nobody as signed in, and versions of then keep their hashes.
#[test]
fn a_variant_without_presence_is_stored_as_before() {
    let old = r#"{"locale":{"language":"en","jurisdiction":""},"fields":["name"]}"#;
    let variant: Variant = serde_json::from_str(old).unwrap();
    assert_eq!(variant.told, Told::from(FieldSet::EMPTY.with(Field::Name)));
    assert_eq!(serde_json::to_string(&variant).unwrap(), old);
    let told = Told { while_signed_in: true, ..variant.told };
    let variant = Variant { told, ..variant };
    let json = serde_json::to_string(&variant).unwrap();
    assert_eq!(serde_json::from_str::<Variant>(&json).unwrap(), variant);
}

/// With no claim at all, a letter says only what we know, and what the reader can do.
#[test]
fn a_letter_without_claims_says_only_what_is_known() {
    for (name, lost) in [("some", some()), ("nothing", FieldSet::EMPTY)] {
        let texts = texts(&writer(Audience::Customers, BTreeSet::new()), "en", lost);
        insta::assert_snapshot!(format!("no_claims_{name}"), texts.text);
    }
    let texts = texts(&writer(Audience::Staff, BTreeSet::new()), "en", FieldSet::EMPTY);
    insta::assert_snapshot!("no_claims_staff", texts.text);
}

/// A text of the shop's own can ask for any claim by its name.
#[test]
fn each_claim_has_the_name_of_its_stored_form() {
    for claim in Claim::all() {
        assert_eq!(serde_json::to_value(claim).unwrap(), claim.name());
    }
    let untouched = Untouched { domain: Domain::Payments, records: 9, released: 0, granted: false };
    assert_eq!(exposure().untouched, [untouched]);
    assert_eq!(exposure().fields, BTreeMap::new());
}
