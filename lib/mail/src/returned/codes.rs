//! Status codes in the texts of mail servers: `550 5.1.1`, `#5.1.1`, `550`.

/// The number of lines that are searched.
const LINES: usize = 1000;

/// The basic codes of a refusal (RFC 5321). Any other number of three digits is not a code.
const BASIC: [&str; 21] = [
    "421", "432", "441", "442", "450", "451", "452", "454", "500", "501", "503", "504", "510",
    "511", "530", "541", "550", "551", "552", "553", "554",
];

/// Words that tell more than a code `x.0.0`, and the subject and detail of the code that they stand
/// for.
const WORDS: [(&str, &str); 20] = [
    ("mailbox full", "2.2"),
    ("mailbox is full", "2.2"),
    ("inbox is full", "2.2"),
    ("over quota", "2.2"),
    ("overquota", "2.2"),
    ("quota exceeded", "2.2"),
    ("exceeded quota", "2.2"),
    ("exceeded storage", "2.2"),
    ("out of storage", "2.2"),
    ("insufficient disk space in the recipient", "2.2"),
    ("user unknown", "1.1"),
    ("unknown user", "1.1"),
    ("no such user", "1.1"),
    ("user not found", "1.1"),
    ("no mailbox here by that name", "1.1"),
    ("no such mailbox", "1.1"),
    ("unknown recipient", "1.1"),
    ("recipient unknown", "1.1"),
    ("unrouteable address", "1.2"),
    ("host not found", "1.2"),
];

/// A code and the line that contains it.
pub struct Code<'a> {
    pub status: String,
    pub line: &'a str,
}

/// The first code of a temporary or permanent refusal. An enhanced code wins over a basic one.
pub fn find(text: &str) -> Option<Code<'_>> {
    let refusal = |line: &str| enhanced(line, "45");
    let lines = || text.lines().take(LINES);
    let first = lines().find_map(|line| Some(Code { status: refusal(line)?, line }));
    first.or_else(|| lines().find_map(|line| Some(Code { status: basic(line)?, line })))
}

/// The first enhanced code (RFC 3463) whose class is a digit in `classes`.
pub fn enhanced(text: &str, classes: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let starts = bytes
        .windows(2)
        .enumerate()
        .filter(|(_, pair)| pair[1] == b'.' && classes.as_bytes().contains(&pair[0]));
    starts.map(|(at, _)| at).find_map(|at| {
        let within = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'.');
        if within { None } else { enhanced_at(&text[at..]) }
    })
}

/// A more exact code than `status` if `status` gives only the class and `words` tell more.
pub fn refined(status: String, words: &str) -> String {
    let Some(class) = status.strip_suffix(".0.0") else { return status };
    let words = words.to_ascii_lowercase();
    let found = WORDS.iter().find(|(word, _)| words.contains(word));
    found.map_or_else(|| status.clone(), |(_, detail)| format!("{class}.{detail}"))
}

/// The code at the beginning of `text`. The subject of a code has only one digit here, so that no
/// version number or address passes for a code.
fn enhanced_at(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let subject = bytes.get(2).filter(|b| (b'0'..=b'7').contains(b))?;
    let detail = text.get(3..)?.strip_prefix('.')?;
    let digits = detail.bytes().take_while(u8::is_ascii_digit).count();
    let after = detail.as_bytes().get(digits..).unwrap_or_default();
    let goes_on = after.first() == Some(&b'.') && after.get(1).is_some_and(u8::is_ascii_digit);
    if !(1..=3).contains(&digits) || goes_on {
        return None;
    }
    let detail: u16 = detail[..digits].parse().ok()?;
    Some(format!("{}.{}.{detail}", char::from(bytes[0]), char::from(*subject)))
}

/// The class of the first basic code in a line, as an enhanced code.
fn basic(line: &str) -> Option<String> {
    let bytes = line.as_bytes();
    let found = bytes.windows(3).enumerate().find(|(at, code)| {
        let before = at.checked_sub(1).map_or(b' ', |before| bytes[before]);
        let after = bytes.get(at + 3).copied().unwrap_or(b' ');
        BASIC.iter().any(|known| known.as_bytes() == *code)
            && !before.is_ascii_alphanumeric()
            && !matches!(before, b'.' | b'-' | b',')
            && matches!(after, b' ' | b'-' | b'_' | b':' | b';' | b')')
    });
    found.map(|(_, code)| format!("{}.0.0", char::from(code[0])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_and_other_numbers_are_not_codes() {
        for (text, status) in [
            ("550 5.1.1 <a@b>: no", Some("5.1.1")),
            ("550-5.7.606 no", Some("5.7.606")),
            ("Sorry. (#5.1.10)", Some("5.1.10")),
            ("5.01.1, or 4.4.007", Some("4.4.7")),
            ("host said: 550 no\nor 452 4.2.2 full", Some("4.2.2")),
            ("said 421-later", Some("4.0.0")),
            ("Remote host said: 550", Some("5.0.0")),
            ("Exim 4.94.2, sendmail 8.14.4, from 5.1.1.7 or 14.4.1 or 5.9.1", None),
            ("on 4.1.2012 the 1,550 or 192.0.550 or 4500 or 550 ", Some("5.0.0")),
            ("1,550 0.550 5500 550.1 4.1.2012 5.1 5. 5", None),
            ("2.1.5 ok", None),
            ("\u{e9}5.1.\u{e9}", None),
            ("", None),
        ] {
            let found = find(text).map(|code| code.status);
            assert_eq!(found.as_deref(), status, "{text:?}");
        }
        assert_eq!(enhanced("2.1.5", "245").as_deref(), Some("2.1.5"));
    }

    #[test]
    fn words_refine_a_general_code_only() {
        let refine = |status: &str, words| refined(status.to_owned(), words);
        assert_eq!(refine("5.0.0", "Mailbox Full"), "5.2.2");
        assert_eq!(refine("4.0.0", "the user is over quota"), "4.2.2");
        assert_eq!(refine("5.7.1", "mailbox full"), "5.7.1");
        assert_eq!(refine("5.0.0", "no"), "5.0.0");
    }
}
