use std::collections::BTreeMap;

use cofferdam_core::{Field, FieldSet};
use cofferdam_mail::{CODE, NAME};
use response_api::Audience;

use super::*;

pub fn facts() -> Facts {
    let at = |text: &str| text.parse().unwrap();
    let sentences = |text: &str| {
        let all = ["en", "fr", "es", "de", "pt"];
        all.map(|language| (language.to_owned(), format!("{text} ({language})"))).into()
    };
    Facts {
        written: at("2012-01-15T12:00:00Z"),
        incident: 1,
        began: at("2012-01-14T22:00:00Z"),
        ended: at("2012-01-15T10:00:00Z"),
        discovered: at("2012-01-15T09:30:00Z"),
        claims: Claims {
            hold: Claim::all().filter(|claim| *claim != Claim::CardsRead).collect(),
            voided_until: Some(at("2012-01-15T11:00:00Z")),
        },
        exposed: 1_234,
        customers: 24_000,
        shop: Sender {
            name: "Shoeleather".into(),
            web_address: "shoeleather.example".into(),
            verify_address: "shoeleather.example/verify".into(),
            support_email: "help@shoeleather.example".into(),
            signatory: "Tony Hale".into(),
            signatory_title: "Chief Executive".into(),
        },
        measures: sentences("We have called in the police"),
        police_delay: BTreeMap::new(),
    }
}

/// The shipped texts, without any variant yet.
pub fn version(audience: Audience) -> Version {
    let domains = vec!["shoeleather.example".to_owned()];
    Version { audience, facts: facts(), files: Files::shipped(), domains, variants: vec![] }
}

fn writer(audience: Audience) -> Writer {
    Writer::new(version(audience)).unwrap()
}

pub fn locale(language: &str, jurisdiction: &str) -> Locale {
    Locale { language: language.into(), jurisdiction: jurisdiction.into() }
}

pub fn some() -> FieldSet {
    [Field::Name, Field::Email, Field::Password].into_iter().collect()
}

#[test]
fn a_customer_reads_which_fields_were_lost() {
    let writer = writer(Audience::Customers);
    let texts = writer.write(&locale("en", "US-MD"), some()).unwrap();
    insta::assert_snapshot!("customer_text", format!("{}\n\n{}", texts.subject, texts.text));
    insta::assert_snapshot!("customer_html", texts.html);
    let texts = writer.write(&locale("de", "DE"), FieldSet::EMPTY).unwrap();
    insta::assert_snapshot!("customer_nothing_text", texts.text);
}

#[test]
fn the_letter_to_staff_has_its_own_text() {
    let texts = writer(Audience::Staff).write(&locale("en", ""), FieldSet::EMPTY).unwrap();
    insta::assert_snapshot!("staff_text", format!("{}\n\n{}", texts.subject, texts.text));
}

#[test]
fn every_shipped_letter_passes_in_every_language_place_and_loss() {
    let losses = [FieldSet::EMPTY, some(), FieldSet::EMPTY.with(Field::Phone)];
    let mut written = 0;
    for audience in [Audience::Staff, Audience::Customers] {
        let writer = writer(audience);
        let files = Files::shipped();
        let places: Vec<_> = files.places().unwrap().into_keys().chain([String::new()]).collect();
        for language in files.languages() {
            for place in &places {
                for lost in losses {
                    let texts = writer.write(&locale(language, place), lost).unwrap();
                    let faults = writer.faults(&locale(language, place), &texts).unwrap();
                    assert!(faults.is_empty(), "{audience:?} {language} {place}: {faults:?}");
                    written += 1;
                }
            }
        }
    }
    assert!(written > 1_000, "{written}");
}

#[test]
fn a_place_shapes_its_letters() {
    let writer = writer(Audience::Customers);
    let text = |place: &str| writer.write(&locale("en", place), some()).unwrap().text;
    let massachusetts = text("US-MA");
    assert!(!massachusetts.contains("criminal") && massachusetts.contains("police report"));
    assert!(text("US-RI").contains("1\u{202f}234 people"));
    assert!(!text("US-IL").contains("1\u{202f}234"));
    assert!(text("US-MD").contains("Attorney General of Maryland"));
    assert!(text("DE").contains("data protection authority") && !text("DE").contains("Equifax"));
    let quebec = writer.locale("en", "CA-QC").unwrap();
    assert_eq!(quebec, locale("fr", "CA-QC"));
    assert_eq!(writer.locale("es", "BR").unwrap().language, "pt");
    // Letters are not written in the language, and the place has no rules of its own.
    assert_eq!(writer.locale("fi", "JP").unwrap(), locale("en", ""));
}

#[test]
fn cards_are_called_untouched_only_with_proof() {
    let mut version = version(Audience::Customers);
    let text = |version: &Version| {
        Writer::new(version.clone()).unwrap().write(&locale("en", ""), some()).unwrap().text
    };
    assert!(text(&version).contains("full card numbers"));
    version.facts.claims.hold.remove(&Claim::CardsUntouched);
    assert!(!text(&version).contains("full card numbers"));
}

#[test]
fn a_version_is_named_by_its_content() {
    let version = version(Audience::Staff);
    let (id, json) = (version.id(), version.to_json());
    assert_eq!(Version::parse(&json, id).unwrap(), version);
    assert!(matches!(
        Version::parse(&json.replace("24000", "24001"), id),
        Err(VersionError::Changed)
    ));
    let mut other = version.clone();
    other.files.0.get_mut("staff/en/text.txt").unwrap().push('!');
    assert_ne!(other.id(), id);
}

#[test]
fn a_text_outside_the_version_is_refused() {
    let told = Told { fields: some(), while_signed_in: true };
    let variants = vec![Variant { locale: locale("en", "US-MA"), told }];
    let version = Version { variants, ..version(Audience::Customers) };
    let writer = Writer::new(version).unwrap();
    assert!(writer.write_approved(&locale("en", "US-MA"), told).is_ok());
    for (other, told) in [
        (locale("en", ""), told),
        (locale("en", "US-MA"), Told::default()),
        (locale("en", "US-MA"), some().into()),
    ] {
        let refused = writer.write_approved(&other, told);
        assert!(matches!(refused, Err(VersionError::Unapproved)));
    }
}

#[test]
fn a_shops_own_words_can_not_leave_rules_out() {
    for list in ["headings", "required"] {
        let mut files = Files::shipped();
        let words = files.0.get_mut("words/de.toml").unwrap();
        let mut table: toml::Table = words.parse().unwrap();
        table[list]["customer"] = vec![""].into();
        *words = table.to_string();
        let error = Writer::check(&files, Audience::Customers).unwrap_err().to_string();
        assert!(error.starts_with("words/de.toml: ") && error.contains(list), "{error}");
    }
    let mut version = version(Audience::Customers);
    version.facts.shop.signatory.clear();
    let writer = Writer::new(version).unwrap();
    let texts = writer.write(&locale("en", ""), some()).unwrap();
    assert_eq!(writer.faults(&locale("en", ""), &texts).unwrap(), ["shop.signatory is empty"]);
}

#[test]
fn a_template_that_fails_is_named() {
    let mut files = Files::shipped();
    files.0.insert("customer/fr/text.txt".into(), "{% if %}".into());
    let error = Writer::check(&files, Audience::Customers).unwrap_err().to_string();
    assert!(error.starts_with("customer/fr/text.txt: "), "{error}");
    let mut files = Files::shipped();
    files.0.insert("customer/fr/text.txt".into(), "{{ nobody }}".into());
    let broken = Version { files, ..version(Audience::Customers) };
    let error = Writer::new(broken).unwrap().write(&locale("fr", ""), some()).unwrap_err();
    assert!(error.to_string().contains("undefined"), "{error}");
    let mut version = version(Audience::Customers);
    version.facts.measures.remove("fr");
    let error = Writer::new(version).unwrap().write(&locale("fr", ""), some()).unwrap_err();
    assert!(error.to_string().contains("shop.measures"), "{error}");
}

/// Lists the faults of a shipped letter after a change to its text and its HTML.
fn faults(text: impl Fn(String) -> String, html: impl Fn(String) -> String) -> String {
    let writer = writer(Audience::Customers);
    let Texts { subject, text: plain, html: page, nameless } =
        writer.write(&locale("en", "US"), some()).unwrap();
    let texts = Texts { subject, text: text(plain), html: html(page), nameless };
    writer.faults(&locale("en", "US"), &texts).unwrap().join("\n")
}

#[test]
fn the_linter_refuses_what_a_phisher_would_write() {
    let same = |text: String| text;
    let add = |what: &'static str| move |page: String| page.replace("</body>", what);
    for (html, fault) in [
        ("<a href=\"https://evil.example/\"></a></body>", "off our domains"),
        ("<a href=\"https://shoeleather.example.evil.example/\"></a></body>", "off our domains"),
        ("<a href=\"https://shoeleather.example/go?u=x\"></a></body>", "redirect or track"),
        ("<a href=\"https://shoeleather.example//evil.example\"></a></body>", "redirect or track"),
        ("<a href=\"https://shoeleather.example/%2fevil\"></a></body>", "redirect or track"),
        ("<a href=\"https://shoe_leather.example/\"></a></body>", "off our domains"),
        ("<a href=\"mailto:help@shoeleather.example?body=x\"></a></body>", "writes to"),
        ("<p>http://shoeleather.example</p></body>", "not https"),
        ("<p>https://evil.example</p></body>", "off our domains"),
        ("<a href=\"https://shoeleather.example/reset\"></a></body>", "signs in or resets"),
        ("<a href=\"https://shoeleather.example/Login\"></a></body>", "signs in or resets"),
        ("<a href=\"https://login.shoeleather.example/\"></a></body>", "signs in or resets"),
        ("<a href=\"https://shoeleather.example/Anmeldung\"></a></body>", "signs in or resets"),
        ("<a href=\"https://shoeleather.example/mot-de-passe\"></a></body>", "signs in or resets"),
        ("<a href=\"https://shoeleather.example/nova/senha\"></a></body>", "signs in or resets"),
        ("<p>shoeleather.example/reset</p></body>", "an address in the HTML signs in"),
        ("<p>mi-cuenta.shoeleather.example</p></body>", "an address in the HTML signs in"),
        ("<p>\u{e001}</p></body>", "the HTML does not have the letter's code, once"),
        ("<p>Dear ${name}</p></body>", "not filled"),
        ("<a href=\"http://shoeleather.example/\"></a></body>", "not https"),
        ("<a href=\"javascript:x()\"></a></body>", "not https"),
        ("<a href=\"mailto:help@evil.example\"></a></body>", "writes to"),
        ("<img src=\"https://shoeleather.example/x.gif\"></body>", "an image"),
        ("<IMG SRC=x></body>", "an image"),
        ("<div style=\"background:URL(x)\"></div></body>", "loads something"),
        ("<div style=\"display:none\"></div></body>", "hides"),
        ("<form action=\"x\"></form></body>", "a form"),
        ("<iframe src=\"x\"></iframe></body>", "attachment or a frame"),
        ("<script>x</script></body>", "<script>"),
        ("<meta http-equiv=refresh content=\"0;url=x\"></body>", "redirects"),
        ("<p onclick=\"x\"></p></body>", "onclick"),
        ("<!-- x --></body>", "a comment"),
        ("<p>more</p></body>", "text and HTML differ"),
        ("{{ name }}</body>", "not filled"),
    ] {
        let found = faults(same, add(html));
        assert!(found.contains(fault), "{html}: {found}");
    }
    for (from, to, fault) in [
        ("shoeleather.example", "shoe-leather.example", "not one of our domains"),
        ("never ask", "ask", "must say: We will never ask"),
        ("into your browser yourself", "into your browser", "must say: type"),
    ] {
        let change = |text: String| text.replace(from, to);
        let found = faults(change, change);
        assert!(found.contains(fault), "{from}: {found}");
    }
    let (text, html) = (|t| t + "\nname/password", add("<p>name/password</p></body>"));
    assert_eq!(faults(text, html), "", "words with a stroke are no address");
    let nameless = faults(same, |page| page.replace(NAME, ""));
    assert!(nameless.contains("text and HTML differ"), "{nameless}");
    let found = faults(|t| t.replace("WHAT HAPPENED", ""), |h| h.replace("What Happened", ""));
    assert!(found.contains("the text lacks") && found.contains("the HTML lacks"), "{found}");
    assert_eq!(faults(same, same), "");
    let writer = writer(Audience::Customers);
    let text = writer.write(&locale("en", ""), some()).unwrap().text;
    assert!(text.contains(NAME) && text.contains(CODE));
}

#[test]
fn a_shops_own_files_replace_shipped_ones() {
    let own = [("domains.toml".to_owned(), "official = [\"police.example\"]".to_owned())];
    let files = Files::shipped().with(own.into());
    assert_eq!(files.official_domains().unwrap(), ["police.example"]);
    assert_eq!(files.0.len(), Files::shipped().0.len());
    let writer = Writer::new(Version { files, ..version(Audience::Staff) }).unwrap();
    assert_eq!(writer.domains(), ["shoeleather.example", "police.example"]);
    assert_eq!(writer.version().audience, Audience::Staff);
}

#[test]
fn facts_are_escaped_in_html_and_a_nameless_person_is_greeted() {
    let mut version = version(Audience::Customers);
    version.facts.shop.signatory = "Hale & <Sons>".into();
    let texts = Writer::new(version).unwrap().write(&locale("en", ""), some()).unwrap();
    assert!(texts.html.contains("Hale &amp; &lt;Sons&gt;"), "{}", texts.html);
    assert!(texts.text.contains("Hale & <Sons>"));
    let words = Files::shipped().words("en").unwrap();
    assert_eq!(texts.nameless, words.nameless.of(Audience::Customers));
    assert_eq!(words.nameless.of(Audience::Staff), "colleague");
}
