//! The rules for a letter's content. A forger of our letters would have to break them, so customers
//! can be told what we never write.

use cofferdam_mail::CODE;
use html5gum::{Token, Tokenizer};
use response_api::Audience;

use crate::version::Texts;
use crate::words::Words;
use crate::writer::folder;

/// The domains that a letter may name.
#[derive(Debug, Clone)]
pub struct Domains {
    /// The shop's own domains, and those of authorities.
    pub ours: Vec<String>,
    /// The address of the page that checks a letter: the only page at which a reader types
    /// something.
    pub verify_address: String,
}

/// The elements that the HTML may contain.
const TAGS: [&str; 21] = [
    "html", "head", "meta", "title", "body", "div", "h1", "h2", "h3", "p", "ul", "ol", "li",
    "strong", "em", "br", "hr", "span", "a", "table", "td",
];
/// The attributes that the HTML may contain.
const ATTRIBUTES: [&str; 6] = ["lang", "charset", "name", "content", "style", "href"];
/// Words in addresses at which a reader signs in or resets something, in the shipped languages.
const SIGN_IN_WORDS: [&str; 36] = [
    "login",
    "signin",
    "sign-in",
    "log-in",
    "logon",
    "reset",
    "password",
    "passwd",
    "token",
    "account",
    "auth",
    "verify",
    "connexion",
    "se-connecter",
    "mot-de-passe",
    "motdepasse",
    "compte",
    "reinitial",
    "réinitial",
    "anmeld",
    "einlogg",
    "passwort",
    "kennwort",
    "konto",
    "zuruecksetz",
    "zurücksetz",
    "contrasena",
    "contraseña",
    "iniciar",
    "acceder",
    "cuenta",
    "restablec",
    "senha",
    "entrar",
    "minha-conta",
    "redefinir",
];
/// Marks of a field that was left unfilled.
const UNFILLED: [&str; 8] = ["{{", "}}", "{%", "%}", "${", "<%", "[[", "lorem ipsum"];

/// The faults of a letter's texts. Texts without faults may be sent.
#[must_use]
pub fn lint(texts: &Texts, audience: Audience, words: &Words, domains: &Domains) -> Vec<String> {
    let mut faults = Vec::new();
    let page = Page::read(&texts.html, domains, &mut faults);
    check_parts(texts, &page, domains, &mut faults);
    check_content(texts, &page, audience, words, &mut faults);
    faults
}

/// Checks subject, text and HTML, each for itself.
fn check_parts(texts: &Texts, page: &Page, domains: &Domains, faults: &mut Vec<String>) {
    for (part, text) in [("subject", &texts.subject), ("text", &texts.text), ("HTML", &texts.html)]
    {
        if text.trim().is_empty() {
            faults.push(format!("the {part} is empty"));
        }
        let text = text.to_lowercase();
        if UNFILLED.iter().any(|mark| text.contains(mark)) {
            faults.push(format!("the {part} has a field that is not filled"));
        }
    }
    if texts.subject.contains(['\n', '\r']) {
        faults.push("the subject has more than one line".to_owned());
    }
    for (part, text) in [("subject", &texts.subject), ("text", &texts.text), ("HTML", &page.text)] {
        check_addresses(part, text, domains, faults);
    }
    for (part, text) in [("text", &texts.text), ("HTML", &page.text)] {
        if text.matches(CODE).count() != 1 {
            faults.push(format!("the {part} does not have the letter's code, once"));
        }
    }
}

/// Checks that text and HTML say the same, under the same headings, with every required sentence.
fn check_content(
    texts: &Texts,
    page: &Page,
    audience: Audience,
    words: &Words,
    faults: &mut Vec<String>,
) {
    let (plain, html) = (content(&texts.text), content(&page.text));
    if plain != html {
        faults.push(difference(&plain, &html));
    }
    let headings: Vec<_> =
        words.headings.of(audience).iter().map(|h| content(h).join(" ")).collect();
    let found: Vec<_> = page.headings.iter().map(|h| content(h).join(" ")).collect();
    if !in_order(&headings, &found) {
        faults.push(format!("the HTML lacks the headings {headings:?} in this order"));
    }
    let lines: Vec<_> = texts.text.lines().map(|line| content(line).join(" ")).collect();
    if !in_order(&headings, &lines) {
        faults.push(format!("the text lacks the headings {headings:?} in this order"));
    }
    let whole = plain.join(" ");
    for sentence in words.required.of(audience) {
        let wanted = sentence.replace("{{ shop.web_address }}", "\u{0}");
        let parts: Vec<_> = wanted.split('\u{0}').map(|part| content(part).join(" ")).collect();
        if !parts.iter().all(|part| whole.contains(part.as_str())) {
            faults.push(format!("a letter to {} must say: {sentence}", folder(audience)));
        }
    }
}

/// The HTML as its reader sees it.
#[derive(Default)]
struct Page {
    text: String,
    headings: Vec<String>,
}

impl Page {
    fn read(html: &str, domains: &Domains, faults: &mut Vec<String>) -> Self {
        let mut page = Self::default();
        let (mut heading, mut unseen) = (None, false);
        for token in Tokenizer::new(html) {
            let Ok(token) = token;
            match token {
                Token::StartTag(tag) => {
                    let name = String::from_utf8_lossy(&tag.name).into_owned();
                    check_tag(&name, faults);
                    for (key, value) in &tag.attributes {
                        let value = String::from_utf8_lossy(value);
                        check_attribute(&String::from_utf8_lossy(key), &value, domains, faults);
                    }
                    match name.as_str() {
                        "h2" => heading = Some(String::new()),
                        "title" => unseen = true,
                        _ => {}
                    }
                    page.text.push('\n');
                }
                Token::EndTag(tag) => {
                    match tag.name.as_slice() {
                        b"h2" => page.headings.extend(heading.take()),
                        b"title" => unseen = false,
                        _ => {}
                    }
                    page.text.push('\n');
                }
                Token::String(text) if !unseen => {
                    let text = String::from_utf8_lossy(&text);
                    page.text.push_str(&text);
                    if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                Token::Comment(_) => {
                    faults.push(
                        "the HTML has a comment: a comment can hide text from some readers".into(),
                    );
                }
                _ => {}
            }
        }
        page
    }
}

fn check_tag(name: &str, faults: &mut Vec<String>) {
    let fault = match name {
        name if TAGS.contains(&name) => return,
        "img" | "picture" | "svg" => "an image: it can tell that the letter was opened",
        "form" | "input" | "button" => "a form: readers type nothing into our letters",
        "object" | "embed" | "iframe" => "an attachment or a frame",
        _ => "a letter does not need this element",
    };
    faults.push(format!("the HTML has <{name}>: {fault}"));
}

fn check_attribute(key: &str, value: &str, domains: &Domains, faults: &mut Vec<String>) {
    if !ATTRIBUTES.contains(&key) {
        faults.push(format!("the HTML has the attribute {key}, which can load or run something"));
    }
    let value = value.to_ascii_lowercase();
    // The style calls a function, or has an escape that could spell a call.
    if key == "style" && value.contains(['(', '\\', '@']) {
        faults.push("a style loads something: it can tell that the letter was opened".to_owned());
    }
    let hides = [
        "display:none",
        "display: none",
        "visibility:",
        "font-size:0",
        "font-size: 0",
        "opacity",
        "clip",
        "text-indent",
        "position",
    ];
    if key == "style" && hides.iter().any(|way| value.contains(way)) {
        faults.push("a style hides something".to_owned());
    }
    if key == "content" && value.contains("url=") {
        faults.push("the HTML redirects".to_owned());
    }
    if key == "href" {
        check_link(&value, domains, faults);
    }
}

fn check_link(target: &str, domains: &Domains, faults: &mut Vec<String>) {
    if let Some(address) = target.strip_prefix("mailto:") {
        let domain = address.rsplit('@').next().unwrap_or_default();
        if !domains.has(domain) || address.contains('?') {
            faults.push(format!("a link writes to {address}"));
        }
        return;
    }
    let Some(rest) = target.strip_prefix("https://") else {
        faults.push(format!("a link is not https: {target}"));
        return;
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    // A browser may read a malformed host name otherwise than we do.
    if !is_host(host) || !domains.has(host) {
        faults.push(format!("a link leads off our domains: {host}"));
    }
    check_sign_in("a link", host, path, domains, faults);
    if path.contains('?') || path.contains("//") || path.contains("%2f") {
        faults.push(format!("a link may redirect or track: {target}"));
    }
}

/// Mail programs turn a bare address into a link, so bare addresses are checked too.
fn check_sign_in(what: &str, host: &str, path: &str, domains: &Domains, faults: &mut Vec<String>) {
    let below = domains.below(host).unwrap_or_default();
    if SIGN_IN_WORDS.iter().any(|word| path.contains(word) || below.contains(word)) {
        faults.push(format!("{what} signs in or resets something: {host}{path}"));
    }
}

/// Checks every address in a text, with or without `https://`.
fn check_addresses(part: &str, text: &str, domains: &Domains, faults: &mut Vec<String>) {
    for word in text.split(|c: char| c.is_whitespace() || "(),;\"'«»„“”<>".contains(c)) {
        let word = word.trim_matches(|c: char| ".:!?".contains(c)).to_lowercase();
        let linked = word.starts_with("http:") || word.starts_with("https:");
        if linked {
            check_link(&word, domains, faults);
            continue;
        }
        let at = word.rsplit('@').next().unwrap_or_default();
        let (host, path) = at.split_at(at.find(['/', ':']).unwrap_or(at.len()));
        if is_host(host) && !domains.has(host) {
            faults.push(format!("the {part} names {host}, which is not one of our domains"));
        } else if is_host(host) && word != domains.verify_address {
            check_sign_in(&format!("an address in the {part}"), host, path, domains, faults);
        }
    }
}

/// Whether a word is a host's name.
fn is_host(word: &str) -> bool {
    let labels: Vec<_> = word.split('.').collect();
    let plain =
        |label: &&str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-');
    let last = labels.last().copied().unwrap_or_default();
    labels.len() > 1
        && labels.iter().all(plain)
        && last.chars().count() > 1
        && last.chars().all(char::is_alphabetic)
}

impl Domains {
    fn has(&self, host: &str) -> bool {
        self.below(host).is_some()
    }

    /// The labels before one of our domains; `None` for a host that is not ours.
    fn below<'a>(&self, host: &'a str) -> Option<&'a str> {
        let sub = |ours: &String| {
            host.strip_suffix(ours.as_str()).filter(|sub| sub.is_empty() || sub.ends_with('.'))
        };
        self.ours.iter().find_map(sub)
    }
}

/// The words of a text in lower case, without punctuation.
fn content(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !(c.is_alphanumeric() || c == '\u{E000}' || c == '\u{E001}'));
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn in_order(wanted: &[String], found: &[String]) -> bool {
    let mut found = found.iter();
    wanted.iter().all(|heading| found.any(|of| of == heading))
}

fn difference(plain: &[String], html: &[String]) -> String {
    let same = plain.iter().zip(html).take_while(|(a, b)| a == b).count();
    let from = same.saturating_sub(3);
    let some = |of: &[String]| of.iter().skip(from).take(8).cloned().collect::<Vec<_>>().join(" ");
    format!("text and HTML differ: “{}” and “{}”", some(plain), some(html))
}

#[cfg(test)]
mod tests {
    use cofferdam_mail::NAME;

    use super::*;

    #[test]
    fn a_host_has_labels_and_ends_in_letters() {
        for host in ["shop.example", "a.b.shop.example", "xn--a.example", "shop.éa", "4.example"] {
            assert!(is_host(host), "{host}");
        }
        for word in ["", "shop", "a..example", ".example", "a_b.example", "shop.e", "1.23"] {
            assert!(!is_host(word), "{word}");
        }
    }

    #[test]
    fn a_domain_has_itself_and_what_lies_below() {
        let domains = Domains { ours: vec!["shop.example".into()], verify_address: String::new() };
        assert_eq!(domains.below("shop.example"), Some(""));
        assert_eq!(domains.below("login.shop.example"), Some("login."));
        assert_eq!(domains.below("myshop.example"), None);
        assert_eq!(domains.below("shop.example.evil.example"), None);
    }

    #[test]
    fn name_and_code_are_words_of_a_letter() {
        let words = content(&format!("Dear {NAME}, your code: “{CODE}”!"));
        let (name, code) = (NAME.to_string(), CODE.to_string());
        assert_eq!(words, ["dear", name.as_str(), "your", "code", code.as_str()]);
    }

    #[test]
    fn a_difference_is_shown_with_the_words_before_it() {
        let words = |text: &str| content(text);
        let shown = difference(&words("a b c d e f"), &words("a b c d x f"));
        assert_eq!(shown, "text and HTML differ: “b c d e f” and “b c d x f”");
    }
}
